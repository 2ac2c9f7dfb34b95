"""Every target under hypothesis: nothing comes out of a parser but its verdict, and the work is bounded.

Quick and the same at every run; LAPEL_FUZZ_EXAMPLES makes it larger, and random.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import strategies, table
from tests.fuzz.steps import Steps

EXAMPLES = int(os.environ.get("LAPEL_FUZZ_EXAMPLES", "0"))
TARGETS = table.load()
# Targets that work on folders or on a whole pin cost a hundred times as much.
FEW = ("api_bytes", "api_posts", "channel", "conversation", "handshake", "mad_pin", "store")


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_nothing_but_a_verdict_comes_out(name: str) -> None:
    target, steps = TARGETS[name], Steps()

    @settings(
        max_examples=EXAMPLES or (15 if name in FEW else 100),
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.of(name))
    def run(data: bytes) -> None:
        assert isinstance(steps.run(target, data), str)

    run()
