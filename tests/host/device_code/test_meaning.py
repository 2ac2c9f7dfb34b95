"""What CPython says that viper code means: the device's words, and where it can tell that code means several things."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from device_code.instrument import LeavesWord
from device_code.meaning import Meaning, Pointer, ptr8, ptr16, ptr32
from tests.host.device_code.conftest import Make


def test_pointers_are_the_devices() -> None:
    memory = bytearray(b"\xff\xfe\xfd\xfc\x01")
    assert (ptr8(memory)[0], ptr16(memory)[1], ptr32(memory)[0]) == (255, 0xFCFD, -0x3020101)
    ptr8(memory)[4] = -2
    ptr16(memory)[0] = 0x12345
    assert memory == b"\x45\x23\xfd\xfc\xfe"
    words = array("i", [0, 0])
    ptr32(words)[1] = 0xFFFFFFFE
    assert words[1] == -2
    assert ptr8(ptr32(words))[4] == 254


@pytest.mark.parametrize(("pointer", "index"), [(ptr8, 5), (ptr8, -1), (ptr16, 2), (ptr32, 1), (ptr32, -1)])
def test_an_index_outside_is_an_error(pointer: type[Pointer], index: int) -> None:
    memory = pointer(bytearray(5))
    with pytest.raises(IndexError, match="outside of 5 bytes"):
        memory[index]
    with pytest.raises(IndexError, match="outside of 5 bytes"):
        memory[index] = 1


def test_constant_memory_stays_as_it_is() -> None:
    with pytest.raises(TypeError):
        ptr8(b"abc")[0] = 1
    with pytest.raises(TypeError, match="address"):
        ptr32(0x60000000)


def test_casts_and_annotations_are_words(made: Make) -> None:
    kernels = made(
        """
        @viper
        def casts(x: int, y: uint) -> int:
            return int(uint(x) >> 1) ^ y

        @viper
        def wide(x: int) -> uint:
            return x * x

        def plainly(x):
            return int(x) + int("7") + int.from_bytes(b"\\1\\0", "little")
        """
    )
    assert kernels.casts(-2, 0) == 0x7FFFFFFF
    assert kernels.casts(0, -1) == -1
    assert kernels.casts(1 << 32, 5) == 5
    assert kernels.wide(1 << 17) == 0
    assert kernels.wide((1 << 16) - 1) == 0xFFFE0001
    assert kernels.plainly(1 << 40) == (1 << 40) + 8
    with pytest.raises(TypeError, match=r"probe\.casts takes 2"):
        kernels.casts(1)


def test_words_may_be_read_as_the_64_bit_port_does(tmp_path: Path) -> None:
    body = "    w = ptr32(words)\n    return w[0] >> 28\n"
    text = f"import micropython\n@micropython.viper\ndef get(words) -> int:\n{body}"
    (tmp_path / "probe.py").write_text(text, encoding="utf-8")
    word = array("i", [-1])
    assert Meaning([tmp_path]).module("probe").get(word) == -1
    assert Meaning([tmp_path], unsigned_words=True).module("probe").get(word) == 15


def test_a_package_is_loaded_apart_from_the_imported_one() -> None:
    import lapel_audio.stream

    meaning = Meaning()
    kernels = meaning.module("lapel_audio.kernels")
    assert kernels.STEPS == lapel_audio.stream.STEPS
    assert kernels.STEPS is not lapel_audio.stream.STEPS
    assert kernels.STEPS is meaning.module("lapel_audio.stream").STEPS
    assert set(meaning.kernels) == {"lapel_audio.kernels._convert", "lapel_audio.kernels._encode"}
    assert meaning.module("noise.device").crypt is meaning.kernels["noise.cipher_kernels.crypt"]
    with pytest.raises(ModuleNotFoundError, match=r"lapel_audio\.nothing"):
        meaning.module("lapel_audio.nothing")


def test_a_module_with_a_mistake_is_not_kept(made: Make) -> None:
    kernels = made("1 / 0")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            kernels.meaning.module("probe")


STRICT = """
    @viper
    def local(x: int, y: int) -> int:
        z = x * y
        return 0

    @viper
    def added(x: int, y: int) -> int:
        x += y
        return 0

    @viper
    def shifted(x: int, y: int) -> int:
        return x * y >> 20 & 1

    @viper
    def compared(x: int, y: int) -> int:
        if x * y < 5:
            return 1
        return 0

    @viper
    def passed_on(x: int, y: int) -> int:
        return x * y

    @viper
    def indexed(x: int, y: int) -> int:
        m = ptr8(b"a")
        return m[x + y >> 31 & 0]

    @viper
    def unsigned(x: int, y: int) -> int:
        z = uint(x) - uint(y)
        return 0

    @viper
    def stored(x: int, y: int, words):
        w = ptr32(words)
        w[0] = x * y + (x << 3)
        w[0] += x * y
        z = w[0]

    @viper
    def masked(x: int, y: int) -> int:
        z = x * y & 0xFFFF
        return (x + y << 4 ^ ~x) & 15

    @viper
    def counted(x: int, y: int) -> int:
        return x >> y
"""
BIG = (1 << 31) - 1


@pytest.mark.parametrize("name", ["local", "added", "shifted", "compared", "passed_on", "indexed", "unsigned"])
def test_strictly_more_than_32_bits_may_not_decide(made: Make, name: str) -> None:
    kernels = made(STRICT, strict=True)
    getattr(kernels, name)(1, 0)
    with pytest.raises(LeavesWord, match=r"probe\.py:\d+: .* is -?\d+: outside of 32 bits"):
        getattr(kernels, name)(BIG - 1, BIG)


def test_strictly_low_bits_alone_may_come_of_more(made: Make) -> None:
    kernels = made(STRICT, strict=True)
    words = array("i", [0])
    kernels.stored(BIG, BIG, words)
    assert words[0] == (1 + (BIG << 3) + 1 + (1 << 31)) % (1 << 32) - (1 << 31)
    assert kernels.masked(BIG, BIG) == (2 * BIG << 4 ^ ~BIG) & 15


@pytest.mark.parametrize("count", [-1, 32, 64])
def test_strictly_shifts_are_within_a_word(made: Make, count: int) -> None:
    kernels = made(STRICT, strict=True)
    assert kernels.counted(4, 1) == 2
    with pytest.raises(LeavesWord, match="shifts go from 0 to 31"):
        kernels.counted(4, count)
