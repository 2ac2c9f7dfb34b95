"""`make torture-selftest`: mistakes planted into copies of the checkout, each of which the torture must catch.

A case that catches one must be good without it. Ends with 0 only when every defect is caught.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.torture.defects import DEFECTS, Defect
from tests.torture.seeds import ROOT, commit_seed

COPIED = ("firmware", "lib", "boards", "tools", "tests", "pyproject.toml")
LIMIT_S = 900.0
_NO_SUCH_CASE = 2
_CAUGHT = re.compile(r"^  (?P<case>[abc]/\S+): (?P<words>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """`case` caught the defect, with these words; "" and why not."""

    defect: Defect
    case: str
    words: str
    seconds: float

    @property
    def caught(self) -> bool:
        return bool(self.case)


class DoesNotFit(Exception):
    """The place where a defect was planted looks otherwise now."""


@contextmanager
def planted(defect: Defect) -> Iterator[Path]:
    """A copy of the checkout with that one mistake in it. Raises DoesNotFit."""
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
        return Outcome(defect, case, words, time.monotonic() - begun_s)

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
        if code == 1 and found:
            case = found["case"]
            words = _not_good_without_it(case, common)
            if words:
                return told("", words)
            return told(case, found["words"])
        if code == 1 and _unharmed(cases, common):
            # Not even the run with nothing wrong came to its end.
            return told(f"{cases} (nothing wrong)", output.strip().splitlines()[-1])
        if code != 0:
            last = f"{cases} could not be run: {output.strip()[-300:]}"
    return told("", last)


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


def _unharmed(cases: str, common: Sequence[str]) -> bool:
    """Whether these cases can be listed and run in this checkout."""
    return tortured(ROOT, *common, "--case", cases, "--sample", "1")[0] == 0


def main(argv: Sequence[str] | None = None) -> int:
    given = argparse.ArgumentParser(prog="make torture-selftest", description=__doc__)
    given.add_argument("--only", default="", help="defects whose name contains this")
    given.add_argument("--seed", type=int, default=None, help="of what is drawn (of the commit)")
    given.add_argument("--at-once", type=int, default=2)
    options = given.parse_args(argv)
    seed = commit_seed() if options.seed is None else options.seed
    chosen = [defect for defect in DEFECTS if options.only in defect.name]
    print(f"torture-selftest: {len(chosen)} planted defects, SEED={seed}", flush=True)
    caught = 0
    with ThreadPoolExecutor(options.at_once) as pool:
        for outcome in pool.map(lambda defect: tried(defect, seed), chosen):
            caught += outcome.caught
            by = f"caught by {outcome.case}" if outcome.caught else "NOT CAUGHT"
            print(f"{outcome.defect.name:28}  {by} ({outcome.seconds:.0f} s): {outcome.words}", flush=True)
    print(f"{caught} of {len(chosen)} caught")
    return 0 if chosen and caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
