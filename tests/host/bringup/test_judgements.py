"""What the steps make of figures that no simulated pin has: bad cells, slow flashes, wrong crystals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lapel_bringup.desk import Desk, Plan
from lapel_bringup.person import Nobody
from lapel_bringup.pin import Bench, StepFailed
from lapel_bringup.result import BAD, GOOD, LOOK, Result
from lapel_bringup.steps import STEPS
from tests.host.bringup.fake_link import FakeLink, events

Event = Mapping[str, Any]
BOARD = {"event": "board", "name": "x", "faults": [], "heap_fresh_bytes": 200_000, "heap_built_bytes": 180_000}


def judged(name: str, *told: Event, plan: Plan | None = None) -> Result:
    """What that step says when the pin says this."""
    step = next(step for step in STEPS if step.name == name)
    return step.run(Desk(Bench(FakeLink(events(BOARD, *told))), Nobody(), plan or Plan()))


def says(result: Result) -> str:
    return " ".join(f"{found.says} {found.likely}" for found in result.findings)


def supply(rest: int | None, load: int | None, after: int | None, kind: str = "BatteryAdc") -> list[Event]:
    reads = [("rest", rest), ("load", load), ("after", after)]
    return [
        *({"event": "mv", "when": w, "mv": mv} for w, mv in reads),
        {"event": "battery", "kind": kind, "charging": None},
    ]


@pytest.mark.parametrize(
    ("mv", "verdict", "words"),
    [
        ((3900, 3880, 3896), GOOD, "drops by 18 mV"),
        ((3900, 3750, 3900), LOOK, "A weak cell"),
        ((3900, 3400, 3900), BAD, "the pin may reset"),
        ((3450, 3440, 3450), LOOK, "Nearly empty"),
        ((5000, 5000, 5000), BAD, "no LiPo cell has that"),
        ((None, None, None), LOOK, "does not know its battery's voltage"),
    ],
)
def test_a_cell_is_judged_by_what_it_drops(
    mv: tuple[int | None, int | None, int | None], verdict: str, words: str
) -> None:
    result = judged("battery", *supply(*mv))
    assert result.verdict == verdict
    assert words in says(result)


def test_the_resistance_is_the_drop_over_the_current() -> None:
    figures = judged("battery", *supply(4000, 3952, 4000)).figures
    assert (figures["sag_mv"], figures["resistance_mohm"]) == (48, 500)


def test_a_board_without_a_cell_is_not_blamed() -> None:
    result = judged("battery", *supply(None, None, None, kind="Silent"))
    assert (result.verdict, result.unknown) == ("unknown", ["a battery: this board has none that it could measure"])


def erases(*us: int, wrong: int = 0) -> list[Event]:
    return [
        {"event": "blocks", "found": 16, "of": 512},
        *({"event": "erase", "us": took, "program_us": [300], "wrong": wrong} for took in us),
    ]


@pytest.mark.parametrize(
    ("told", "verdict", "words"),
    [
        (erases(*[40_000] * 60), GOOD, "none"),
        (erases(*[40_000] * 60, 350_000), LOOK, "A larger ibuf"),
        (erases(*[40_000] * 60, 900_000), BAD, "more than NOR data sheets allow"),
        (erases(*[40_000] * 60, wrong=1), BAD, "did not hold what was written"),
    ],
)
def test_a_flash_is_judged_by_its_slowest_erase(told: list[Event], verdict: str, words: str) -> None:
    result = judged("flash", *told)
    assert result.verdict == verdict
    assert words in says(result)


def test_a_flash_that_cannot_be_measured_says_why() -> None:
    with pytest.raises(StepFailed, match="only 30 kB free; this wants 128 kB"):
        judged("flash", {"event": "full", "free_bytes": 30 * 1024, "wanted_bytes": 128 * 1024})
    with pytest.raises(StepFailed, match="not on a partition named vfs"):
        judged("flash", {"event": "no_partition"})
    with pytest.raises(StepFailed, match="were not found on the flash"):
        judged("flash", {"event": "blocks", "found": 0, "of": 512})


def timed(kind: str, us: float) -> Event:
    return {"event": "timed", "kind": kind, "convert_us": us / 2, "encode_us": us / 2, "rounds": 1}


@pytest.mark.parametrize(
    ("kind", "us", "verdict", "words"),
    [
        ("machine", 400, GOOD, "2.5 % of real time"),
        ("machine", 6000, LOOK, "Little is left"),
        ("machine", 15_000, BAD, "samples will be lost"),
        ("python", 30_000, BAD, "compiled for another architecture"),
    ],
)
def test_encoding_is_judged_by_its_share_of_real_time(kind: str, us: float, verdict: str, words: str) -> None:
    clock = {"event": "clock", "wanted_hz": 240_000_000, "hz": 240_000_000}
    result = judged("encoding", clock, timed(kind, us))
    assert result.verdict == verdict
    assert words in says(result)


def test_a_clock_that_the_chip_did_not_take_is_not_judged() -> None:
    clocks = [{"event": "clock", "wanted_hz": hz, "hz": 240_000_000} for hz in (240_000_000, 80_000_000)]
    result = judged("encoding", clocks[0], timed("machine", 400), clocks[1], timed("machine", 400))
    assert [found.says for found in result.findings] == [
        "At 240 MHz a block of 16 ms takes 400 us (2.5 % of real time)."
    ]
    assert "did not take" in result.unknown[0]


@pytest.mark.parametrize(
    ("with_app", "largest", "verdict"), [(120_000, 60_000, GOOD), (20_000, 18_000, BAD), (90_000, 9_000, BAD)]
)
def test_the_heap_is_judged_by_what_the_app_needs(with_app: int, largest: int, verdict: str) -> None:
    result = judged(
        "chip",
        {"event": "heap", "with_app_bytes": with_app, "allocated_bytes": 90_000, "largest_bytes": largest},
        {"event": "told", "memory": {}, "reset_cause": "power", "hz": 240_000_000, "app": "lapel.app"},
        {"event": "regions", "kind": "data", "regions": [[300_000, 90_000, 60_000, 50_000], [8_000_000, 1, 1, 1]]},
        {"event": "temperature", "celsius": 41},
    )
    assert result.verdict == verdict
    assert result.figures["psram_bytes"] == 8_000_000
    assert result.figures["idf_data_free_bytes"] == 90_001
    assert result.figures["temperature_celsius"] == 41


def marks(lose_at: int = 10**9) -> list[Event]:
    """One every 256 ms; from the lost one on, four blocks are missing."""
    return [
        {"event": "mark", "us": i * 256_000, "samples": i * 4096 - (1024 if i >= lose_at else 0)} for i in range(40)
    ]


def test_lost_samples_are_counted() -> None:
    assert judged("clock", *marks()).figures["lost_samples"] == 0
    result = judged("clock", *marks(lose_at=20))
    assert result.figures["lost_samples"] == 1024
    assert result.figures["mic_ppm"] is None
    assert "samples were lost" in says(result)


def test_too_few_marks_are_a_sentence() -> None:
    with pytest.raises(StepFailed, match="only 3 marks"):
        judged("clock", *marks()[:3])


def contacts(high: int, *groups: tuple[int, int]) -> list[Event]:
    return [
        {"event": "idle", "high": high, "looks": 20, "pressed_level": 0},
        *({"event": "edges", "level": level, "count": 3, "bounce_us": us} for level, us in groups),
        {"event": "ended", "level": 1, "lost": 0, "edges": 0},
    ]


@pytest.mark.parametrize(
    ("told", "verdict", "words"),
    [
        (contacts(20, (0, 900), (1, 1200)), GOOD, "1 presses, low when pressed"),
        (contacts(20, (0, 25_000), (1, 1200)), LOOK, "debounce_ms=20"),
        (contacts(0, (1, 900), (0, 1200)), BAD, "wrong way round"),
        (contacts(11, (0, 900), (1, 1200)), BAD, "It floats"),
        (contacts(0), BAD, "turned by 90 degrees"),
        (contacts(20), BAD, "No press arrived"),
    ],
)
def test_a_button_is_judged_by_its_levels_and_bounces(told: list[Event], verdict: str, words: str) -> None:
    result = judged("button", *told, plan=Plan(presses=1))
    assert result.verdict == verdict
    assert words in says(result)
