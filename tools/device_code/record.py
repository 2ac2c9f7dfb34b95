"""Every call of a kernel while plain Python runs: what it was given and what it made of it; and the same again on the
device's machine code.

So anything that the pin does on kernels is checked and counted as it is: a record sealed, a frame of sound encoded.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from device_code.costs import Count
from device_code.device import Arguments, Device
from device_code.image import GUARD
from device_code.meaning import FOLDERS, Kernel, Meaning

# Of a bytecode of MicroPython on the chip, with what it calls of the interpreter: an estimate, see README.md.
BYTECODE_CYCLES = 100
# Buffers of calls that are made in one go.
_BATCH_BYTES = 2 << 20
_FOLDERS = tuple(f"{folder}/" for folder in FOLDERS)


class Differs(Exception):
    """A kernel that gives something else on the device than its source means; the text is a sentence that names it."""


@dataclass(frozen=True)
class Call:
    """One call: copies of its arguments as it got them and as it left them (the same object twice is so in both), and
    what it returned."""

    kernel: str
    before: Arguments
    after: Arguments
    returned: Any


class Recorder:
    """Give `wrap` to a Meaning; what its kernels do while `on()` holds is in `calls`, and the bytecodes of what called
    them in `bytecodes`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.bytecodes = 0
        self._on = False
        self._depth = 0

    def wrap(self, name: str, kernel: Kernel) -> Kernel:
        """The kernel, watched."""

        def watched(*arguments: Any) -> Any:
            # What a kernel calls belongs to it.
            if not self._on or self._depth:
                return kernel(*arguments)
            before = copied(arguments)
            self._depth += 1
            try:
                returned = kernel(*arguments)
            finally:
                self._depth -= 1
            self.calls.append(Call(name, before, copied(arguments), returned))
            return returned

        watched.__wrapped__ = kernel.__wrapped__  # type: ignore[attr-defined]
        return watched

    def forget(self) -> None:
        """What was recorded."""
        self.calls.clear()
        self.bytecodes = 0

    @contextmanager
    def on(self, *, bytecodes: bool = False) -> Iterator[None]:
        """Watches; `bytecodes` counts those of CPython in modules of the app, without the kernels' (slow)."""
        before = sys.gettrace()
        self._on = True
        if bytecodes:
            sys.settrace(self._entered)
        try:
            yield
        finally:
            sys.settrace(before)
            self._on = False

    def _entered(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        if self._depth or not frame.f_code.co_filename.startswith(_FOLDERS):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._stepped

    def _stepped(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        self.bytecodes += event == "opcode"
        return self._stepped


def copied(arguments: Sequence[Any]) -> Arguments:
    """Copies of the buffers among them, numbers as they are; what was one object is one."""
    copies: dict[int, Any] = {}
    for argument in arguments:
        if isinstance(argument, array):
            copies[id(argument)] = argument[:]
        elif isinstance(argument, bytearray | memoryview):
            copies[id(argument)] = bytearray(memoryview(argument).cast("B"))
    return tuple(copies.get(id(argument), argument) for argument in arguments)


def checked(device: Device, calls: Sequence[Call], *, count: bool = False) -> dict[str, Count]:
    """Makes the calls on the device, each with its own memory, and compares, bit for bit. What they took, if asked for.

    Raises Differs, and what Device.run raises.
    """
    counts: dict[str, Count] = {}
    for batch in _batches(calls):
        given = [copied(call.before) for call in batch]
        run = device.run([(call.kernel, mine) for call, mine in zip(batch, given, strict=True)], count=count)
        for number, (call, mine, returned) in enumerate(zip(batch, given, run.returned, strict=True)):
            _compare(call, mine, returned, f"{call.kernel}, call {number + 1} of {len(batch)}")
        for name, one in run.counts.items():
            counts[name] = counts.get(name, Count()) + one
    return counts


def checked_inputs(
    meaning: Meaning, device: Device, kernel: str, inputs: Sequence[Arguments], *, count: bool = False
) -> dict[str, Count]:
    """As `checked`, for calls of one kernel with these arguments."""
    calls = []
    for arguments in inputs:
        before, after = copied(arguments), copied(arguments)
        returned = meaning.kernels[kernel](*after)
        calls.append(Call(kernel, before, after, returned))
    return checked(device, calls, count=count)


def _compare(call: Call, mine: Arguments, returned: int | None, where: str) -> None:
    if returned is not None and returned != call.returned:
        raise Differs(f"{where}: returns {returned} on the device, and {call.returned} is meant")
    for number, (got, meant) in enumerate(zip(mine, call.after, strict=True)):
        if isinstance(meant, int | None):
            continue
        one, other = bytes(memoryview(got).cast("B")), bytes(memoryview(meant).cast("B"))
        if one != other:
            at = next(at for at in range(len(one)) if one[at] != other[at])
            width = got.itemsize if isinstance(got, array) else 1
            raise Differs(
                f"{where}: element {at // width} of argument {number + 1} is {got[at // width]} on the device, and "
                f"{meant[at // width]} is meant"
            )


def _batches(calls: Sequence[Call]) -> Iterator[list[Call]]:
    batch: list[Call] = []
    size = 0
    for call in calls:
        batch.append(call)
        size += sum(memoryview(a).nbytes + 4 * len(GUARD) for a in call.before if not isinstance(a, int | None))
        if size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
