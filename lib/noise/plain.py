"""The suite in plain Python, as its RFCs tell it: the reference for the other two. Slow, and not constant in time."""

import struct

from noise import suite

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_P25519 = (1 << 255) - 19
_P1305 = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_WORD = 0xFFFFFFFF
_QUARTERS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
_BITS_A_STEP = 8


def chacha20_block(key: "bytes | bytearray", counter: int, nonce: bytes) -> bytes:
    """64 B of key stream: a key of 32 B, a counter of 32 bits, a nonce of 12 B (RFC 8439, 2.3)."""
    start = list(struct.unpack("<16I", b"expand 32-byte k" + bytes(key) + struct.pack("<I", counter) + bytes(nonce)))
    state = start[:]
    for _ in range(10):
        for a, b, c, d in _QUARTERS:
            for add, to, shift in ((a, d, 16), (c, b, 12), (a, d, 8), (c, b, 7)):
                # a += b, d ^= a, d <<<= 16, and so on: what is added is what was turned last
                state[add] = state[add] + state[b if add == a else d] & _WORD
                mixed = state[to] ^ state[add]
                state[to] = (mixed << shift | mixed >> 32 - shift) & _WORD
    return struct.pack("<16I", *[one + other & _WORD for one, other in zip(start, state)])


def chacha20(key: "bytes | bytearray", counter: int, nonce: bytes, data: "Buffer") -> bytes:
    """`data` with the key stream that begins with block `counter` (2.4)."""
    out = bytearray(data)
    for at in range(0, len(out), 64):
        stream = chacha20_block(key, counter + at // 64, nonce)
        for i in range(at, min(at + 64, len(out))):
            out[i] ^= stream[i - at]
    return bytes(out)


def poly1305(key: bytes, message: bytes) -> bytes:
    """The tag of 16 B under a one-time key of 32 B (2.5)."""
    r = int.from_bytes(key[:16], "little") & _CLAMP
    tag = 0
    for at in range(0, len(message), 16):
        tag = (tag + int.from_bytes(bytes(message[at : at + 16]) + b"\1", "little")) * r % _P1305
    tag += int.from_bytes(key[16:32], "little")
    return (tag & (1 << 128) - 1).to_bytes(16, "little")


def aead_tag(key: "bytes | bytearray", nonce: bytes, ad: "Buffer", text: "Buffer") -> bytes:
    """The tag over what is sealed with it and the encrypted text (2.8)."""
    whole = bytes(ad) + bytes(-len(ad) % 16) + bytes(text) + bytes(-len(text) % 16)
    return poly1305(chacha20_block(key, 0, nonce)[:32], whole + struct.pack("<QQ", len(ad), len(text)))


def x25519(scalar: "bytes | bytearray", u: "bytes | bytearray") -> bytes:
    """The u coordinate of scalar times the point u, each of 32 B (RFC 7748, 5)."""
    ladder = Ladder(scalar, u)
    while not ladder.step():
        pass
    return ladder.result() or bytes(32)


class Cipher:
    """As suite.Cipher."""

    def __init__(self, key: "bytes | bytearray") -> None:
        suite.check_key(key)
        self._key = bytearray(key)

    def seal(self, nonce: int, ad: "Buffer", buffer: "bytearray | memoryview", start: int, length: int) -> None:
        """As suite.Cipher.seal."""
        self._check(nonce, buffer, start, length)
        full, end = struct.pack("<IQ", 0, nonce), start + length
        buffer[start:end] = chacha20(self._key, 1, full, buffer[start:end])
        buffer[end : end + suite.TAG_BYTES] = aead_tag(self._key, full, ad, buffer[start:end])

    def open(self, nonce: int, ad: "Buffer", buffer: "bytearray | memoryview", start: int, length: int) -> bool:
        """As suite.Cipher.open."""
        self._check(nonce, buffer, start, length)
        full, end = struct.pack("<IQ", 0, nonce), start + length
        differs = 0
        for one, other in zip(aead_tag(self._key, full, ad, buffer[start:end]), buffer[end:]):
            differs |= one ^ other
        if differs:
            return False
        buffer[start:end] = chacha20(self._key, 1, full, buffer[start:end])
        return True

    def wipe(self) -> None:
        """As suite.Cipher.wipe."""
        suite.wipe(self._key)
        self._key = bytearray()

    def _check(self, nonce: int, buffer: "bytearray | memoryview", start: int, length: int) -> None:
        suite.check_room(nonce, buffer, start, length)
        if not self._key:
            raise ValueError(suite.WIPED)


class Ladder:
    """As suite.Ladder, with the names of RFC 7748."""

    def __init__(self, scalar: "bytes | bytearray", u: "bytes | bytearray") -> None:
        suite.check_key(scalar)
        suite.check_key(u)
        number = bytearray(scalar)
        number[0] &= 248
        number[31] = number[31] & 127 | 64
        self._k = int.from_bytes(number, "little")
        self._x1 = int.from_bytes(u, "little") & (1 << 255) - 1
        self._points = (1, 0, self._x1, 1)
        self._swapped = 0
        self._bit = 254

    def step(self) -> bool:
        """As suite.Ladder.step."""
        for _ in range(_BITS_A_STEP):
            if self._bit < 0:
                break
            self._once(self._k >> self._bit & 1)
            self._bit -= 1
        return self._bit < 0

    def result(self) -> "bytes | None":
        """As suite.Ladder.result."""
        while not self.step():
            pass
        x2, z2, _, _ = self._swap(self._points, self._swapped)
        shared = x2 * pow(z2, _P25519 - 2, _P25519) % _P25519
        self.wipe()
        return shared.to_bytes(32, "little") if shared else None

    def wipe(self) -> None:
        """As suite.Ladder.wipe."""
        self._k = 0
        self._points = (0, 0, 0, 0)
        self._bit = -1

    def _once(self, bit: int) -> None:
        x2, z2, x3, z3 = self._swap(self._points, self._swapped ^ bit)
        self._swapped = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a, b * b
        e = aa - bb
        da, cb = (x3 - z3) * a % _P25519, (x3 + z3) * b % _P25519
        self._points = (
            aa * bb % _P25519,
            e * (aa + 121665 * e) % _P25519,
            (da + cb) ** 2 % _P25519,
            self._x1 * (da - cb) ** 2 % _P25519,
        )

    @staticmethod
    def _swap(points: "tuple[int, int, int, int]", swap: int) -> "tuple[int, int, int, int]":
        return points[2:] + points[:2] if swap else points
