"""What each kernel is checked and counted with, how often it is needed, and what it may cost.

One case a kernel: a new viper function has none, and `make cycles` fails until it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from device_code.device import Arguments
from device_code.meaning import Meaning

Inputs = Callable[[Random, Meaning], Iterator[Arguments]]
Parts = Callable[[Random, Meaning], Iterable[tuple[float, Callable[[], object]]]]


@dataclass(frozen=True)
class Kernel:
    """A kernel by its dotted name.

    `inputs` yields arguments: first those that are counted, a usual call and the dearest of that kind, then extremes,
    then as many others as are asked for. That call does `units` of what `unit` names; `budget` is the cycles of one of
    them at the most, and `per_second` how many a second are needed (None: it is not a matter of rate). With
    `strict` no more than 32 bits may ever decide (see meaning.py).
    """

    name: str
    unit: str
    units: float
    per_second: float | None
    budget: int
    inputs: Inputs
    strict: bool = False


@dataclass(frozen=True)
class Whole:
    """Something that the pin does with kernels, counted with all of them.

    `parts` makes what is needed, and gives actions with how often each is done (0: it is compared and not counted);
    their kernels' cycles are added up. With `bytecodes` those of the plain Python between them are, too, and with
    `each` no action that is counted may be over the budget; `strict` as above. `kernels` are those of this thing alone,
    by their dotted names, and the cycles that one unit may spend in them.
    """

    name: str
    unit: str
    units: float
    per_second: float | None
    budget: int
    parts: Parts
    bytecodes: bool = False
    each: bool = False
    strict: bool = False
    kernels: Mapping[str, int] = field(default_factory=dict)


Case = Kernel | Whole


def covered(cases: Iterable[Case]) -> set[str]:
    """The dotted names of the kernels that these cases are for."""
    names: set[str] = set()
    for case in cases:
        names |= {case.name} if isinstance(case, Kernel) else set(case.kernels)
    return names


def cases() -> list[Case]:
    """Those of all libraries."""
    from device_code.cases import audio, noise, opus

    return [*audio.CASES, *noise.CASES, *opus.CASES]
