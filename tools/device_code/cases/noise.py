"""The private session: records at the rate of ADPCM sound, and the two scalar multiplications of a handshake."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from random import Random

from device_code.cases import Case, Kernel, Whole
from device_code.device import Arguments
from device_code.meaning import Meaning

# The text of a record that fills one packet, 218 bytes of it sound: 8,000 a second.
TEXT_BYTES = 224
PER_SECOND = 8000 / 218
# A twentieth of a core at 240 MHz.
RECORD_CYCLES = 327_000
# One second at 240 MHz.
HANDSHAKE_CYCLES = 240_000_000
_LENGTHS = (0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 240)
_P = (1 << 255) - 19
_NUMBERS = (0, 1, 2, 18, 19, 20, _P - 2, _P - 1, _P, _P + 1, _P + 18, (1 << 255) - 1, 1 << 254)
_CIPHER = "noise.cipher_kernels"


def _any_bytes(random: Random, count: int) -> bytearray:
    kind = random.randrange(6)
    return bytearray(bytes(count) if kind == 0 else b"\xff" * count if kind == 1 else random.randbytes(count))


def _crypted(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    yield 0, 0, bytearray(random.randbytes(64)), bytearray(64), bytearray(TEXT_BYTES), 0, TEXT_BYTES
    stream = bytearray(64)
    yield 0, 0, bytearray(b"\xff" * 64), stream, stream, 0, 0
    while True:
        start, length = random.randrange(5), random.choice(_LENGTHS)
        yield 0, 0, _any_bytes(random, 64), bytearray(64), _any_bytes(random, start + length), start, length


def _begun(random: Random, meaning: Meaning) -> tuple[bytearray, bytearray]:
    """The state of a tag and the one-time key that it began with."""
    mac, key = bytearray(2 * 50), _any_bytes(random, 64)
    meaning.kernels[f"{_CIPHER}.absorb"](0, 0, mac, key, 0, 16, 0)
    return mac, key


def _absorbed(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    yield 0, 0, _begun(random, meaning)[0], bytearray(random.randbytes(TEXT_BYTES)), 0, TEXT_BYTES, 1
    for key in (bytes(32), b"\xff" * 32, random.randbytes(32)):
        yield 0, 0, bytearray(100), bytearray(key), 0, 16, 0
    while True:
        start, length = random.randrange(5), random.choice(_LENGTHS)
        yield 0, 0, _begun(random, meaning)[0], _any_bytes(random, start + length), start, length, 1


def _ended(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    absorb, end = meaning.kernels[f"{_CIPHER}.absorb"], meaning.kernels[f"{_CIPHER}.end"]
    while True:
        mac, key = _begun(random, meaning)
        absorb(0, 0, mac, _any_bytes(random, 33), 0, 33, 1)
        if random.getrandbits(1):
            # around the modulus: 2 ** 130 - 5 and what carries
            mac[2:22] = array("H", [random.choice((8191, 8190, 0, 8187)) for _ in range(10)]).tobytes()
        at = random.randrange(4)
        buffer = bytearray(24)
        yield 0, 0, mac[:], key, buffer[:], at, 0
        end(0, 0, mac[:], key, buffer, at, 0)
        yield 0, 0, mac[:], key, buffer[:], at, 1
        buffer[at + random.randrange(16)] ^= 1 << random.randrange(8)
        yield 0, 0, mac, key, buffer, at, 1


def _run(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    device = meaning.module("noise.device")
    yield 0, 0, _numbers(random), bytearray(80), 1, device._LADDER, device._LADDER_COUNT
    yield 0, 0, _numbers(random), bytearray(80), 0, device._INVERT, 3
    while True:
        operation = (random.randrange(3), *(20 * random.randrange(8) for _ in range(3)))
        yield 0, 0, _numbers(random), bytearray(80), random.getrandbits(1), bytes(operation), 1


def _numbers(random: Random) -> array[int]:
    limbs: list[int] = []
    for _ in range(10):
        kind = random.randrange(4)
        if kind == 0:
            # as large as limbs become
            limbs += [8191, 8192, *[8191] * 17, 255]
            continue
        number = random.choice(_NUMBERS) if kind == 1 else random.getrandbits(255)
        limbs += [number >> 13 * at & 0x1FFF for at in range(20)]
    return array("H", limbs)


def _sealed(random: Random, meaning: Meaning) -> Sequence[tuple[float, Callable[[], object]]]:
    cipher = meaning.module("noise.device").Cipher(random.randbytes(32))
    buffer = bytearray(2 + TEXT_BYTES + 16)
    return ((1, lambda: cipher.seal(7, b"", buffer, 2, TEXT_BYTES)),)


def _opened(random: Random, meaning: Meaning) -> Sequence[tuple[float, Callable[[], object]]]:
    cipher = meaning.module("noise.device").Cipher(random.randbytes(32))
    buffer = bytearray(2 + TEXT_BYTES + 16)
    cipher.seal(7, b"", buffer, 2, TEXT_BYTES)
    return ((1, lambda: cipher.open(7, b"", buffer, 2, TEXT_BYTES)),)


def _step(random: Random, meaning: Meaning) -> Sequence[tuple[float, Callable[[], object]]]:
    ladder = meaning.module("noise.device").Ladder(random.randbytes(32), random.randbytes(32))
    return ((1, ladder.step),)


def _handshake(random: Random, meaning: Meaning) -> Sequence[tuple[float, Callable[[], object]]]:
    device = meaning.module("noise.device")
    bits, inversion = (device.Ladder(random.randbytes(32), random.randbytes(32)) for _ in range(2))
    # No cost depends on the numbers: 4 bits of the scalar, and 16 of the inversion, stand for all of them.
    inversion._inverting, inversion._bit = 2, 253
    return ((2 * 255 / 4, bits.step), (2 * 254 / 16, inversion.step))


CASES: Sequence[Case] = (
    Kernel(f"{_CIPHER}.crypt", "record", 1, PER_SECOND, 105_000, _crypted),
    Kernel(f"{_CIPHER}.absorb", "record", 1, PER_SECOND, 87_000, _absorbed),
    Kernel(f"{_CIPHER}.end", "record", 1, PER_SECOND, 2_500, _ended),
    Kernel("noise.curve_kernels.run", "bit", 1, None, 133_000, _run),
    Whole("a record sealed", "record", 1, PER_SECOND, RECORD_CYCLES, _sealed),
    Whole("a record opened", "record", 1, PER_SECOND, RECORD_CYCLES, _opened),
    # 5 ms at 240 MHz, as noise.suite promises
    Whole("a step of the ladder", "step", 1, None, 1_200_000, _step),
    Whole("the ladders of a handshake", "handshake", 1, None, HANDSHAKE_CYCLES, _handshake),
)
