"""The table of the torture: what was enumerated, what was run, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.torture.verdict import COUNTS, Verdict

SHOWN_MAX = 20
_HEAD = ("tier", "kind of fault", "enumerated", "run", "clips lost", "run twice", "notices lost", "doubled",
         "wrong data", "broken", "slowest recovery")  # fmt: skip


@dataclass
class Row:
    """One kind of fault. `bad` are the verdicts that are not good."""

    tier: str
    kind: str
    enumerated: int
    run: int = 0
    slowest_ms: int | None = None
    bad: tuple[Verdict, ...] = ()

    def take(self, verdict: Verdict) -> None:
        """Count one case that was run."""
        self.run += 1
        if verdict.recovery_ms is not None:
            self.slowest_ms = max(verdict.recovery_ms, self.slowest_ms or 0)
        if not verdict.good:
            self.bad = (*self.bad, verdict)

    @property
    def good(self) -> bool:
        return self.run == self.enumerated and not self.bad

    def cells(self) -> tuple[str, ...]:
        counts = [str(sum(getattr(verdict, name) for verdict in self.bad)) for name in COUNTS]
        broken = str(sum(1 for verdict in self.bad if verdict.broken))
        slowest = "-" if self.slowest_ms is None else f"{self.slowest_ms / 1000:.1f} s"
        return (self.tier, self.kind, str(self.enumerated), str(self.run), *counts, broken, slowest)


class Table:
    """`plan`: {tier: {kind: case names}}, what must be run."""

    def __init__(self, plan: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self._rows = {
            (tier, kind): Row(tier, kind, len(names))
            for tier, kinds in plan.items()
            for kind, names in kinds.items()
        }
        self._left = {name for kinds in plan.values() for names in kinds.values() for name in names}
        # Verdicts on cases that nobody asked for, or on one twice: the count must not hide a gap.
        self.unasked: list[Verdict] = []

    def take(self, verdict: Verdict) -> None:
        """One verdict of a tier."""
        row = self._rows.get((verdict.tier, verdict.kind))
        if row is None or verdict.case not in self._left:
            self.unasked.append(verdict)
            return
        self._left.discard(verdict.case)
        row.take(verdict)

    @property
    def good(self) -> bool:
        """Nothing was lost, and run equals enumerated."""
        return not self.unasked and bool(self._rows) and all(row.good for row in self._rows.values())

    @property
    def enumerated(self) -> int:
        return sum(row.enumerated for row in self._rows.values())

    @property
    def run(self) -> int:
        return sum(row.run for row in self._rows.values())

    @property
    def bad(self) -> list[Verdict]:
        """What is not good, in the order of the table."""
        return [verdict for row in self._rows.values() for verdict in row.bad] + self.unasked

    def lines(self) -> list[str]:
        """For people."""
        rows = [_HEAD, *(row.cells() for row in self._rows.values()), self._total()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        found = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
        found.insert(-1, "-" * len(found[0]))
        return found + self._words()

    def _total(self) -> tuple[str, ...]:
        cells = [row.cells() for row in self._rows.values()]
        sums = [str(sum(int(row[column]) for row in cells)) for column in range(2, len(_HEAD) - 1)]
        slowest = max((row.slowest_ms or 0 for row in self._rows.values()), default=0)
        return ("", "all", *sums, f"{slowest / 1000:.1f} s")

    def _words(self) -> list[str]:
        bad = self.bad
        found = [f"  {one.case}: {said(one)}" for one in bad[:SHOWN_MAX]]
        if len(bad) > SHOWN_MAX:
            found.append(f"  and {len(bad) - SHOWN_MAX} more")
        if bad:
            found.insert(0, f"{len(bad)} cases are not good; run one again with make torture CASE=NAME:")
        if self._left:
            some = ", ".join(sorted(self._left)[:5])
            found.append(f"{len(self._left)} of {self.enumerated} enumerated cases were not run: {some}")
        return found


def _aligned(row: Iterable[str], widths: Sequence[int]) -> list[str]:
    words = 2
    return [
        cell.ljust(width) if column < words else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def said(verdict: Verdict) -> str:
    """What is not good about it."""
    counts = [f"{name.replace('_', ' ')} {getattr(verdict, name)}" for name in COUNTS if getattr(verdict, name)]
    words = [word for word in (verdict.why, verdict.broken) if word]
    return "; ".join([*counts, *words]) or "nobody asked for it"
