"""Tier (b) in small: every point that the code names is passed, and a sample of its cases is good."""

from __future__ import annotations

import random
from collections import Counter

from tests.torture.crash import named
from tests.torture.crash.case import KINDS, Case
from tests.torture.crash.trap import NONE
from tests.torture.dark.power import HOWS
from tests.torture.points import NAMED, Points
from tests.torture.seeds import commit_seed

# Of each kind of fault.
SAMPLE = 3


def test_a_sample_of_faults_at_the_points() -> None:
    seed = commit_seed()
    tier, chance = Points(), random.Random(seed)
    kinds = dict(tier.cases(600, seed))
    # The dry run is the sample of what has no fault.
    kinds[KINDS[NONE]] = [NAMED]
    if tier.why_not_dark:
        print(tier.why_not_dark)
        kinds = {kind: found for kind, found in kinds.items() if kind not in {KINDS[how] for how in HOWS}}
    names = [name for found in kinds.values() for name in chance.sample(list(found), min(SAMPLE, len(found)))]
    verdicts = list(tier.run(names, workers=1))
    assert sorted(verdict.case for verdict in verdicts) == sorted(names)
    assert [verdict for verdict in verdicts if not verdict.good] == [], f"make torture TIER=b SEED={seed}"


def test_a_point_that_nobody_passes_is_missed() -> None:
    wanted = named.named()
    assert {"clip.part.sync", "events.commit[dispatch]", "link.send[accepted]", "job.gate", "leftover.end"} <= wanted
    trail = [f"{step}.{end}" for step in wanted for end in ("before", "after")]
    assert wanted <= named.passed(trail)
    assert wanted - named.passed(point for point in trail if point != "job.gate.after") == {"job.gate"}
    both = ["events.commit[clip+dispatch].before", "events.commit[clip+dispatch].after"]
    assert named.passed(both) == {"events.commit[clip]", "events.commit[dispatch]"}


def test_a_name_says_the_whole_case() -> None:
    how = ("kill", "bye", "again-17", "power", "drawn-3", "torn-9")
    for name in (f"b/jobs/events.commit[attempt+job].after/2/{each}" for each in how):
        assert Case.of(name).name == name and Points("").kind_of(name) == KINDS[Case.of(name).how]
    assert [Points("").kind_of(name) for name in ("", "b/jobs", NAMED, "b/jobs/job.gate.after/x/kill")] == [""] * 4


def test_each_kind_of_fault_has_cases_and_none_twice() -> None:
    tier = Points()
    synced, gate = "clip.part.sync.after", "job.gate.after"
    tier._counts = {"clips": Counter({"clip.part.sync.before": 5, synced: 1, gate: 1})}
    kinds = tier.cases(300, 7)
    assert kinds == tier.cases(300, 7) != tier.cases(300, 8)
    assert len(kinds["killed at a point"]) == 5 and len(kinds["disk full"]) == len(kinds["disk error"]) == 1
    dark = [sorted(name.split("/")[2] for name in kinds[KINDS[how]]) for how in HOWS]
    # What is torn is drawn, too.
    assert dict(zip(HOWS, dark, strict=True)) == {"power": [synced, gate], "drawn": [gate], "torn": [synced]}
    assert len(set(kinds["killed again"])) == len(kinds["killed again"]) > 0


def test_without_strace_the_computers_power_is_told_as_not_cut() -> None:
    found = list(
        Points(strace="").run(["b/jobs/clip.sync.after/1/power", "b/jobs/clip.sync.after/1/torn-4"], workers=1)
    )
    assert [verdict.kind for verdict in found] == [KINDS["power"], KINDS["torn"]]
    assert all(verdict.broken == "not run: there is no strace" and not verdict.good for verdict in found)
