"""Instructions and cycles of a run, from qemu's log of it.

qemu translates a block of instructions once and tells which, and then each time that it runs one; so a block's cost is
reckoned once for each block that follows it, and multiplied. Instructions are exact. Cycles are a model of the LX7's
pipeline out of fast memory: 1 an instruction, 2 more for a branch, jump, call or return that is taken, 1 more for an
instruction that needs what the one before it loads. It was never compared with a chip: take it as +-30 %.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from device_code.runtime_table import COSTS_CYCLES

TAKEN_CYCLES = 2
LOAD_USE_CYCLES = 1
# [cs_base/pc/flags/cflags]: the same code may be translated anew for other flags.
_RUN = re.compile(rb"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-fx/]+)\]", re.MULTILINE)
_BLOCK = b"----------------\n"
_BLOCK_END = b"\n\n"
_REGISTER = re.compile(r"\ba\d+\b")
_LOADS = frozenset("l8ui l16ui l16si l32i l32i.n l32r".split())
# What reads its first operand, too.
_READS_FIRST = re.compile(r"s\d+i|b|ss[lra]|call|j|ret|mov(eqz|nez|ltz|gez)|loop|wsr|wur")


@dataclass
class Count:
    """Of one kernel: calls of it, instructions, cycles with those of the runtime, and what it called of the runtime."""

    calls: int = 0
    instructions: int = 0
    cycles: int = 0
    runtime: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Count) -> Count:
        return Count(
            self.calls + other.calls,
            self.instructions + other.instructions,
            self.cycles + other.cycles,
            self.runtime + other.runtime,
        )


@dataclass(frozen=True)
class _Instruction:
    address: int
    end: int
    loads: str
    reads: frozenset[str]
    jumps_to: int


@dataclass(frozen=True)
class _Block:
    instructions: tuple[_Instruction, ...]
    # the address behind it
    end: int


class Trace:
    """Takes qemu's log in pieces and counts what was run after what."""

    def __init__(self) -> None:
        self._rest = b""
        self._last: bytes | None = None
        self._pairs: Counter[tuple[bytes | None, bytes]] = Counter()
        self._blocks: dict[bytes, _Block] = {}
        self._read: dict[int, _Block] = {}

    def feed(self, chunk: bytes) -> None:
        """The next piece of the log."""
        data = self._rest + chunk
        whole = data.rfind(b"\n") + 1
        # The instructions of a block end with an empty line.
        begun = data.rfind(_BLOCK, 0, whole)
        if begun >= 0 and data.find(_BLOCK_END, begun, whole) < 0:
            whole = begun
        data, self._rest = data[:whole], data[whole:]
        runs, *blocks = data.split(_BLOCK)
        self._ran(_RUN.findall(runs))
        for block in blocks:
            listing, _, runs = block.partition(_BLOCK_END)
            self._translated(listing)
            self._ran(_RUN.findall(runs))

    def counts(self, kernels: Mapping[str, tuple[int, int]], routines: Mapping[int, str]) -> dict[str, Count]:
        """What each kernel took, by the addresses of their code and those of the runtime's routines."""
        starts = sorted((first, last, name) for name, (first, last) in kernels.items())
        counts: dict[str, Count] = {}
        after: Counter[bytes] = Counter()
        for (block, following), times in self._pairs.items():
            if block is not None:
                after[block] += times
                self._add(block, following, times, starts, routines, counts)
        # The last block of all is followed by nothing.
        if self._last is not None:
            self._add(self._last, None, 1, starts, routines, counts)
        return counts

    def _add(
        self,
        key: bytes,
        following: bytes | None,
        times: int,
        starts: list[tuple[int, int, str]],
        routines: Mapping[int, str],
        counts: dict[str, Count],
    ) -> None:
        address = _address(key)
        at = bisect.bisect(starts, (address + 1,)) - 1
        if at < 0 or address > starts[at][1]:
            return
        first, _, name = starts[at]
        count = counts.setdefault(name, Count())
        instructions, cycles = self._cost(self._blocks[key], following)
        count.calls += times * (address == first)
        count.instructions += times * instructions
        count.cycles += times * cycles
        routine = routines.get(_address(following)) if following else None
        if routine:
            count.runtime[routine] += times
            count.cycles += times * COSTS_CYCLES[routine]

    def _cost(self, block: _Block, following: bytes | None) -> tuple[int, int]:
        """Instructions and cycles of a block that another follows."""
        run = block.instructions
        to = _address(following) if following else None
        addresses = [instruction.address for instruction in run]
        # What interrupts a block (a window of registers that must be saved) goes on in its middle.
        if to in addresses[1:] and run[-1].jumps_to != to:
            run = run[: addresses.index(to)]
            taken = False
        else:
            taken = to is not None and to != block.end
        waits = sum(before.loads in after.reads for before, after in pairwise(run))
        if following and not taken and run[-1].loads:
            waits += run[-1].loads in self._blocks[following].instructions[0].reads
        return len(run), len(run) + TAKEN_CYCLES * taken + LOAD_USE_CYCLES * waits

    def _translated(self, listing: bytes) -> None:
        run = tuple(_instruction(line) for line in listing.splitlines() if line.startswith(b"0x"))
        if run:
            self._read[run[0].address] = _Block(run, run[-1].end)

    def _ran(self, keys: list[bytes]) -> None:
        if not keys:
            return
        for key in set(keys) - self._blocks.keys():
            self._blocks[key] = self._read[_address(key)]
        self._pairs.update(zip([self._last, *keys], keys, strict=False))
        self._last = keys[-1]


def _address(key: bytes) -> int:
    return int(key.partition(b"/")[0], 16)


@functools.lru_cache(maxsize=1 << 16)
def _instruction(line: bytes) -> _Instruction:
    at, _, text = line.decode().partition(":")
    name, _, operands = text.strip().partition("\t")
    name, address = name.strip(), int(at, 16)
    registers = _REGISTER.findall(operands)
    loads = registers[0] if name in _LOADS else ""
    reads = registers if _READS_FIRST.match(name) else registers[1:]
    target = re.search(r"0x([0-9a-f]+)$", operands.strip())
    branches = target is not None and name not in _LOADS
    end = address + (2 if name.endswith(".n") else 3)
    return _Instruction(address, end, loads, frozenset(reads), int(target[1], 16) if target and branches else 0)
