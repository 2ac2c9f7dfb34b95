"""Links that hold and carry nothing, or not all: the pin says what is true, and everything arrives in the end."""

from __future__ import annotations

import pytest

from tests.sim.runs import DISK, Run, Sim

# Longer than the pin takes what it heard last for news.
QUIET = "sleep 4"


def once(run: Run) -> None:
    """One clip, one dispatch that was carried out, one notice felt."""
    assert len(run.of("captured", "pin")) == 1
    assert [line["outcome"] for line in run.of("dispatch", "companion")].count("accepted") == 1
    assert len(run.of("notice", "pin")) == 1


@pytest.mark.parametrize(
    ("breaks", "mends"), [("companion freeze", "companion thaw"), ("relay lose 100 up", "relay good")]
)
def test_a_link_at_which_nobody_listens_is_not_taken_for_a_companion(sim: Sim, breaks: str, mends: str) -> None:
    run = sim(
        f"""
        {breaks}
        {QUIET}
        hold {DISK}
        wait kept 5
        wait silence 20
        {mends}
        wait accepted 40
        wait notice kind=done 30
        """
    ).good()
    once(run)


def test_a_relay_that_loses_doubles_and_swaps(sim: Sim) -> None:
    run = sim(
        f"""
        relay lose 10
        relay double 10
        relay swap 5
        hold {DISK}
        wait notice kind=done 90
        relay good
        wait notice_stored 20
        """
    ).good()
    once(run)


def test_the_shortest_mtu(sim: Sim) -> None:
    run = sim(f"hold {DISK}\nwait notice kind=done 90\n", "--mtu", "23").good()
    assert run.of("linked")[0]["mtu"] == 23
    once(run)
