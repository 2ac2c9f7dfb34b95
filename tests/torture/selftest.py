"""`make torture-selftest`: mistakes planted into copies of the checkout, each of which the torture must catch.

The oracle must say what is lost, doubled or wrong: a crash is no catch. A case that catches one must be good without
it, and so must be a sample of all in a copy with no mistake. Ends with 0 only when every defect is caught.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.torture.defects import DEFECTS, Defect
from tests.torture.seeds import ROOT, commit_seed
from tests.torture.verdict import COUNTS

COPIED = ("firmware", "lib", "boards", "tools", "tests", "pyproject.toml")
LIMIT_S = 900.0
_NO_SUCH_CASE = 2
_CAUGHT = re.compile(r"^  (?P<case>[abc]/\S+): (?P<words>.+)$", re.MULTILINE)
_COUNTED = re.compile("|".join([*(f"{name.replace('_', ' ')} [1-9]" for name in COUNTS), "it never came to rest"]))
# The control: so many of each kind, and mixtures.
NO_DEFECT = "no mistake at all"
_CONTROL = ("--tier", "ab", "--sample", "3", "--n", "200")


@dataclass(frozen=True)
class Outcome:
    """`case` caught the defect, with these words; "" and why not."""

    name: str
    case: str
    words: str
    seconds: float

    @property
    def caught(self) -> bool:
        return bool(self.case)

    @property
    def as_expected(self) -> bool:
        return self.caught != (self.name == NO_DEFECT)

    def line(self) -> str:
        """For people."""
        by = f"caught by {self.case}" if self.caught else "good" if self.as_expected else "NOT CAUGHT"
        return f"{self.name:40}  {self.seconds:4.0f} s  {by}: {self.words}"


class DoesNotFit(Exception):
    """The place where a defect was planted looks otherwise now."""


@contextmanager
def planted(defect: Defect | None) -> Iterator[Path]:
    """A copy of the checkout with that one mistake in it, or none. Raises DoesNotFit."""
    with tempfile.TemporaryDirectory(prefix="lapel-defect-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy / name)
        (copy / ".tools").mkdir()
        for tool in (ROOT / ".tools").iterdir():
            # Bytecode of the copy is its own.
            if tool.name != "mpy":
                (copy / ".tools" / tool.name).symlink_to(tool)
        if defect:
            plant(copy, defect)
        yield copy


def plant(copy: Path, defect: Defect) -> None:
    """Make the mistake in a copy. Raises DoesNotFit."""
    path = copy / defect.file
    text = path.read_text() if path.exists() else ""
    if text.count(defect.right) != 1:
        raise DoesNotFit(f"{defect.file} has its line {text.count(defect.right)} times: {defect.right.strip()!r}")
    path.write_text(text.replace(defect.right, defect.wrong))


def tortured(folder: Path, *options: str) -> tuple[int, str]:
    """Exit code and output of `make torture` in a checkout."""
    path = os.pathsep.join(str(folder / part) for part in ("", "tools", "lib"))
    ran = subprocess.run(
        [sys.executable, "-m", "tests.torture", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def tried(defect: Defect, seed: int) -> Outcome:
    """Plant it, look for a case that catches it, and see that the case is good without it."""
    begun_s = time.monotonic()

    def told(case: str, words: str) -> Outcome:
        return Outcome(defect.name, case, words, time.monotonic() - begun_s)

    common = ("--seed", str(seed), "--n", str(defect.n), "--workers", "1")
    last = "no case caught it"
    for cases in defect.cases:
        try:
            with planted(defect) as copy:
                code, output = tortured(copy, *common, "--case", cases, "--sample", str(defect.sample), "--until-bad")
        except DoesNotFit as error:
            return told("", f"it does not fit the source any more: {error}")
        except subprocess.TimeoutExpired:
            last = f"{cases} took longer than {LIMIT_S:.0f} s"
            continue
        found = _CAUGHT.search(output)
        if code == 1 and found and _COUNTED.search(found["words"]):
            words = _not_good_without_it(found["case"], common)
            return told("", words) if words else told(found["case"], found["words"])
        if code == 1 and found:
            last = f"{found['case']} broke, and nothing is told as lost: {found['words']}"
        elif code != 0:
            last = f"{cases} could not be run: {output.strip()[-300:]}"
    return told("", last)


def control(seed: int) -> Outcome:
    """A sample of all cases in a copy without a mistake: `case` is one that is not good all the same."""
    begun_s = time.monotonic()
    with planted(None) as copy:
        code, output = tortured(copy, "--seed", str(seed), "--workers", "1", *_CONTROL)
    lines = output.strip().splitlines()
    found = _CAUGHT.search(output)
    case, words = (found["case"], found["words"]) if found else ("" if code == 0 else "the run itself", lines[-1])
    summary = next((line for line in lines if " cases in " in line), lines[-1])
    return Outcome(NO_DEFECT, case, words if case else summary, time.monotonic() - begun_s)


def _not_good_without_it(case: str, common: Sequence[str]) -> str:
    """Why the case accuses nobody; "" when it is good in this checkout."""
    code, output = tortured(ROOT, *common, "--case", case)
    beside = case
    while code == _NO_SUCH_CASE and "/" in beside:
        # What a run can be cut at depends on what it does: then what stands beside it is tried.
        beside = beside.rpartition("/")[0]
        code, output = tortured(ROOT, *common, "--case", beside, "--sample", "20")
    if code == 0:
        return ""
    found = _CAUGHT.search(output)
    return f"{case} is not good without it either: {found['words'] if found else output.strip()[-300:]}"


def main(argv: Sequence[str] | None = None) -> int:
    given = argparse.ArgumentParser(prog="make torture-selftest", description=__doc__)
    given.add_argument("--only", default="", help="defects whose name contains this")
    given.add_argument("--seed", type=int, default=None, help="of what is drawn (of the commit)")
    given.add_argument("--at-once", type=int, default=2)
    options = given.parse_args(argv)
    seed = commit_seed() if options.seed is None else options.seed
    begun_s = time.monotonic()
    work = {NO_DEFECT: partial(control, seed)} | {defect.name: partial(tried, defect, seed) for defect in DEFECTS}
    chosen = [work[name] for name in work if options.only in name]
    print(f"torture-selftest: {len(chosen)} copies, each with one mistake or none, SEED={seed}", flush=True)
    good = 0
    with ThreadPoolExecutor(options.at_once) as pool:
        for ending in as_completed([pool.submit(each) for each in chosen]):
            outcome = ending.result()
            good += outcome.as_expected
            print(outcome.line(), flush=True)
    print(f"{good} of {len(chosen)} as they must be, in {(time.monotonic() - begun_s) / 60:.1f} min")
    return 0 if chosen and good == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
