"""Checks and counts the cases: the rows of `make cycles`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from random import Random

from device_code.cases import Case, Kernel, Whole, covered
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
    """One line: instructions and cycles of one unit, how many bytecodes are in that, and how many calls were compared.
    """

    name: str
    unit: str
    per_second: float | None
    budget: int
    instructions: float
    cycles: float
    compared: int
    code_bytes: int = 0
    bytecodes: float = 0

    @property
    def problem(self) -> str:
        """What is wrong with it, or nothing."""
        if not self.compared:
            return f"{self.name}: its case never calls it"
        if self.cycles > self.budget:
            return f"{self.name}: {self.cycles:,.0f} cycles, its budget is {self.budget:,}"
        return ""

    def share(self, hertz: int) -> str:
        """Of a core at that clock: per cent where there is a rate, else how long one takes."""
        if self.per_second is None:
            return f"{1000 * self.cycles / hertz:.3g} ms"
        return f"{100 * self.cycles * self.per_second / hertz:.2f} %"


def without_case(found: Iterable[Found], cases: Iterable[Case]) -> list[Found]:
    """Viper functions that no case is for."""
    names = covered(cases)
    return [kernel for kernel in found if kernel.name not in names]


def row(case: Case, samples: int, seed: int = SEED) -> Row:
    """The first of its rows."""
    return rows(case, samples, seed)[0]


def rows(case: Case, samples: int, seed: int = SEED) -> list[Row]:
    """Compares `samples` calls of a kernel, or all of a whole thing, and counts. Raises as `checked` does."""
    return [_kernel(case, samples, seed)] if isinstance(case, Kernel) else _whole(case, seed)


def _kernel(case: Kernel, samples: int, seed: int) -> Row:
    meaning = Meaning(strict=case.strict)
    meaning.module(_module(meaning, case.name))
    device = _device(meaning)
    inputs = list(islice(case.inputs(Random(seed), meaning), samples))
    count = sum(checked_inputs(meaning, device, case.name, inputs[:1], count=True).values(), Count())
    checked_inputs(meaning, device, case.name, inputs[1:])
    cost = (count.instructions / case.units, count.cycles / case.units)
    head = (case.name, case.unit, case.per_second, case.budget)
    return Row(*head, *cost, len(inputs), device.code_bytes[case.name])


def _whole(case: Whole, seed: int) -> list[Row]:
    recorder = Recorder()
    meaning = Meaning(wrap=recorder.wrap, strict=case.strict)
    compared: Counter[str] = Counter()
    code_bytes: dict[str, int] = {}
    # In all, and by kernel: instructions and cycles of one unit.
    total = [0.0, 0.0]
    spent = {name: [0.0, 0.0] for name in case.kernels}
    bytecodes = dearest = 0.0
    for times, action in case.parts(Random(seed), meaning):
        recorder.forget()
        with recorder.on(bytecodes=case.bytecodes and times > 0):
            action()
        device = _device(meaning)
        code_bytes |= device.code_bytes
        counts = checked(device, recorder.calls, count=times > 0)
        # Of kernels that others call, only the count knows.
        compared.update({name: count.calls for name, count in counts.items()})
        if not counts:
            compared.update(call.kernel for call in recorder.calls)
        for name, count in counts.items():
            for sums in (total, spent.setdefault(name, [0.0, 0.0])):
                sums[0] += times * count.instructions / case.units
                sums[1] += times * count.cycles / case.units
        python = BYTECODE_CYCLES * recorder.bytecodes
        total[1] += times * python / case.units
        bytecodes += times * recorder.bytecodes / case.units
        if times:
            cycles = (sum(count.cycles for count in counts.values()) + python) / case.units
            dearest = max(dearest, cycles)
    row = partial(Row, unit=case.unit, per_second=case.per_second)
    everything = partial(row, budget=case.budget, compared=compared.total())
    found = [everything(case.name, instructions=total[0], cycles=total[1], bytecodes=bytecodes)]
    if case.each:
        found.append(everything(f"{case.name}: the dearest", instructions=0, cycles=dearest))
    for name, budget in case.kernels.items():
        instructions, cycles = spent[name]
        own = row(name, budget=budget, compared=compared[name], instructions=instructions, cycles=cycles)
        found.append(replace(own, code_bytes=code_bytes.get(name, 0)))
    return found


def _device(meaning: Meaning) -> Device:
    """With all kernels that were loaded: they may call each other."""
    return Device(meaning, sorted({_module(meaning, name) for name in meaning.kernels}))


def _module(meaning: Meaning, name: str) -> str:
    """The module of a dotted name: the longest that there is."""
    parts = name.split(".")
    names = (".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1))
    return next(name for name in names if meaning.path(name) is not None)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, right-aligned numbers."""
    head = ("", "of one", "instructions", "cycles", "budget", "240 MHz", "80 MHz", "code", "compared")
    lines = [head]
    for one in rows:
        name = one.name + (f" ({one.bytecodes:,.0f} bytecodes)" if one.bytecodes else "")
        code = f"{one.code_bytes:,} B" if one.code_bytes else ""
        budget = f"{one.budget:,}" + (" !" if one.problem else "")
        shares = (one.share(FAST_HZ), one.share(SLOW_HZ))
        instructions = _number(one.instructions) if one.instructions else ""
        numbers = (instructions, _number(one.cycles), budget, *shares, code, f"{one.compared:,}")
        lines.append((name, one.unit, *numbers))
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
