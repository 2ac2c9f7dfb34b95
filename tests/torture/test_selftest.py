"""The planted defects fit the source, and the selftest tells a catch from an accident."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.torture import selftest
from tests.torture.defects import DEFECTS, Defect
from tests.torture.seeds import ROOT


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_it_fits_the_source_and_is_python(defect: Defect, tmp_path: Path) -> None:
    (tmp_path / defect.file).parent.mkdir(parents=True)
    shutil.copy2(ROOT / defect.file, tmp_path / defect.file)
    selftest.plant(tmp_path, defect)
    compile((tmp_path / defect.file).read_text(), defect.file, "exec")


def test_a_place_that_looks_otherwise_now_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    for right in ("x = 2", "x = 1"):
        with pytest.raises(selftest.DoesNotFit, match="has its line"):
            selftest.plant(tmp_path, Defect("d", "a.py", right, "x = 3", ("a",)))


def test_names_are_names() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 12


def trial(monkeypatch: pytest.MonkeyPatch, *runs: tuple[int, str]) -> selftest.Outcome:
    """What comes of a defect when the runs of the torture end so."""
    ends = list(runs)
    monkeypatch.setattr(selftest, "tortured", lambda *_: ends.pop(0))
    monkeypatch.setattr(selftest, "COPIED", ("pyproject.toml",))
    monkeypatch.setattr(selftest, "plant", lambda *_: None)
    return selftest.tried(Defect("d", "a.py", "x", "y", ("a/one", "a/two")), 7)


def test_it_is_caught_by_a_case_that_is_good_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = (1, "torture\n  a/one/3: clips lost 1\n")
    caught = trial(monkeypatch, bad, (0, "good"))
    assert (caught.case, caught.words) == ("a/one/3", "clips lost 1")
    assert "not good without it" in trial(monkeypatch, bad, bad).words


def test_what_nobody_catches_is_not_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trial(monkeypatch, (0, "good"), (0, "good")).words == "no case caught it"
    broken = trial(monkeypatch, (2, "no case is called so"), (1, "a traceback"), (1, "here too"))
    assert not broken.caught and "could not be run" in broken.words


def test_a_crash_is_no_catch(monkeypatch: pytest.MonkeyPatch) -> None:
    crash = (1, "torture\n  a/one/3: the worker ended without a verdict: TypeError\n")
    assert "nothing is told as lost" in trial(monkeypatch, crash, crash).words
    rest = (1, "torture\n  a/two/3: it never came to rest\n")
    assert trial(monkeypatch, crash, rest, (0, "good")).case == "a/two/3"


def test_the_control_must_be_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "COPIED", ("pyproject.toml",))
    ends = [(0, "torture\n90 cases in 1.2 min: good\n"), (1, "torture\n  a/one/3: clips lost 1\n"), (1, "an error")]
    monkeypatch.setattr(selftest, "tortured", lambda *_: ends.pop(0))
    good, lost, broken = (selftest.control(7) for _ in range(3))
    assert good.as_expected and "90 cases" in good.line()
    assert not lost.as_expected and "caught by a/one/3" in lost.line()
    assert not broken.as_expected and broken.words == "an error"


def test_a_case_that_is_not_there_without_it_stands_for_its_family(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, none = (1, "torture\n  a/one/3/4: clips lost 1\n"), (2, "no case is called so")
    assert trial(monkeypatch, bad, none, none, (0, "good")).case == "a/one/3/4"
    assert not trial(monkeypatch, bad, none, bad).caught
