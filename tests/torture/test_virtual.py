"""Tier (a) in small: a sample of every kind of fault is good, and the oracle bites."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.torture.defects import Defect
from tests.torture.seeds import ROOT, commit_seed
from tests.torture.selftest import plant
from tests.torture.virtual import Virtual

# Of each kind of fault.
SAMPLE = 3
# `stored` is said, and nothing is.
FORGETFUL = Defect(
    "a notice is stored in RAM alone",
    "firmware/lapel/services/store_notices.py",
    "store_files.save(self._path(number), records.NOTICE, body)",
    "self._stale.append(number)",
    ("a/cut/plain",),
)


@pytest.mark.slow
def test_a_sample_of_every_kind_of_fault() -> None:
    seed = commit_seed()
    print(f"SEED={seed}")
    tier, chance = Virtual(), random.Random(seed)
    kinds = tier.cases(400, seed)
    # MicroPython makes no machine code for 64-bit ARM, and Opus is nothing else.
    assert ("Opus: mixture" in kinds) == (os.uname().machine not in ("aarch64", "arm64"))
    names = [name for found in kinds.values() for name in chance.sample(list(found), min(SAMPLE, len(found)))]
    verdicts = list(tier.run(names, workers=1))
    assert sorted(verdict.case for verdict in verdicts) == sorted(names)
    assert {verdict.kind for verdict in verdicts} == set(kinds)
    assert [verdict for verdict in verdicts if not verdict.good] == [], f"make torture TIER=a SEED={seed}"


def test_a_notice_that_is_only_in_ram_is_missed(tmp_path: Path) -> None:
    for part in ("firmware", "lib", "tests/unit/helpers", "tests/torture/device"):
        shutil.copytree(ROOT / part, tmp_path / part)
    # The second notice has come, and was not seen yet.
    names = [f"a/cut/plain/t{ms}" for ms in range(20_500, 22_000, 250)]
    assert all(verdict.good for verdict in Virtual().run(names, workers=1))
    plant(tmp_path, FORGETFUL)
    assert all(verdict.notices_lost for verdict in Virtual(tmp_path).run(names, workers=1))


def test_a_case_is_the_same_each_time() -> None:
    names = ["a/cut/plain/none", "a/cut/plain/p30-bits", "a/cut/busy/p30-prefix/p2-after"]

    def said() -> list[tuple[str, int | None, bool]]:
        return sorted((one.case, one.recovery_ms, one.good) for one in Virtual().run(names, workers=2))

    first = said()
    assert [case for case, _, _ in first] == sorted(names) and first == said()


def test_a_case_that_there_is_not_is_broken_and_holds_up_no_other() -> None:
    names = ["a/cut/plain/p99999-bits", "a/cut/plain/none"]
    found = {verdict.case: verdict for verdict in Virtual().run(names, workers=1)}
    assert found[names[1]].good
    assert "without a verdict" in found[names[0]].broken
