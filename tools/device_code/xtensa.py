"""A few instructions of the Xtensa processor, for the code around the kernels (Xtensa Instruction Set Architecture
Reference Manual, Cadence)."""

from __future__ import annotations

import struct

# What the assembler makes is smaller than what an instruction reaches.
_LITERALS = 64


class NotEncodable(Exception):
    """A number that an instruction has no room for; a mistake of this package."""


class Assembler:
    """Code at an address, with its literals before it and jumps to names."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._literals: dict[int, int] = {}
        self._code = bytearray()
        self._labels: dict[str, int] = {}
        self._jumps: list[tuple[int, str, int]] = []
        self._labelled: list[str] = []

    @property
    def here(self) -> int:
        """The address of the next instruction."""
        return self._address + 4 * _LITERALS + len(self._code)

    def finished(self) -> bytes:
        """Literals and code."""
        for at, name, base in self._jumps:
            distance = self._labels[name] - (self._address + 4 * _LITERALS + at) - 4
            # a jump has 18 bits of room, a branch 12
            bits, shift = (18, 6) if base & 0x3F == 0x06 else (12, 12)
            self._check(-(1 << bits - 1) <= distance < 1 << bits - 1)
            word = base | (distance & (1 << bits) - 1) << shift
            self._code[at : at + 3] = word.to_bytes(3, "little")
        words = [*self._literals, *[0] * (_LITERALS - len(self._literals) - len(self._labelled))]
        words += [self._labels[name] for name in self._labelled]
        return struct.pack(f"<{_LITERALS}I", *words) + bytes(self._code)

    def label(self, name: str) -> None:
        self._labels[name] = self.here

    def align(self) -> None:
        """To a multiple of 4 bytes."""
        self._code.extend(bytes(-len(self._code) % 4))

    def l32r(self, t: int, value: int) -> None:
        """A constant, from the literals."""
        self._l32r(t, self._literals.setdefault(value & 0xFFFFFFFF, len(self._literals)))

    def l32r_label(self, t: int, name: str) -> None:
        """The address of a label; one label in all has its place at the end of the literals."""
        self._check(self._labelled in ([], [name]))
        self._labelled = [name]
        self._l32r(t, _LITERALS - 1)

    def _l32r(self, t: int, number: int) -> None:
        self._check(number < _LITERALS)
        distance = (self._address + 4 * number - (self.here + 3 & ~3)) >> 2
        self._three(0x1 | t << 4 | (distance & 0xFFFF) << 8)

    def movi(self, t: int, value: int) -> None:
        self._check(-2048 <= value < 2048)
        self._three(0xA002 | t << 4 | (value >> 8 & 15) << 8 | (value & 0xFF) << 16)

    def l32i(self, t: int, s: int, offset: int) -> None:
        self._three(0x2002 | t << 4 | s << 8 | offset // 4 << 16)

    def s32i(self, t: int, s: int, offset: int) -> None:
        self._three(0x6002 | t << 4 | s << 8 | offset // 4 << 16)

    def addi(self, t: int, s: int, value: int) -> None:
        self._check(-128 <= value < 128)
        self._three(0xC002 | t << 4 | s << 8 | (value & 0xFF) << 16)

    def mov(self, t: int, s: int) -> None:
        self._rrr(0x20, t, s, s)

    def add(self, r: int, s: int, t: int) -> None:
        self._rrr(0x80, r, s, t)

    def addx4(self, r: int, s: int, t: int) -> None:
        """r = 4 s + t."""
        self._rrr(0xA0, r, s, t)

    def xor(self, r: int, s: int, t: int) -> None:
        self._rrr(0x30, r, s, t)

    def and_(self, r: int, s: int, t: int) -> None:
        self._rrr(0x10, r, s, t)

    def halve(self, r: int, t: int) -> None:
        """r = t >> 1, the sign kept (srai)."""
        self._rrr(0x21, r, 1, t)

    def quos(self, r: int, s: int, t: int) -> None:
        self._rrr(0xD2, r, s, t)

    def rems(self, r: int, s: int, t: int) -> None:
        self._rrr(0xF2, r, s, t)

    def callx8(self, s: int) -> None:
        self._three(0xE0 | s << 8)

    def entry(self, size_bytes: int) -> None:
        self._three(0x136 | size_bytes // 8 << 12)

    def retw(self) -> None:
        self._three(0x90)

    def system(self, number: int, argument: int) -> None:
        """A call of Linux with a small first argument; the others are in a3 and a4."""
        self.movi(2, number)
        self.movi(6, argument)
        self._three(0x5000)

    def address(self, name: str) -> int:
        """Where that label is."""
        return self._labels[name]

    def j(self, name: str) -> None:
        self._jump(0x06, name)

    def beqz(self, s: int, name: str) -> None:
        self._jump(0x16 | s << 8, name)

    def bgez(self, s: int, name: str) -> None:
        self._jump(0xD6 | s << 8, name)

    def _rrr(self, operation: int, r: int, s: int, t: int) -> None:
        """`operation`: op2, then op1, a digit each."""
        self._three(operation << 16 | r << 12 | s << 8 | t << 4)

    def _jump(self, base: int, name: str) -> None:
        self._jumps.append((len(self._code), name, base))
        self._three(0)

    def _three(self, word: int) -> None:
        self._code.extend((word & 0xFFFFFF).to_bytes(3, "little"))

    @staticmethod
    def _check(fits: bool) -> None:
        if not fits:
            raise NotEncodable
