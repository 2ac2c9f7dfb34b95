"""The corpus and seeded changes of it: on CPython, and verdict by verdict the same on MicroPython."""

from __future__ import annotations

import pytest

from tests.fuzz import corpus, micropython, mutate, table
from tests.fuzz.growth import grown
from tests.fuzz.steps import Steps

TARGETS = table.load()
BOTH = sorted(name for name, target in TARGETS.items() if target.both)
MUTATIONS = 120
# A whole pin, a folder, a socket or a curve is behind these.
DEAR = ("api_bytes", "api_posts", "channel", "conversation", "handshake", "mad_pin", "store")
DEAR_MUTATIONS = 25
GROWTH_INPUTS = 25
ROUNDS = 8
CORPUS_MAX_BYTES = 300_000


def inputs(name: str) -> list[bytes]:
    """The checked-in ones and as many changed ones, the same at every run."""
    given = list(corpus.read(name).values())
    return given + list(mutate.mutations(given, DEAR_MUTATIONS if name in DEAR else MUTATIONS, name))


@pytest.mark.parametrize("name", BOTH)
def test_both_pythons_say_the_same_in_a_bounded_heap(name: str) -> None:
    given = inputs(name)
    replay = micropython.replay(name, given)
    for data, verdict in zip(given, replay.verdicts, strict=True):
        assert verdict == TARGETS[name].run(data), f"{name}: {data.hex()}: {replay.said[-1500:]}"
    assert replay.twice_bytes == replay.once_bytes


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_work_is_bounded_and_nothing_grows(name: str) -> None:
    target, steps, given = TARGETS[name], Steps(), inputs(name)
    for data in given:
        steps.run(target, data)
    # What is kept of every input shows in every round; a cache that fills up does not.
    given = given[-GROWTH_INPUTS:]
    assert any(grown(target.run, given) < len(given) // 4 for _ in range(ROUNDS))


def test_the_corpus_is_small_and_every_file_is_a_targets() -> None:
    files = sorted(corpus.FOLDER.iterdir())
    assert {path.stem for path in files} <= set(TARGETS)
    assert sum(path.stat().st_size for path in files) < CORPUS_MAX_BYTES
    assert all(corpus.read(name) for name in TARGETS), "python -m tests.fuzz.seeds"
