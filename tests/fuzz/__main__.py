"""`make fuzz`: every target in turn, guided by coverage; a table; and what was found, made small, into the corpus.

TARGET=message,store    only these            SECONDS=20   for each
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import atheris_here, corpus, names, paths, steps, table
from tests.fuzz.minimise import minimised

BUILD = paths.ROOT / "build" / "fuzz"
# Time to start, to measure growth, and for one input that hangs.
_SLACK_S = 120
_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/(\d+\w*)")
HEAD = f"{'target':<16}{'runs':>9}{'coverage':>10}{'corpus':>8}{'crashes':>9}{'hangs':>7}{'slowest':>11}{'growth':>9}"


@dataclass
class Row:
    """What one target came to. `coverage` counts edges, `new` those that the checked-in corpus does not reach."""

    target: str
    runs: int = 0
    coverage: int = 0
    new: int = 0
    inputs: int = 0
    crashes: int = 0
    hangs: int = 0
    slowest_ms: float = 0.0
    growth: int = 0

    def __str__(self) -> str:
        reached = f"{self.coverage}+{self.new}"
        return (
            f"{self.target:<16}{self.runs:>9}{reached:>10}{self.inputs:>8}{self.crashes:>9}{self.hangs:>7}"
            f"{self.slowest_ms:>8.1f} ms{self.growth:>9}"
        )


def fuzz(target: table.Target, seconds: float) -> Row:
    """Runs it, and keeps what it found."""
    folder = BUILD / target.name
    for inner in ("corpus", "found"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    for old in (folder / "found").iterdir():
        old.unlink()
    (folder / "result.json").unlink(missing_ok=True)
    for number, data in enumerate(corpus.read(target.name).values()):
        (folder / "corpus" / f"seed-{number}").write_bytes(data)
    command = [sys.executable, "-m", "tests.fuzz.guided", target.name, str(seconds), str(folder)]
    with (folder / "log").open("wb") as log:
        try:
            subprocess.run(command, cwd=paths.ROOT, stdout=log, stderr=log, timeout=seconds + _SLACK_S, check=False)
        except subprocess.TimeoutExpired:
            (folder / "found" / "timeout-whole").write_bytes(b"")
    return _row(target, folder)


def _row(target: table.Target, folder: Path) -> Row:
    said = (folder / "log").read_text(errors="replace")
    row = Row(target.name)
    seen = _COVERAGE.findall(said)
    if seen:
        row.coverage, row.inputs = int(seen[0][0]), int(seen[-1][2])
        row.new = int(seen[-1][0]) - row.coverage
    for path in sorted((folder / "found").iterdir()):
        if path.suffix == ".trace":
            continue
        if path.name.startswith(("timeout-", "oom-", "slow-unit-")):
            row.hangs += not path.name.startswith("slow-unit-")
            continue
        row.crashes += 1
        _keep(target, path)
    if (folder / "result.json").exists():
        result = json.loads((folder / "result.json").read_text())
        row.runs, row.slowest_ms, row.growth = result["runs"], result["slowest_ms"], result["growth"]
    elif not row.hangs:
        row.crashes += 1
        print(said[-2000:])
    return row


def _keep(target: table.Target, path: Path) -> None:
    small = minimised(path.read_bytes(), lambda data: how_it_ends(target, data))
    stored = corpus.add(target.name, path.name, small)
    print(f"  {target.name}: {path.name}: {len(small)} B, {'now' if stored else 'already'} in the corpus")
    trace = path.with_name(path.name + ".trace")
    if trace.exists():
        print("    " + trace.read_text().strip().replace("\n", "\n    ")[-900:])


def how_it_ends(target: table.Target, data: bytes) -> str | None:
    """The name of what comes out of it; None when all is well."""
    try:
        steps.Steps().run(target, data)
    except (Exception, steps.TooMuchWork) as error:
        return names.of(error)
    return None


def main() -> int:
    """The exit code: 1 when anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--target", default="", help="names, with commas; all without")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each")
    given = parser.parse_args()
    targets = table.load()
    chosen = [one for one in given.target.split(",") if one] or sorted(targets)
    unknown = [one for one in chosen if one not in targets]
    if unknown:
        print(f"there is no target {unknown[0]}; there are: {', '.join(sorted(targets))}")
        return 2
    missing = atheris_here.missing()
    if missing:
        print(missing)
        return atheris_here.without(chosen, given.seconds)
    print(HEAD)
    rows = []
    for name in chosen:
        rows.append(fuzz(targets[name], given.seconds))
        print(rows[-1], flush=True)
    found = sum(row.crashes + row.hangs for row in rows)
    print(f"{sum(row.runs for row in rows)} runs, {found} found" + ("; see build/fuzz/TARGET/found" if found else ""))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
