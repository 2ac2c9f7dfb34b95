"""What the doctor says of a pin's flight recorder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lapel_companion import doctor, flight_words
from lapel_wire.flight_log import FlightLog
from lapel_wire.flight_reading import decode

MINUTE_MS = 60_000


def told(write: Callable[[FlightLog], object]) -> dict[str, Any]:
    """A decoded log after its first boot, `write`, and ten minutes."""
    log = FlightLog()
    log.begin_boot("power")
    write(log)
    log.put("written_ms", 10 * MINUTE_MS)
    return decode(bytes(log.sealed()))


def test_a_well_pin_is_said_to_be_well() -> None:
    log = told(lambda log: log.put("heap_low_bytes", 48_000))
    assert flight_words.last_trouble(log) is None
    assert flight_words.headline(log) == "nothing went wrong in one start"
    assert flight_words.lines(log)[:2] == ["one start remembered, nothing lost", "lowest free heap 48,000 B"]
    assert doctor.flight_recorder(log).level == doctor.INFO


def test_a_service_that_ended_is_named_with_its_cause_and_when() -> None:
    def write(log: FlightLog) -> None:
        for ms in (MINUTE_MS, 5 * MINUTE_MS):
            log.add("deaths")
            log.event("died", "recorder", ms)
        log.put_text("last_error", "recorder: MemoryError: memory allocation failed\x1b[31m (recorder.py:12)")

    text = flight_words.headline(told(write))
    assert text.startswith(
        "its service 'recorder' ended 2 times and was started again: MemoryError: memory allocation failed"
        " (recorder.py:12) (5 min ago); the heap ran out"
    )
    assert "\x1b" not in text
    assert doctor.flight_recorder(told(write)).level == doctor.WARN


def test_a_bite_of_the_watchdog_names_who_was_late() -> None:
    def write(log: FlightLog) -> None:
        log.put_text("last_task", "upkeep")
        log.event("late", "link", 3 * MINUTE_MS)
        log.begin_boot("watchdog")

    text = flight_words.headline(told(write))
    assert text.startswith("its watchdog reset the pin: the service 'link' had not reported (at its last start)")


def test_a_bite_without_a_word_names_who_ran_last() -> None:
    def write(log: FlightLog) -> None:
        log.put_text("last_task", "upkeep")
        log.begin_boot("watchdog")

    assert "the last one was 'upkeep'" in flight_words.headline(told(write))


def test_why_there_is_no_opus_is_known_of_this_boot() -> None:
    def write(log: FlightLog) -> None:
        log.event("note", "no Opus: 180 kB free", 300)

    def later(log: FlightLog) -> None:
        write(log)
        log.begin_boot("reset")

    assert flight_words.no_opus(told(write)) == "no Opus: 180 kB free"
    assert flight_words.no_opus(told(later)) == flight_words.no_opus(told(lambda log: None)) == ""
    assert flight_words.last_trouble(told(write)) is None

    def taken(log: FlightLog) -> None:
        write(log)
        log.event("note", "codec opus", 400)

    assert flight_words.no_opus(told(taken)) == ""


def test_the_newest_trouble_counts_not_the_first() -> None:
    def write(log: FlightLog) -> None:
        log.event("drop", "link", MINUTE_MS)
        log.begin_boot("reset")
        log.put_text("last_error", "no DRV2605L answers at 0x5A on SDA 5, SCL 6: check its wires and power")
        log.event("error", "no DRV2605L answers at 0x5A on SDA 5, SCL 6: check", 9 * MINUTE_MS)
        log.event("note", "paired", 9 * MINUTE_MS)

    text = flight_words.headline(told(write))
    # the whole sentence, though an event holds 24 bytes of it
    assert text.startswith("no DRV2605L answers at 0x5A on SDA 5, SCL 6: check its wires and power (60 s ago); ")
    assert "lapel bringup" in text


def test_power_that_came_back_without_being_forgotten_was_a_dip() -> None:
    def write(log: FlightLog) -> None:
        log.event("note", "linked", MINUTE_MS)
        log.begin_boot("power")
        log.begin_boot("soft reset")

    text = flight_words.headline(told(write))
    assert text.startswith("its supply dipped and the pin started again (one start ago)")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("ImportError: no module named 'aioble'", "make flash"),
        ("flash is full while recording: send or remove waiting clips", "make backup"),
        ("flash error 5 while writing /data/state/marks: the block may be worn out", "worn"),
        ("OSError: [Errno 5] EIO (store_files.py:66)", "worn"),
        ("something new", ""),
    ],
)
def test_each_error_has_its_way_on(error: str, remedy: str) -> None:
    def write(log: FlightLog) -> None:
        log.put_text("last_error", error)
        log.event("error", error, MINUTE_MS)

    trouble = flight_words.last_trouble(told(write))
    assert trouble is not None and trouble.what == error
    assert remedy in trouble.do and bool(remedy) == bool(trouble.do)


def test_a_run_before_is_told_as_such() -> None:
    def write(log: FlightLog) -> None:
        log.event("overrun", "mic", 3 * 60 * MINUTE_MS)
        log.begin_boot("reset")

    assert "(in the run before, 3 h after it started)" in flight_words.headline(told(write))


def test_any_log_that_decodes_has_words() -> None:
    def write(log: FlightLog) -> None:
        for n in range(200):
            log.event(("died", "stall", "overrun", "drop", "late", "error", "note")[n % 7], "é" * 40, n * 1000)
            if n % 20 == 0:
                log.begin_boot(("power", "watchdog", "unknown", "deep sleep", "")[n // 20 % 5])
        log.put("stall_max_ms", 1400)
        log.add("stalls")

    log = told(write)
    assert flight_words.headline(log)
    assert any("1400 ms at most, which is felt" in line for line in flight_words.lines(log))
