# What every suite refuses before it computes anything.
from noise import device, plain

ONLY_CPYTHON = ("test_a_computer_s_arithmetic",)


def refused(call, kind=ValueError):
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError("it was taken")


def check(suite):
    for length in (0, 31, 33):
        for make in (
            lambda n=length: suite.Cipher(bytes(n)),
            lambda n=length: suite.Ladder(bytes(n), bytes(32)),
            lambda n=length: suite.Ladder(bytes(32), bytes(n)),
        ):
            assert "this has %d" % length in refused(make)
    cipher = suite.Cipher(bytes(32))
    rooms = ((35, 0, 20), (36, 1, 20), (36, -1, 20), (36, 0, -1), (16, 17, 0), (15, 0, 0), (0, 0, 0))
    for buffer_bytes, start, length in rooms:
        buffer = bytearray(buffer_bytes)
        for act in (cipher.seal, cipher.open):
            assert "do not fit" in refused(lambda: act(0, b"", buffer, start, length))
        assert buffer == bytearray(buffer_bytes)
    for nonce in (-1, (1 << 64) - 1, 1 << 64):
        for act in (cipher.seal, cipher.open):
            assert "nonce" in refused(lambda: act(nonce, b"", bytearray(20), 0, 4))
    # what cannot be written stays as it is
    constant = bytes(20)
    for act in (cipher.seal, cipher.open):
        for buffer in (constant, memoryview(constant)):
            refused(lambda: act(0, b"", buffer, 0, 4), TypeError)
    assert constant == bytes(20)
    # a part of a larger buffer
    larger = bytearray(60)
    cipher.seal(3, b"ad", memoryview(larger)[10:50], 5, 19)
    alone = bytearray(35)
    cipher.seal(3, b"ad", alone, 0, 19)
    assert larger == bytes(15) + alone + bytes(10)
    assert cipher.open(3, b"ad", memoryview(larger)[10:50], 5, 19)
    # no key is left: all zero would be one that everybody knows
    cipher.wipe()
    for act in (cipher.seal, cipher.open):
        assert "wiped" in refused(lambda: act(0, b"", larger, 0, 4))


def test_plain():
    check(plain)


def test_machine_code():
    check(device)


def test_a_computer_s_arithmetic():
    from noise import host

    check(host)
