import asyncio

from drivers.mic_i2s import MicI2S

try:
    import io

    Base = io.IOBase
except (ImportError, AttributeError):
    Base = object

# asyncio's stream over a Python object is MicroPython's.
ONLY_MICROPYTHON = ("test_reads_through_asyncio", "test_open_and_close", "test_a_microphone_that_fails")
_POLL = 3
_READABLE = 1


class I2S(Base):
    made = 0

    def __init__(self):
        I2S.made += 1
        self.ended = False
        self.block = b"\x01\x02\x03\x04" * 4

    def ioctl(self, op, arg):
        return arg & _READABLE if op == _POLL else -1

    def readinto(self, buffer):
        buffer[: len(self.block)] = self.block
        return len(self.block)

    def deinit(self):
        self.ended = True


def test_open_and_close():
    I2S.made = 0
    mic = MicI2S(I2S)
    assert I2S.made == 0 and not mic.is_open and mic.reader is None
    mic.open()
    mic.open()
    assert I2S.made == 1 and mic.is_open
    i2s = mic._i2s
    mic.close()
    mic.close()
    assert i2s.ended and not mic.is_open and mic.reader is None
    mic.open()
    assert I2S.made == 2


def test_what_waits_is_counted_in_dma_blocks():
    # 40,000 bytes are 19 blocks of 256 stereo frames.
    assert MicI2S(I2S).ring_samples == 19 * 256
    assert MicI2S(I2S, ibuf_bytes=4096).ring_samples == 512


def test_figures():
    mic = MicI2S(I2S)
    assert (mic.rate_hz, mic.startup_ms) == (16000, 256)


async def test_reads_through_asyncio():
    mic = MicI2S(I2S)
    mic.open()
    buffer = bytearray(64)
    # Short, as it comes.
    assert await asyncio.wait_for(mic.reader.readinto(buffer), 1) == 16
    assert bytes(buffer[:5]) == b"\x01\x02\x03\x04\x01"
    mic.close()


def test_a_microphone_that_fails():
    def broken():
        raise OSError(19)

    mic = MicI2S(broken)
    try:
        mic.open()
    except OSError:
        pass
    else:
        raise AssertionError("it opened")
    assert not mic.is_open and mic.reader is None
    mic.close()
