"""Lays a run out in memory: the code of some modules, what it refers to, calls and their buffers, as an ELF program.

All of it is one segment: qemu's user mode asks for no more. Around every buffer lie guard bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from device_code import runtime_table
from device_code.mpy import Module
from device_code.xtensa import Assembler

BASE = 0x400000
_HEADER_BYTES = 0x100
_MACHINE = 94
_PAGE_BYTES = 4096
GUARD = b"\xa5" * 32
# A name's number is 16 bits, and 0 is none.
_NAMES_FROM = 1
# Integers below are no objects of their own.
_SMALL = 1 << 30
_INT = 7


@dataclass(frozen=True)
class Name:
    """A global name, or an argument, that stands for a kernel: its dotted name."""

    kernel: str


@dataclass(frozen=True)
class Memory:
    """A global name, or an argument, that stands for a buffer: its number among the buffers."""

    buffer: int


# What an argument or a global may be.
Value = int | None | Name | Memory


@dataclass(frozen=True)
class Call:
    """A kernel by its dotted name, its arguments, and the type of its result, as in runtime_table."""

    kernel: str
    arguments: Sequence[Value]
    result: int = runtime_table.OBJECT


@dataclass(frozen=True)
class Image:
    """A program, and where in it things are."""

    elf: bytes
    # first and last address of each kernel's code, and the runtime's routines
    kernels: dict[str, tuple[int, int]]
    routines: dict[int, str]
    # What the program writes: a byte before each call; in the end a word for each result, then the buffers. Where in
    # that end they are, and how long it is.
    buffers_at: list[int]
    dump_bytes: int
    # of global names, by their number
    names: dict[int, str]


class _Memory:
    def __init__(self) -> None:
        self.data = bytearray()

    def put(self, data: bytes, align: int = 16) -> int:
        self.data.extend(bytes(-len(self.data) % align))
        self.data.extend(data)
        return BASE + _HEADER_BYTES + len(self.data) - len(data)

    def set(self, address: int, data: bytes) -> None:
        at = address - BASE - _HEADER_BYTES
        self.data[at : at + len(data)] = data


def built(
    modules: Mapping[str, Module], values: Mapping[str, Value], calls: Sequence[Call], buffers: Sequence[bytes]
) -> Image:
    """The program that makes these calls. `values` are those of global names, each as module.name."""
    memory = _Memory()
    # Code first, filled in when all addresses are known: its length is that of a first try.
    first = Assembler(BASE)
    runtime_table.write(first, runtime_table.Places())
    room = memory.put(bytes(len(first.finished())))
    names = {f"{module}.{name}" for module, read in modules.items() for name in read.names}
    numbers = {name: number for number, name in enumerate(sorted(names), _NAMES_FROM)}
    globals_at = memory.put(bytes(4 * (len(numbers) + _NAMES_FROM)))
    table_at = memory.put(bytes(4 * len(runtime_table.ENTRIES)))
    constants_at = [memory.put(struct.pack("<I", value), 4) for value in runtime_table.objects_of_constants()]
    cells_at = memory.put(bytes(runtime_table.CELLS_BYTES))
    kernels, functions = {}, {}
    for module, read in modules.items():
        context = _context(memory, module, read, numbers, table_at)
        for name, code in read.vipers().items():
            full = f"{module}.{name}"
            at = memory.put(code)
            kernels[full] = (at, at + len(code) - 1)
            functions[full] = memory.put(struct.pack("<4I", 0, context, 0, at))
    arguments_at = memory.put(bytes(4 * sum(len(call.arguments) for call in calls)))
    calls_at = memory.put(bytes(runtime_table.CALL_BYTES * (len(calls) + 1)))
    # From here on it is written out: on a page of its own, for what goes wrong with a pointer.
    dump_at = memory.put(bytes(4 * len(calls)), _PAGE_BYTES)
    buffers_at = []
    for buffer in buffers:
        memory.put(GUARD)
        buffers_at.append(memory.put(buffer))
        memory.put(GUARD + GUARD[: -len(buffer) % 16], 1)
    dump_bytes = BASE + _HEADER_BYTES + len(memory.data) - dump_at

    def object_(value: Value) -> int:
        if isinstance(value, Name):
            return functions[value.kernel]
        if isinstance(value, Memory):
            return buffers_at[value.buffer]
        if value is None:
            return constants_at[0]
        return 2 * value + 1 & 0xFFFFFFFF if -_SMALL <= value < _SMALL else _cell(memory, value)

    for name, value in values.items():
        if name in numbers:
            memory.set(globals_at + 4 * numbers[name], struct.pack("<I", object_(value)))
    at = arguments_at
    for number, call in enumerate(calls):
        words = [object_(value) for value in call.arguments]
        entry = (functions[call.kernel], len(words), at, kernels[call.kernel][0], dump_at + 4 * number, call.result)
        memory.set(calls_at + runtime_table.CALL_BYTES * number, struct.pack("<6I", *entry))
        memory.set(at, struct.pack(f"<{len(words)}I", *words))
        at += 4 * len(words)
    assembler = Assembler(room)
    places = runtime_table.Places(
        calls=calls_at,
        dump=dump_at,
        dump_bytes=dump_bytes,
        globals=globals_at,
        scratch=memory.put(bytes(8)),
        cells=cells_at,
        next_cell=memory.put(bytes(4)),
        values=(constants_at[0], constants_at[1], constants_at[2]),
    )
    table, routines = runtime_table.write(assembler, places)
    memory.set(room, assembler.finished())
    memory.set(table_at, struct.pack(f"<{len(table)}I", *table))
    return Image(
        elf=_elf(bytes(memory.data), assembler.address("start")),
        kernels=kernels,
        routines=routines,
        buffers_at=[at - dump_at for at in buffers_at],
        dump_bytes=dump_bytes,
        names={number: name for name, number in numbers.items()},
    )


def _context(memory: _Memory, module: str, read: Module, numbers: Mapping[str, int], table_at: int) -> int:
    """What a function object refers to for its module: the numbers of its names, and its constants."""
    names = [numbers[f"{module}.{name}"] for name in read.names]
    names_at = memory.put(struct.pack(f"<{len(names)}H", *names))
    objects = []
    for found in read.objects:
        if found is None:
            objects.append(table_at)
        else:
            # Texts and bytes are memory. What else there is but long integers, is nothing.
            kind, data = found
            is_number = kind == _INT and data.lstrip(b"-").isdigit()
            objects.append(_cell(memory, int(data)) if is_number else memory.put(data + bytes(4)))
    objects_at = memory.put(struct.pack(f"<{len(objects)}I", *objects))
    return memory.put(struct.pack("<4I", 0, 0, names_at, objects_at))


def _cell(memory: _Memory, value: int) -> int:
    """The address of a long integer: its low word."""
    return memory.put(struct.pack("<I", value & 0xFFFFFFFF), 4)


def _elf(data: bytes, start: int) -> bytes:
    """An ELF file for 32-bit little-endian Xtensa with one segment that may be read, written and executed."""
    size = _HEADER_BYTES + len(data)
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIIIIIHHHHHH", 2, _MACHINE, 1, start, 52, 0, 0x300, 52, 32, 1, 0, 0, 0)
    header += struct.pack("<8I", 1, 0, BASE, BASE, size, size + _PAGE_BYTES, 7, _PAGE_BYTES)
    return header.ljust(_HEADER_BYTES, b"\0") + data
