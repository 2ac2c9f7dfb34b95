"""Each step on the simulated board, on MicroPython: the simulator's constants are found, and planted faults named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lapel_bringup.desk import QUICK, Desk
from lapel_bringup.person import Nobody
from lapel_bringup.pin import Bench, StepFailed
from lapel_bringup.result import BAD, GOOD, LOOK, Result
from lapel_bringup.simulated import SimulatedPerson
from lapel_bringup.steps import STEPS
from lapel_usb.errors import PinError
from simulator import mic
from tests.host.bringup import direct_pin
from tests.host.bringup.direct_pin import DirectPin

PLAN = replace(QUICK, quiet_pieces=2, speech_pieces=3, clock_s=3, radio_s=2, erases=60)


@pytest.fixture
def pin(tmp_path: Path) -> Iterator[DirectPin]:
    """The simulated board, its flash at the chip's own pace."""
    with direct_pin.pin(tmp_path) as made:
        yield made


def done(pin: DirectPin, name: str, plan: object = PLAN, **person: object) -> Result:
    """That step, with a person who does what is asked."""
    step = next(step for step in STEPS if step.name == name)
    someone = SimulatedPerson(pin.simulation, pin.loop, **person)  # type: ignore[arg-type]
    desk = Desk(Bench(pin.link), someone, plan, f"bumble:{pin.simulation.companion_spec}")  # type: ignore[arg-type]
    return step.run(desk)


def says(result: Result, level: str) -> str:
    return " ".join(f"{found.says} {found.likely}" for found in result.findings if found.level == level)


def test_the_microphone_is_that_of_the_simulator(pin: DirectPin) -> None:
    result = done(pin, "microphone")
    assert result.verdict == GOOD
    assert result.figures["noise_24"] == pytest.approx(300, rel=0.03)
    assert result.figures["noise_dbfs"] == pytest.approx(-85.9, abs=0.5)
    assert result.figures["dc_24"] == pytest.approx(41_000, abs=20)
    assert result.figures["voice_over_noise_db"] > 20
    assert result.figures["clipped_voice"] == 0


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (mic.OFF, ("nothing but zeros", "data wire SD (DOUT) is off")),
        (mic.RIGHT, ("silent in the left slot and speaks in the right", "L/R (SEL) pin is high")),
        (mic.HIGH, ("high all the time", "SD (DOUT) touches 3V3")),
    ],
)
def test_a_microphone_that_is_wired_wrong_is_named(pin: DirectPin, wire: str, words: tuple[str, str]) -> None:
    pin.simulation.mic.wire = wire
    result = done(pin, "microphone")
    assert result.verdict == BAD
    for part in words:
        assert part in says(result, BAD)


def test_a_voice_that_clips_is_named(pin: DirectPin) -> None:
    result = done(pin, "microphone", voice=60.0)
    assert result.verdict == BAD
    assert "clips" in says(result, BAD)
    assert "gain" in says(result, BAD)


def test_nobody_speaking_is_something_to_look_at(pin: DirectPin) -> None:
    step = next(step for step in STEPS if step.name == "microphone")
    result = step.run(Desk(Bench(pin.link), Nobody(), PLAN))
    assert result.verdict == LOOK
    assert "Nobody spoke" in says(result, LOOK)


def test_the_start_up_is_256_ms(pin: DirectPin) -> None:
    result = done(pin, "startup")
    assert result.verdict == GOOD
    assert result.figures["startup_ms"] == pytest.approx(256, abs=16)


def test_a_microphone_that_never_starts_is_named(pin: DirectPin) -> None:
    pin.simulation.mic.wire = mic.OFF
    assert "did not become good" in says(done(pin, "startup"), BAD)


def test_the_button_is_pressed_and_its_bounces_are_counted(pin: DirectPin) -> None:
    result = done(pin, "button")
    assert result.figures["presses"] == PLAN.presses
    assert (result.figures["pressed_level"], result.figures["idle_level"]) == (0, 1)
    # three bounces of twice 1.5 ms are the most; this computer adds what it likes
    assert result.figures["press_bounce_us"] > 0
    assert sorted(result.series["press_bounce_us"])[1] < 20_000
    assert result.verdict in (GOOD, LOOK)


def test_a_stuck_button_is_named(pin: DirectPin) -> None:
    pin.post(pin.simulation.hardware.button.press())
    step = next(step for step in STEPS if step.name == "button")
    result = step.run(Desk(Bench(pin.link), Nobody(), replace(PLAN, press_limit_s=1)))
    assert result.verdict == BAD
    assert "stuck" in says(result, BAD)


def test_a_button_that_is_not_wired_is_named(pin: DirectPin) -> None:
    step = next(step for step in STEPS if step.name == "button")
    result = step.run(Desk(Bench(pin.link), Nobody(), replace(PLAN, press_limit_s=1)))
    assert result.verdict == BAD
    assert "No press arrived" in says(result, BAD)


def test_the_motor_is_heard_and_felt(pin: DirectPin) -> None:
    result = done(pin, "haptic", resonance_hz=205.0)
    assert result.verdict == GOOD
    assert [row["pattern"] for row in result.series["patterns"]] == sorted(PLAN.patterns)
    assert all(row["felt"] == "yes" and row["over_quiet_db"] > 20 for row in result.series["patterns"])
    assert result.figures["heard_hz"] == pytest.approx(205, abs=5)


def test_a_motor_that_does_nothing_is_named(pin: DirectPin) -> None:
    result = done(pin, "haptic", answers={f"felt.{name}": "n" for name in PLAN.patterns}, on_table=False)
    assert result.verdict == BAD
    assert "Nothing was felt" in says(result, BAD)
    assert "heard none" in says(result, BAD)


def test_the_colours_are_right(pin: DirectPin) -> None:
    assert done(pin, "led").verdict == GOOD
    assert [list(row.values()) for row in done(pin, "led").series["colours"]] == [
        ["red", "red"], ["green", "green"], ["blue", "blue"], ["white", "white"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"led.red": "g", "led.green": "r"}, "Red and green are exchanged"),
        ({"led.blue": "n"}, "No blue"),
        ({"led.red": "n", "led.green": "n", "led.blue": "n", "led.white": "n"}, "stays dark"),
    ],
)
def test_wrong_colours_are_named(pin: DirectPin, answers: dict[str, str], words: str) -> None:
    assert words in says(done(pin, "led", answers=answers), BAD)


def test_the_flash_is_that_of_the_simulator(pin: DirectPin) -> None:
    result = done(pin, "flash", replace(PLAN, erases=150))
    assert result.verdict == GOOD
    assert result.figures["erase_median_us"] == pytest.approx(45_000, rel=0.1)
    assert result.figures["erase_worst_us"] == pytest.approx(200_000, rel=0.1)
    # one in fifty
    assert 1 <= result.figures["slow_erases"] <= 9
    assert result.figures["program_128_bytes_median_us"] == pytest.approx(400, rel=0.8)
    assert result.figures["wrong_pieces"] == 0
    assert not pin.simulation.flash.violations


def test_the_flash_holds_what_it_held(pin: DirectPin) -> None:
    write = (
        "import board\nb = board.build(lambda *a, **k: None)\n"
        "with open('/flash/kept', 'wb') as f: f.write(bytes(range(256)) * 80)"
    )
    pin.link.run(write, timeout_s=20, on_line=None)
    done(pin, "flash")
    read = (
        "import board, os\nb = board.build(lambda *a, **k: None)\n"
        "print(open('/flash/kept', 'rb').read() == bytes(range(256)) * 80, os.listdir('/flash'))"
    )
    assert "True ['kept']" in pin.link.run(read, timeout_s=20, on_line=None)


def test_a_full_flash_is_a_sentence(tmp_path: Path) -> None:
    with direct_pin.pin(tmp_path, flash_blocks=16) as small:
        with pytest.raises(StepFailed, match=r"the flash has only \d+ kB free"):
            done(small, "flash", replace(PLAN, erase_blocks=16))


def test_encoding_is_timed_with_and_without_machine_code(pin: DirectPin) -> None:
    result = done(pin, "encoding")
    assert result.verdict == GOOD
    assert [(row["kind"], row["wanted_mhz"]) for row in result.series["blocks"]] == [
        ("python", 240), ("machine", 240), ("python", 80), ("machine", 80),
    ]  # fmt: skip
    assert result.figures["machine_240_mhz_share"] < result.figures["python_240_mhz_share"]


def test_the_heap_is_told(pin: DirectPin) -> None:
    figures = done(pin, "chip").figures
    assert figures["heap_fresh_bytes"] > figures["heap_with_board_bytes"] > figures["heap_with_app_bytes"] > 0
    assert 0 < figures["largest_bytes"] <= figures["heap_with_app_bytes"]


def test_no_sample_is_lost_and_the_clock_is_this_computers(pin: DirectPin) -> None:
    figures = done(pin, "clock").figures
    assert figures["lost_samples"] == 0
    assert abs(figures["pin_clock_ppm"]) < 500
    assert abs(figures["mic_ppm"]) < 3000


def test_the_radio_is_that_of_the_simulator(pin: DirectPin) -> None:
    result = done(pin, "radio")
    assert result.verdict == GOOD
    # what tools/simulator/README.md says of 30 ms and 4 packets
    assert result.figures["kbit_s"] == pytest.approx(255, rel=0.1)
    assert (result.figures["interval_ms"], result.figures["mtu_bytes"]) == (30, 247)
    assert result.figures["queue_packets"] == 16
    assert result.figures["missing_packets"] == 0


def test_a_radio_out_of_reach_is_a_sentence(pin: DirectPin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapel_bringup.steps.radio._FIND_S", 1.0)
    pin.post(pin.simulation.link("down"))
    result = done(pin, "radio")
    assert result.verdict == BAD
    assert "did not see the pin's advertisement" in says(result, BAD)


def test_a_computer_without_bluetooth_is_not_the_pins_fault(pin: DirectPin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapel_bringup.steps.radio._FIND_S", 1.0)
    step = next(step for step in STEPS if step.name == "radio")
    result = step.run(Desk(Bench(pin.link), Nobody(), PLAN, "bumble:serial:/dev/none"))
    assert result.verdict == LOOK
    assert "the radio 'bumble:serial:/dev/none' cannot be used" in says(result, LOOK)


def test_a_radio_that_this_computer_lacks_is_a_sentence(pin: DirectPin) -> None:
    step = next(step for step in STEPS if step.name == "radio")
    with pytest.raises(StepFailed, match="is no radio"):
        step.run(Desk(Bench(pin.link), Nobody(), PLAN, "telepathy"))
    left_out = step.run(Desk(Bench(pin.link), Nobody(), PLAN, ""))
    assert (left_out.verdict, len(left_out.unknown)) == ("unknown", 1)


def test_the_battery_is_told(pin: DirectPin) -> None:
    assert done(pin, "battery").figures["battery_mv"] == 3900


def test_a_battery_that_is_none_is_named(pin: DirectPin) -> None:
    pin.post(pin.simulation.battery(1200))
    assert "no LiPo cell has that" in says(done(pin, "battery"), BAD)


def test_what_a_routine_raises_is_the_pins_error(pin: DirectPin) -> None:
    with pytest.raises(PinError, match="TypeError"):
        Bench(pin.link).run("light", colour=3, ms=1, timeout_s=20)
