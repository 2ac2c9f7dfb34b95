"""`make torture`: every fault of the three tiers, and a table of what came of them.

Ends with 0 only when nothing was lost, doubled or broken and everything that was enumerated was run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import queue
import random
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from tests.torture.seeds import commit_seed
from tests.torture.table import Table, said
from tests.torture.verdict import Tier, Verdict

# How many mixtures of faults are drawn; what is enumerated is always run whole.
MIXTURES = 2000
# Letter: module and class. (a) the pin's code in virtual time, (b) the real companion, (c) the whole.
TIERS = {"a": ("virtual", "Virtual"), "b": ("points", "Points"), "c": ("whole", "Whole")}
_TELL_EVERY_S = 60.0
Plan = Mapping[str, Mapping[str, Sequence[str]]]


def tiers(names: str) -> list[Tier]:
    """The tiers of these letters. Each is imported only when it is wanted."""
    return [
        getattr(importlib.import_module(f"tests.torture.{module}"), of)()
        for letter, (module, of) in TIERS.items()
        if letter in names
    ]


def planned(
    chosen: Sequence[Tier], n: int, seed: int, case: str, sample: int | None = None
) -> dict[str, dict[str, list[str]]]:
    """{tier: {kind: names}}; with `case` only those whose name begins with it, with `sample` at most so many of
    each kind, drawn by `seed`."""
    plan: dict[str, dict[str, list[str]]] = {}
    for tier in chosen:
        if kind := tier.kind_of(case):
            plan[tier.name] = {kind: [case]}
            continue
        kinds = {}
        for kind, names in tier.cases(n, seed).items():
            found = [name for name in names if _wanted(name, case)]
            if sample is not None and len(found) > sample:
                found = random.Random(f"{seed} {kind}").sample(found, sample)
            if found or not case:
                kinds[kind] = found
        plan[tier.name] = kinds
    return plan


def _wanted(name: str, case: str) -> bool:
    return not case or name == case or name.startswith(case.rstrip("/") + "/")


def run(chosen: Sequence[Tier], plan: Plan, *, workers: int, until_bad: bool = False) -> Table:
    """Run what is planned, or until something is not good. The tiers go side by side: the first computes,
    the others mostly wait."""
    table = Table(plan)
    verdicts: queue.Queue[Verdict | BaseException | str] = queue.Queue()
    enough = threading.Event()

    def work(tier: Tier, names: Sequence[str]) -> None:
        try:
            # A generator that is closed ends what it started.
            with contextlib.closing(tier.run(names, workers=workers)) as found:
                for verdict in found:
                    verdicts.put(verdict)
                    if enough.is_set():
                        break
        except BaseException as error:  # noqa: BLE001 - raised again where it is heard
            verdicts.put(error)
        verdicts.put(tier.name)

    progress = _Progress()
    running = 0
    for tier in chosen:
        kinds = list(plan[tier.name].values())
        # Whoever looks for one that is not good wants some of each kind first.
        names = _in_turn(kinds) if until_bad else [name for kind in kinds for name in kind]
        if names:
            threading.Thread(target=work, args=(tier, names), name=f"tier-{tier.name}", daemon=True).start()
            running += 1
    while running:
        verdict = verdicts.get()
        if isinstance(verdict, str):
            running -= 1
            progress.say(f"tier {verdict} is through", table)
        elif isinstance(verdict, BaseException):
            raise verdict
        elif not enough.is_set():
            table.take(verdict)
            if not verdict.good:
                progress.say(f"not good: {verdict.case}: {said(verdict)}", table)
            progress.tell(table)
            if until_bad and table.bad:
                enough.set()
    return table


def _in_turn(kinds: Sequence[Sequence[str]]) -> list[str]:
    return [name for row in itertools.zip_longest(*kinds) for name in row if name is not None]


class _Progress:
    """A line that changes on a terminal, else one a minute; and what must be told at once."""

    def __init__(self) -> None:
        self._begun_s = self._told_s = time.monotonic()

    def tell(self, table: Table) -> None:
        if sys.stderr.isatty():
            end = "\n" if table.run == table.enumerated else ""
            print(f"\r{self._line(table)} ", end=end, file=sys.stderr, flush=True)
        elif time.monotonic() - self._told_s > _TELL_EVERY_S:
            self._told_s = time.monotonic()
            print(self._line(table), file=sys.stderr, flush=True)

    def say(self, sentence: str, table: Table) -> None:
        start = "\r" if sys.stderr.isatty() else ""
        print(f"{start}{self._line(table)}: {sentence}", file=sys.stderr, flush=True)

    def _line(self, table: Table) -> str:
        passed_s = time.monotonic() - self._begun_s
        return f"{table.run} of {table.enumerated} cases, {len(table.bad)} not good, {passed_s:.0f} s"


def main(argv: Sequence[str] | None = None) -> int:
    given = argparse.ArgumentParser(prog="make torture", description=__doc__)
    given.add_argument("--n", type=int, default=MIXTURES, help="how many mixtures are drawn")
    given.add_argument("--seed", type=int, default=None, help="of what is drawn (of the commit)")
    given.add_argument("--tier", default="abc", help="a, b, c or several of them")
    given.add_argument("--case", default="", help="one case, or all whose names begin so")
    given.add_argument("--workers", type=int, default=2, help="processes at a time")
    given.add_argument("--sample", type=int, default=None, help="at most so many of each kind, drawn by the seed")
    given.add_argument("--until-bad", action="store_true", help="end with the first case that is not good")
    options = given.parse_args(argv)
    seed = commit_seed() if options.seed is None else options.seed
    wanted = options.case[0] if options.case[:1] in TIERS else options.tier
    chosen = tiers(wanted)
    if not chosen:
        print(f"make torture: there is no tier {options.tier!r}; a, b and c are.", file=sys.stderr)
        return 2
    print(f"torture: N={options.n} SEED={seed}", flush=True)
    begun_s = time.monotonic()
    plan = planned(chosen, options.n, seed, options.case, options.sample)
    if not any(names for kinds in plan.values() for names in kinds.values()):
        print(f"make torture: no case is called {options.case!r} (of this N and SEED).", file=sys.stderr)
        return 2
    table = run(chosen, plan, workers=options.workers, until_bad=options.until_bad)
    print("\n".join(table.lines()))
    print(f"{table.run} cases in {(time.monotonic() - begun_s) / 60:.1f} min: {'good' if table.good else 'NOT GOOD'}")
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
