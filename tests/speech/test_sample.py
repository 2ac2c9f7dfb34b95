"""A sample of the speech suite: other sentences, half phrases and noise do nothing, most phrases are heard.

`make wrong-actions` tries all of it, and prints the tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from voices import flite, suite
from voices.sentences import OTHER, SAID
from voices.suite import Result
from voices.trials import HALF, NOISE

EVERY = 24

pytestmark = pytest.mark.skipif(not flite.available(), reason="flite is not there; `make tools` brings it")


def of(results: Sequence[Result], *kinds: str) -> list[Result]:
    return [one for one in results if one.trial.kind in kinds]


def test_nothing_acts_that_was_not_said_and_most_phrases_are_heard() -> None:
    # one test, so that the sample is heard once and not by each worker
    results = [suite.run(job) for job in suite.jobs(suite.LISTS, EVERY)]
    # Its models are worth some tens of megabytes.
    suite.forget()
    tried = of(results, OTHER, HALF, NOISE)
    assert len(tried) >= 30 and len({one.trial.voice for one in tried}) >= 4
    assert [suite.told(one) for one in results if one.wrong] == []
    said = [one for one in of(results, SAID) if one.trial.effect == "plain"]
    missed = [suite.told(one) for one in said if not one.right]
    assert len(said) >= 4 and len(missed) <= len(said) * 0.4, missed


def test_the_lists_are_long_enough() -> None:
    everything = suite.jobs(suite.LISTS)
    others = {job[0].text for job in everything if job[0].kind == OTHER}
    assert len(others) >= 300
    assert {job[0].voice for job in everything if job[0].kind == SAID} == set(flite.VOICES)
    held_back = {job[0].text for job in everything if job[0].kind == OTHER and job[0].set_name == "heldout"}
    assert len(held_back) >= 200


def test_a_wrong_action_is_told_and_fails() -> None:
    [trial] = {
        job[0] for job in suite.jobs(["tuning"]) if job[0].kind == HALF and job[0].part == 0.3 and "list" in job[0].text
    }
    result = Result(trial, "list the running", False, "list the running jobs", 0.1)
    assert result.wrong and not result.right
    assert suite.told(result).endswith("did: list the running jobs")
    assert "1        1" in suite.wrong_table([result])
