"""Checks and counts the cases: the rows of `make cycles`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from device_code.cases import Case, Kernel, Whole
from device_code.costs import Count
from device_code.device import Device
from device_code.find import Found
from device_code.meaning import Meaning
from device_code.record import BYTECODE_CYCLES, Recorder, checked, checked_inputs

FAST_HZ = 240_000_000
SLOW_HZ = 80_000_000
SEED = 1


@dataclass(frozen=True)
class Row:
    """One line: instructions and cycles of one unit, and how many calls were compared."""

    case: Case
    instructions: float
    cycles: float
    code_bytes: int
    compared: int
    bytecodes: float = 0

    @property
    def over(self) -> bool:
        """More than its budget."""
        return self.cycles > self.case.budget

    def share(self, hertz: int) -> str:
        """Of a core at that clock: per cent where there is a rate, else how long one takes."""
        if self.case.per_second is None:
            return f"{1000 * self.cycles / hertz:.3g} ms"
        return f"{100 * self.cycles * self.case.per_second / hertz:.2f} %"


def without_case(found: Iterable[Found], cases: Iterable[Case]) -> list[Found]:
    """Viper functions that no case is for."""
    named = {case.name for case in cases}
    return [kernel for kernel in found if kernel.name not in named]


def row(case: Case, samples: int, seed: int = SEED) -> Row:
    """Compares `samples` calls of a kernel, or all of a whole thing, and counts. Raises as `checked` does."""
    return _kernel(case, samples, seed) if isinstance(case, Kernel) else _whole(case, seed)


def _kernel(case: Kernel, samples: int, seed: int) -> Row:
    meaning = Meaning()
    device = Device(meaning, [_module(meaning, case.name)])
    inputs = list(islice(case.inputs(Random(seed), meaning), samples))
    count = _total(checked_inputs(meaning, device, case.name, inputs[:1], count=True).values())
    checked_inputs(meaning, device, case.name, inputs[1:])
    cost = (count.instructions / case.units, count.cycles / case.units)
    return Row(case, *cost, device.code_bytes[case.name], len(inputs))


def _whole(case: Whole, seed: int) -> Row:
    recorder = Recorder()
    meaning = Meaning(wrap=recorder.wrap)
    instructions = cycles = bytecodes = 0.0
    compared = 0
    for times, action in case.parts(Random(seed), meaning):
        recorder.calls.clear()
        recorder.bytecodes = 0
        with recorder.on(bytecodes=case.bytecodes):
            action()
        device = Device(meaning, sorted({_module(meaning, call.kernel) for call in recorder.calls}))
        count = _total(checked(device, recorder.calls, count=True).values())
        instructions += times * count.instructions
        cycles += times * (count.cycles + BYTECODE_CYCLES * recorder.bytecodes)
        bytecodes += times * recorder.bytecodes
        compared += len(recorder.calls)
    return Row(case, instructions / case.units, cycles / case.units, 0, compared, bytecodes / case.units)


def _total(counts: Iterable[Count]) -> Count:
    return sum(counts, Count())


def _prefixes(name: str) -> list[str]:
    """What of a dotted name may be its module, longest first."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]


def _module(meaning: Meaning, name: str) -> str:
    return next(module for module in _prefixes(name) if meaning.path(module) is not None)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, right-aligned numbers."""
    head = ("", "of one", "instructions", "cycles", "budget", "240 MHz", "80 MHz", "code", "compared")
    lines = [head]
    for one in rows:
        case = one.case
        name = case.name + (f" ({one.bytecodes:.0f} bytecodes)" if one.bytecodes else "")
        code = f"{one.code_bytes:,} B" if one.code_bytes else ""
        budget = f"{case.budget:,}" + (" !" if one.over else "")
        shares = (one.share(FAST_HZ), one.share(SLOW_HZ))
        numbers = (_number(one.instructions), _number(one.cycles), budget, *shares, code, f"{one.compared:,}")
        lines.append((name, case.unit, *numbers))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _number(value: float) -> str:
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"
