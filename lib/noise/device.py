"""The suite of a pin: machine code, and buffers that a cipher or a ladder makes once and keeps.

A cipher holds 420 bytes of heap, a ladder 620. Slices, tuples and large integers are avoided: a record allocates
nothing.
"""

import struct
from array import array

from micropython import const

from noise import suite
from noise.cipher_kernels import MAC_BYTES, absorb, crypt, end
from noise.curve_kernels import NUMBERS_BYTES, run

_LIMBS = const(20)
_LIMB = const((1 << 13) - 1)
# Numbers of the ladder, by their first limb, with the names of RFC 7748; B is the number behind A, then the constant.
_X1 = const(0)
_X2 = const(20)
_Z2 = const(40)
_X3 = const(60)
_Z3 = const(80)
_A = const(100)
_A24 = const(140)
# One bit of the scalar, as `run` reads it.
_LADDER = (
    b"\x01\x64\x14\x28"  # A = x2 + z2
    b"\x02\x78\x14\x28"  # B = x2 - z2
    b"\x01\x14\x3c\x50"  # C = x3 + z3, in x2
    b"\x02\x28\x3c\x50"  # D = x3 - z3, in z2
    b"\x00\x28\x28\x64"  # DA
    b"\x00\x14\x14\x78"  # CB
    b"\x01\x3c\x28\x14"
    b"\x00\x3c\x3c\x3c"  # x3 = (DA + CB) ** 2
    b"\x02\x50\x28\x14"
    b"\x00\x50\x50\x50"
    b"\x00\x50\x50\x00"  # z3 = x1 (DA - CB) ** 2
    b"\x00\x64\x64\x64"  # AA
    b"\x00\x78\x78\x78"  # BB
    b"\x00\x14\x64\x78"  # x2 = AA BB
    b"\x02\x78\x64\x78"  # E = AA - BB
    b"\x00\x28\x78\x8c"
    b"\x01\x64\x64\x28"
    b"\x00\x28\x78\x64"  # z2 = E (AA + a24 E)
)
_LADDER_COUNT = const(18)
# One bit of the exponent that inverts z2; at the end x2 times that.
_INVERT = b"\x00\x64\x64\x64\x00\x64\x64\x28\x00\x14\x14\x64"
# 2.1 ms of machine code
_BITS_A_STEP = const(4)


class Cipher:
    """As suite.Cipher."""

    def __init__(self, key: "bytes | bytearray") -> None:
        suite.check_key(key)
        self._state = bytearray(64)
        self._state[:16] = b"expand 32-byte k"
        self._state[16:48] = key
        self._stream = bytearray(64)
        self._mac = bytearray(MAC_BYTES)
        # the one-time key of the tag; behind it the two lengths
        self._once = bytearray(64)

    def seal(self, nonce: int, ad, buffer: "bytearray | memoryview", start: int, length: int) -> None:
        """As suite.Cipher.seal."""
        suite.check_room(nonce, buffer, start, length)
        self._begin(nonce, ad)
        crypt(0, 0, self._state, self._stream, buffer, start, length)
        self._end(ad, buffer, start, length, 0)

    def open(self, nonce: int, ad, buffer: "bytearray | memoryview", start: int, length: int) -> bool:
        """As suite.Cipher.open."""
        suite.check_room(nonce, buffer, start, length)
        self._begin(nonce, ad)
        if self._end(ad, buffer, start, length, 1):
            return False
        crypt(0, 0, self._state, self._stream, buffer, start, length)
        return True

    def wipe(self) -> None:
        """As suite.Cipher.wipe."""
        for buffer in (self._state, self._stream, self._once, self._mac):
            suite.wipe(buffer)

    def _begin(self, nonce, ad):
        # Nothing of a cipher that was wiped is left but zeros: a key that everybody knows.
        if not self._state[0]:
            raise ValueError(suite.WIPED)
        # Block 0 is the key of the tag; the text begins with block 1.
        once = self._once
        struct.pack_into("<QQ", self._state, 48, 0, nonce)
        crypt(0, 0, self._state, once, once, 0, 0)
        absorb(0, 0, self._mac, once, 0, 16, 0)
        absorb(0, 0, self._mac, ad, 0, len(ad), 1)

    def _end(self, ad, buffer, start, length, compare):
        once = self._once
        absorb(0, 0, self._mac, buffer, start, length, 1)
        struct.pack_into("<QQ", once, 32, len(ad), length)
        absorb(0, 0, self._mac, once, 32, 16, 1)
        return end(0, 0, self._mac, once, buffer, start + length, compare)


class Ladder:
    """As suite.Ladder."""

    def __init__(self, scalar: "bytes | bytearray", u: "bytes | bytearray") -> None:
        suite.check_key(scalar)
        suite.check_key(u)
        self._scalar = bytearray(scalar)
        self._scalar[0] &= 248
        # bit 255 is never read
        self._scalar[31] |= 64
        self._numbers = numbers = array("H", bytes(NUMBERS_BYTES))
        self._columns = bytearray(4 * _LIMBS)
        number = int.from_bytes(u, "little")
        for i in range(_LIMBS):
            numbers[_X1 + i] = numbers[_X3 + i] = number & _LIMB
            number >>= 13
        numbers[_X1 + 19] = numbers[_X3 + 19] = numbers[_X1 + 19] & 0xFF
        numbers[_X2] = numbers[_Z3] = 1
        numbers[_A24] = 121665 & _LIMB
        numbers[_A24 + 1] = 121665 >> 13
        self._swapped = 0
        # of the scalar, then, 4 times as fast, of the exponent 2 ** 255 - 21
        self._bit = 254
        self._inverting = 0

    def step(self) -> bool:
        """As suite.Ladder.step: 4 bits of the scalar, or 16 of the inversion."""
        for _ in range(_BITS_A_STEP << self._inverting):
            bit = self._bit
            if bit < 0:
                return True
            self._bit = bit - 1
            if self._inverting:
                # to the square; times z2 where the exponent has a one; at the end times x2
                self._run(0, _INVERT, 1 if bit in (2, 4) else 2 if bit else 3)
                continue
            swap = self._scalar[bit >> 3] >> (bit & 7) & 1
            self._run(self._swapped ^ swap, _LADDER, _LADDER_COUNT)
            self._swapped = swap
            if bit == 0:
                self._run(swap, _LADDER, 0)
                for i in range(_LIMBS):
                    self._numbers[_A + i] = self._numbers[_Z2 + i]
                self._inverting = 2
                self._bit = 253
                break
        return self._bit < 0

    def result(self) -> "bytes | None":
        """As suite.Ladder.result."""
        while not self.step():
            pass
        shared = self._reduced()
        self.wipe()
        return shared

    def wipe(self) -> None:
        """As suite.Ladder.wipe."""
        self._bit = -1
        suite.wipe(self._scalar)
        suite.wipe(self._columns)
        self._numbers[:] = array("H", bytes(NUMBERS_BYTES))

    def _run(self, swap, program, count):
        run(0, 0, self._numbers, self._columns, swap, program, count)

    def _reduced(self):
        numbers = self._numbers
        # The number plus 19 reaches 2 ** 255 where it is not below the modulus.
        carry = 19
        for i in range(19):
            carry = carry + numbers[_X2 + i] >> 13
        carry = 19 * (carry + numbers[_X2 + 19] >> 8)
        out = bytearray(suite.KEY_BYTES)
        rest = bits = at = some = 0
        for i in range(_LIMBS):
            carry += numbers[_X2 + i]
            rest |= (carry & _LIMB) << bits
            carry >>= 13
            bits += 13
            while bits >= 8:
                out[at] = rest & 0xFF
                rest >>= 8
                bits -= 8
                at += 1
        out[31] &= 0x7F
        for byte in out:
            some |= byte
        return bytes(out) if some else None
