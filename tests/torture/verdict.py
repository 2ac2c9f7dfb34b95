"""What a case of the torture came to. The three tiers give these, the table adds them up."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# The oracle's counts of what must not be, by the names of their fields.
COUNTS = ("clips_lost", "run_twice", "notices_lost", "notices_doubled", "wrong_data")


@dataclass(frozen=True)
class Verdict:
    """One case that was run. `case` names it so that it can be run again alone: `make torture CASE=...`.

    The counts are the oracle's, by what the simulated person felt, the digest of what was received and
    the agent's own ledger. `broken` is a sentence on anything else that must not be: a crash, a pin that
    never came to rest, memory past its bound, a point that was not reached. `why` is what the counts were
    counted by. `recovery_ms` is the time from the end of the fault until everything was where it belongs.
    """

    tier: str
    kind: str
    case: str
    clips_lost: int = 0
    run_twice: int = 0
    notices_lost: int = 0
    notices_doubled: int = 0
    wrong_data: int = 0
    broken: str = ""
    why: str = ""
    recovery_ms: int | None = None

    @property
    def good(self) -> bool:
        """Nothing was lost, doubled or broken."""
        return not any(getattr(self, name) for name in COUNTS) and not self.broken


class Tier(Protocol):
    """A tier lists its cases by a dry run, and runs those that it is given.

    `cases`: {kind: names}, in an order that does not change; `n` scales what is drawn by `seed` and leaves
    alone what is enumerated. `kind_of` a case that its name alone says all about, else "": that one needs no dry
    run. `run` yields one verdict for each name, in any order; a case that could not be run yields one with
    `broken`. Closed early, it ends what it started.
    """

    name: str

    def cases(self, n: int, seed: int) -> Mapping[str, Sequence[str]]: ...

    def kind_of(self, name: str) -> str: ...

    def run(self, names: Sequence[str], *, workers: int) -> Generator[Verdict, None, None]: ...
