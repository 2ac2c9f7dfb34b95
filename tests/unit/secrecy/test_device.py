# The machine code against the plain Python, bit by bit, with bytes around every buffer that must stay as they are.
# On CPython the same text runs, more slowly and so less often, under pointers that check borders.
import gc
import random
from array import array

import noise_vectors as vectors

from noise import curve_kernels, device, plain

ONLY_MICROPYTHON = ("test_a_record_allocates_nothing", "test_thousands_of_records", "test_many_ladders")
P = (1 << 255) - 19
GUARD = b"\xa5" * 16
# where machine code goes wrong: nothing, everything, around the modulus, around carries between limbs of 13 bits
RAILS = (0, 1, 2, 18, 19, 20, P - 2, P - 1, P, P + 1, P + 18, (1 << 255) - 1, 1 << 254, 121665, (1 << 247) + (1 << 13))
LENGTHS = (0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 240)


def any_bytes(count, kind=0):
    if kind:
        return bytes(count) if kind == 1 else b"\xff" * count
    return bytes([random.getrandbits(8) for _ in range(count)])


def any_number():
    kind = random.randrange(4)
    if kind == 0:
        return random.choice(RAILS)
    if kind == 1:
        # long rows of ones and zeros
        return sum((8191 * random.getrandbits(1)) << 13 * i for i in range(20)) & (1 << 255) - 1
    return int.from_bytes(any_bytes(32), "little") & (1 << 255) - 1


def check_record(key, nonce, ad, text, start):
    """Sealed as the reference does it, opened again, refused with any of its bits wrong; nothing around it changes."""
    cipher = device.Cipher(key)
    front = GUARD + any_bytes(start)
    buffer = bytearray(front + text + bytes(16) + GUARD)
    wanted = bytearray(buffer)
    plain.Cipher(key).seal(nonce, ad, wanted, len(front), len(text))
    cipher.seal(nonce, ad, buffer, len(front), len(text))
    assert buffer == wanted
    bit = 8 * len(front) + random.randrange(8 * len(text) + 128)
    buffer[bit >> 3] ^= 1 << (bit & 7)
    broken = bytes(buffer)
    assert not cipher.open(nonce, ad, buffer, len(front), len(text))
    assert buffer == broken
    buffer[bit >> 3] ^= 1 << (bit & 7)
    assert not cipher.open(nonce ^ 1, ad, buffer, len(front), len(text))
    assert not cipher.open(nonce, ad + b"\0", buffer, len(front), len(text))
    assert cipher.open(nonce, ad, buffer, len(front), len(text))
    assert buffer == front + text + wanted[len(front) + len(text) : -16] + GUARD


def test_records_of_every_kind():
    random.seed(1)
    for kind in range(3):
        for length in LENGTHS:
            key, ad, text = [any_bytes(count, kind) for count in (32, length % 37, length)]
            check_record(key, random.getrandbits(30), ad, text, length % 4)


def test_thousands_of_records():
    random.seed(2)
    for number in range(2000):
        nonce = random.getrandbits(16) << random.randrange(0, 48)
        kinds = [random.randrange(12) for _ in range(3)]
        key, ad, text = [
            any_bytes(count, kind if kind < 3 else 0)
            for count, kind in zip((32, random.randrange(40), random.randrange(80)), kinds)
        ]
        check_record(key, nonce, ad, text, number & 3)


def test_the_borders_of_the_nonce():
    random.seed(3)
    for nonce in (0, 1, 0xFFFF, 0x10000, (1 << 30) - 1, 1 << 30, (1 << 31) - 1, 1 << 31, 1 << 32, (1 << 64) - 3):
        check_record(bytes(range(32)), nonce, b"", b"text", 1)


def check_tag(key, message, tag):
    guarded = bytearray(GUARD + message + GUARD)
    mac, out = bytearray(device.MAC_BYTES + 16), bytearray(GUARD + bytes(16) + GUARD)
    mac[device.MAC_BYTES :] = GUARD
    device.absorb(0, 0, mac, key, 0, 16, 0)
    device.absorb(0, 0, mac, guarded, 16, len(message), 1)
    assert (device.end(0, 0, mac, key, out, 16, 1) == 0) == (tag == bytes(16))
    assert device.end(0, 0, mac, key, out, 16, 0) == 0
    assert out == GUARD + tag + GUARD
    assert mac[device.MAC_BYTES :] == GUARD and guarded == GUARD + message + GUARD


def test_poly1305():
    for key, message, tag in vectors.POLY1305:
        if len(message) % 16 == 0:
            check_tag(key, message, tag)


def test_poly1305_at_its_borders():
    # Sums around the modulus: with r = 1, three blocks are 3 * 2 ** 128 and what stands in them.
    one = b"\1" + bytes(31)
    for distance in range(-8, 9):
        message = ((1 << 128) - 9 + distance).to_bytes(16, "little") + bytes(15) + b"\0" + b"\4" + bytes(15)
        check_tag(one, message, plain.poly1305(one, message))
    # The largest columns that there can be: nearly 2 ** 32.
    for key in (b"\xff" * 32, b"\xff" * 16 + bytes(16)):
        for blocks in range(1, 12):
            message = b"\xff" * (16 * blocks)
            check_tag(key, message, plain.poly1305(key, message))


def test_chacha20_block():
    key, counter, nonce, block = vectors.BLOCK
    state = bytearray(b"expand 32-byte k" + key + bytes((counter, 0, 0, 0)) + nonce + GUARD)
    stream, text = bytearray(64 + 16), bytearray(32 + 64)
    device.crypt(0, 0, state, stream, text, 16, 64)
    assert text == bytes(16) + block + bytes(16)
    assert stream[64:] == bytes(16) and state[64:] == GUARD and state[48] == counter + 1


def limbs(number):
    return [number >> 13 * i & 0x1FFF for i in range(20)]


def number_of(words):
    return sum(word << 13 * i for i, word in enumerate(words))


def loosest():
    # as large as a result of `run` can be
    return [8191, 8192] + 17 * [8191] + [255]


def check_operation(operands, what, to, a, b):
    guard = array("H", 4 * (0xA5A5,))
    numbers = array("H", guard)
    for index in range(10):
        numbers.extend(array("H", operands[index]))
    numbers.extend(guard)
    columns = array("I", 24 * (0x5A5A5A5A,))
    # the kernel is given what lies between the guards
    inner = memoryview(numbers)[4:-4]
    curve_kernels.run(0, 0, inner, columns, 0, bytes((what, 20 * to, 20 * a, 20 * b)), 1)
    assert numbers[:4] == numbers[-4:] == guard
    assert list(columns[20:]) == 4 * [0x5A5A5A5A]
    found = list(inner[20 * to : 20 * to + 20])
    one, other = number_of(operands[a]), number_of(operands[b])
    assert (number_of(found) - (one * other, one + other, one - other)[what]) % P == 0
    assert max(found) <= 8192 and max(found[2:]) <= 8191 and found[0] <= 8191 and found[19] <= 255, found
    for index in range(8):
        if index != to:
            assert list(inner[20 * index : 20 * index + 20]) == operands[index]


def test_the_field():
    random.seed(4)
    operands = [limbs(number) for number in RAILS[:10]]
    operands[1] = loosest()
    for what in range(3):
        for a in range(3):
            for b in range(3):
                for to in (a, b, 5):
                    check_operation(operands, what, to, a, b)
    for _ in range(100):
        operands = [limbs(any_number()) for _ in range(10)]
        for what in range(3):
            check_operation(operands, what, random.randrange(8), random.randrange(8), random.randrange(8))


def test_the_swap():
    numbers = array("H", range(200))
    program = b""
    curve_kernels.run(0, 0, numbers, array("I", 20 * (0,)), 0, program, 0)
    assert list(numbers) == list(range(200))
    curve_kernels.run(0, 0, numbers, array("I", 20 * (0,)), 1, program, 0)
    assert list(numbers) == list(range(20)) + list(range(60, 100)) + list(range(20, 60)) + list(range(100, 200))


def x25519(scalar, u):
    ladder = device.Ladder(scalar, u)
    steps = 0
    while not ladder.step():
        steps += 1
    assert steps == 64 + 16 - 1, steps
    shared = ladder.result()
    assert not any(ladder._scalar) and not any(ladder._numbers) and not any(ladder._columns)
    assert ladder.step() and ladder.result() is None
    return shared or bytes(32)


def test_published_curves():
    for scalar, u, result in vectors.X25519[:1]:
        assert x25519(scalar, u) == result


def test_many_ladders():
    random.seed(5)
    for scalar, u, result in vectors.X25519:
        assert x25519(scalar, u) == result
    base = b"\x09" + bytes(31)
    assert x25519(base, base) == vectors.ITERATED_1
    for number in RAILS:
        for high in (0, 1 << 255):
            u = (number | high).to_bytes(32, "little")
            for scalar in (any_bytes(32), bytes(32), b"\xff" * 32):
                assert x25519(scalar, u) == plain.x25519(scalar, u)
    for _ in range(100):
        scalar, u = any_bytes(32), (any_number() | random.getrandbits(1) << 255).to_bytes(32, "little")
        assert x25519(scalar, u) == plain.x25519(scalar, u)


def test_a_record_allocates_nothing():
    import micropython

    cipher = device.Cipher(bytes(32))
    buffer = bytearray(256)
    for nonce in range(3):
        gc.collect()
        micropython.heap_lock()
        try:
            cipher.seal(nonce, b"", buffer, 2, 220)
            opened = cipher.open(nonce, b"", buffer, 2, 220)
            refused = cipher.open(nonce + 1, b"", buffer, 2, 220)
        finally:
            micropython.heap_unlock()
        assert opened and not refused
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for nonce in range(50):
        cipher.seal(nonce, b"", buffer, 2, 220)
        cipher.open(nonce, b"", buffer, 2, 220)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before


def test_a_wiped_cipher_holds_nothing():
    cipher = device.Cipher(bytes(range(32)))
    cipher.seal(5, b"ad", bytearray(80), 0, 64)
    cipher.wipe()
    assert not any(any(buffer) for buffer in (cipher._state, cipher._stream, cipher._once, cipher._mac))
