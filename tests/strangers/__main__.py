"""`make strangers`: strangers at the pin, fake pins at the companion, carriers in between; a table of what came of it.

Ends with 0 when every row is good. A run can be had again by its seed; the computer's own pace cannot.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from tests.strangers import at_the_companion, at_the_pin, carriers
from tests.strangers.centrals import seed_of
from tests.strangers.rows import Row

SUITES = {"pin": at_the_pin.run, "companion": at_the_companion.run, "carriers": carriers.run}


async def _run(names: list[str], seed: int) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="lapel-strangers-") as folder:
        for name in names:
            async for row in SUITES[name](Path(folder), seed):
                rows.append(row)
                print(row.line(), flush=True)
    return rows


def main() -> int:
    """0 when every row is good."""
    parser = argparse.ArgumentParser(prog="strangers", description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--suite", choices=[*SUITES, "all"], default="all")
    given = parser.parse_args()
    # Bumble tells of what a stranger cannot do.
    logging.disable(logging.WARNING)
    seed = seed_of(given.seed)
    print(f"seed {seed}", flush=True)
    rows = asyncio.run(_run(list(SUITES) if given.suite == "all" else [given.suite], seed))
    bad = [row for row in rows if row.bad]
    slowest = max((row.slowest_s or 0.0 for row in rows), default=0.0)
    print(f"{len(rows)} cases, {len(bad)} bad, the owner was in after {slowest:.1f} s at most; seed {seed}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
