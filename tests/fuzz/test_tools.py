"""What the fuzzing itself is made of: it finds a mistake, counts work and growth, and makes a finding small."""

from __future__ import annotations

import pytest

from tests.fuzz import mutate, names, table
from tests.fuzz.__main__ import how_it_ends
from tests.fuzz.growth import grown
from tests.fuzz.minimise import minimised
from tests.fuzz.steps import Steps, TooMuchWork


def fragile(data: bytes) -> str:
    """Fails where an x stands before a y."""
    at = data.find(b"x")
    if at >= 0 and b"y" in data[at:]:
        raise ValueError("x before y")
    return "well"


def test_a_finding_is_named_and_made_small() -> None:
    target = table.Target("fragile", fragile, both=False)
    found = how_it_ends(target, b"some x and some y behind")
    assert found == "valueerror in fragile of test_tools" and how_it_ends(target, b"yx") is None
    assert minimised(b"some x and some y behind", lambda data: how_it_ends(target, data)) == b"xy"


def test_work_is_counted_in_lines_of_ours_and_ends_at_the_limit() -> None:
    target = table.load()["spans"]
    steps = Steps()
    assert steps.run(target, b"in ten minutes") == "600.0" and 50 < steps.lines < 500
    few = table.Target(target.name, target.run, both=False, lines=40, lines_a_byte=0)
    with pytest.raises(TooMuchWork):
        steps.run(few, b"in ten minutes")


def test_what_is_kept_is_counted() -> None:
    kept: list[bytes] = []
    assert grown(kept.append, [b"%d" % number for number in range(50)]) > 40
    assert grown(fragile, [b"xy"] * 50) < 12


def test_changes_are_the_same_for_the_same_seed() -> None:
    first = list(mutate.mutations([b"one", b"two"], 20, "seed"))
    assert first == list(mutate.mutations([b"one", b"two"], 20, "seed")) and len(set(first)) > 10
    assert first != list(mutate.mutations([b"one", b"two"], 20, "other"))


def test_a_name_is_that_of_our_own_innermost_place() -> None:
    with pytest.raises(AttributeError) as caught:
        table.load()["spans"].run(None)  # type: ignore[arg-type]
    assert names.of(caught.value) == "attributeerror in spans of said"
