"""Kernels run as on the device: results, memory, what they call, and what is said when they would crash it."""

from __future__ import annotations

from array import array
from random import Random

import pytest

from device_code import qemu
from device_code.device import Broken, Device
from device_code.instrument import LeavesWord
from device_code.record import Differs, checked, checked_inputs
from tests.host.device_code.conftest import Make

pytestmark = pytest.mark.usefixtures("runs")


def test_arguments_results_and_memory(made: Make) -> None:
    kernels = made(
        """
        @viper
        def mixed(a: int, b: uint, words, halves, count: int) -> int:
            w = ptr32(words)
            h = ptr16(halves)
            i = 0
            while i < count:
                w[i] = w[i] * a + int(b) + h[i]
                h[i] = w[i] >> 3
                i += 1
            return w[0]

        @viper
        def high(a: int) -> uint:
            return uint(a) >> 1

        @viper
        def nothing(a: int):
            pass
        """
    )
    words, halves = array("i", [1, -5, 1 << 30]), array("H", [1, 2, 0xFFFF])
    meant_words, meant_halves = words[:], halves[:]
    run = kernels.run("mixed", -7, 1 << 31, words, halves, 3)
    meant = kernels.mixed(-7, 1 << 31, meant_words, meant_halves, 3)
    assert (run.returned, words, halves) == ([meant], meant_words, meant_halves)
    assert kernels.run("high", -2).returned == [0x7FFFFFFF]
    assert kernels.run("nothing", 1).returned == [None]


def test_the_same_buffer_is_the_same_memory_in_all_calls(made: Make) -> None:
    kernels = made("@viper\ndef move(a, b, at: int):\n    p = ptr8(a)\n    q = ptr8(b)\n    q[at] = p[at] + 1\n")
    one, other = bytearray(4), bytearray(4)
    calls = [("probe.move", (one, other, 0)), ("probe.move", (other, one, 0)), ("probe.move", (one, one, 0))]
    kernels.device().run(calls)
    assert (one[0], other[0]) == (3, 1)


@pytest.mark.parametrize("sign", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_division_is_pythons(made: Make, sign: tuple[int, int]) -> None:
    body = "    p = ptr32(out)\n    p[0] = x // y\n    p[1] = x % y\n"
    kernels = made(f"@viper\ndef divide(x: int, y: int, out):\n{body}")
    device = kernels.device()
    numbers = [(x, y) for x in (0, 1, 6, 7, 8, (1 << 31) - 1) for y in (1, 2, 7, (1 << 31) - 1)]
    checked_inputs(
        kernels.meaning, device, "probe.divide", [(sign[0] * x, sign[1] * y, array("i", [0, 0])) for x, y in numbers]
    )


def test_kernels_call_kernels_and_use_what_the_module_has(made: Make) -> None:
    kernels = made(
        """
        from other import twice
        from array import array

        TABLE = array("H", [5, 6, 7])
        FIXED = b"\\x09\\x08"
        base = 1000

        @viper
        def outer(x: int) -> int:
            t = ptr16(TABLE)
            f = ptr8(FIXED)
            return int(twice(x + t[2])) + f[1] + int(base)
        """,
        other="@viper\ndef twice(x: int) -> int:\n    return 2 * x\n",
    )
    run = kernels.run("outer", 1, count=True)
    assert run.returned == [2 * 8 + 8 + 1000] == [kernels.outer(1)]
    assert run.counts["other.twice"].calls == run.counts["probe.outer"].calls == 1
    assert run.counts["probe.outer"].runtime["load_global"] == 4
    assert run.total.instructions == sum(count.instructions for count in run.counts.values())


@pytest.mark.parametrize(
    "number", [0, 5, -1, (1 << 30) - 1, -(1 << 30), 1 << 30, -(1 << 30) - 1, -(1 << 31), (1 << 31) - 1]
)
def test_numbers_of_every_length_go_through_calls(made: Make, number: int) -> None:
    kernels = made(
        f"""
        NUMBER = {number}
        YES = True

        @viper
        def same(x: int) -> int:
            return x

        @viper
        def bits(x: uint) -> uint:
            return x

        @viper
        def passed(x: int, out) -> int:
            p = ptr32(out)
            p[0] = int(same(x))
            p[1] = int(bits(x))
            p[2] = int(same(NUMBER)) + int(same(7)) - int(same(-7)) + int(YES)
            return int(same(int(same(x))))
        """
    )
    checked_inputs(kernels.meaning, kernels.device(), "probe.passed", [(number, array("i", [0, 0, 0]))])
    assert kernels.run("bits", number).returned == [number % (1 << 32)]


def test_calls_nest_deeper_than_there_are_windows_of_registers(made: Make) -> None:
    source = "@viper\ndef f0(x: int, y: int) -> int:\n    return x * y\n"
    for depth in range(1, 12):
        body = f"    z = y * {depth}\n    x = int(f{depth - 1}(x + {depth}, y)) + z\n    return x\n"
        source += f"@viper\ndef f{depth}(x: int, y: int) -> int:\n{body}"
    kernels = made(source)
    run = kernels.device().run([("probe.f11", (5, 7)), ("probe.f11", (-5, 6))], count=True)
    assert run.returned == [kernels.f11(5, 7), kernels.f11(-5, 6)]
    assert all(count.calls == 2 for count in run.counts.values())


def test_a_difference_is_told(made: Make) -> None:
    body = "    p = ptr8(out)\n    y = x * x\n    p[2] = y >> 8\n    return y >> 20\n"
    kernels = made(f"@viper\ndef wraps(x: int, out) -> int:\n{body}")
    device = kernels.device()
    with pytest.raises(Differs, match=r"probe\.wraps, call 2 of 2: returns 0 on the device, and 1048576 is meant"):
        checked_inputs(kernels.meaning, device, "probe.wraps", [(3, bytearray(3)), (1 << 20, bytearray(3))])
    with kernels.recorder.on():
        kernels.wraps(5, bytearray(3))
    call = kernels.recorder.calls[0]
    call.after[1][2] = 77
    with pytest.raises(Differs, match="element 2 of argument 2 is 0 on the device, and 77 is meant"):
        checked(device, [call])
    with pytest.raises(LeavesWord):
        made("@viper\ndef wraps(x: int) -> int:\n    y = x * x\n    return y >> 20\n", strict=True).wraps(1 << 20)


BREAKING = """
    def helper(x):
        return x

    @viper
    def fine(x: int):
        pass

    @viper
    def stray(x: int) -> int:
        p = ptr32(x)
        return p[0]

    @viper
    def before(out, at: int):
        p = ptr8(out)
        p[at] = 1

    @viper
    def forever(x: int):
        while x:
            x |= 1

    @viper
    def objects(x: int):
        y = [x]

    @viper
    def global_name(x: int):
        helper(x)

    @viper
    def divided(x: int) -> int:
        return 5 // x
"""


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("stray", (0,), "probe.stray, call 2 of 3: it reads or writes outside of all memory"),
        ("before", (bytearray(16), -1), r"writes before the beginning of buffer 1 of 1 \(bytearray, 16 bytes\)"),
        ("before", (bytearray(5), 5), "writes behind the end of buffer 1 of 1"),
        ("before", (b"constant", 0), "changes buffer 1 of 1 .*, which is constant"),
        ("forever", (1,), "probe.forever, call 2 of 3: it does not end within 1 s of processor time"),
        ("objects", (1,), "probe.objects, call 2 of 3: it needs new_list of the runtime, which is not provided"),
        ("global_name", (1,), "call 2 of 3: it uses the global name probe.helper, which is no kernel"),
        ("divided", (0,), "probe.divided, call 2 of 3: it divides by zero"),
    ],
)
def test_what_would_crash_a_device_is_a_sentence(
    made: Make, name: str, arguments: tuple[object, ...], sentence: str
) -> None:
    device = made(BREAKING).device()
    fine = ("probe.fine", (1,))
    with pytest.raises(Broken, match=sentence):
        device.run([fine, (f"probe.{name}", arguments), fine], cpu_s=1)


def test_only_numbers_and_buffers_are_arguments(made: Make) -> None:
    with pytest.raises(TypeError, match="not float"):
        made(BREAKING).run("fine", 1.5)


def test_loads_and_stores_of_every_width_anywhere(made: Make) -> None:
    kernels = made(
        """
        @viper
        def move(a, b, at: int, to: int):
            a8 = ptr8(a)
            b8 = ptr8(b)
            b8[to] = a8[at]
            a16 = ptr16(a)
            b16 = ptr16(b)
            b16[to] = a16[at] + b16[at]
            a32 = ptr32(a)
            b32 = ptr32(b)
            b32[to] = (a32[at] >> 1) - (b32[at] >> 1)
            b32[7] = a32[7] >> 31
        """
    )
    random = Random(5)
    inputs = [
        (bytearray(random.randbytes(32)), bytearray(random.randbytes(32)), random.randrange(8), random.randrange(8))
        for _ in range(100)
    ]
    checked_inputs(kernels.meaning, kernels.device(), "probe.move", inputs)


def test_without_qemu_it_is_one_line(monkeypatch: pytest.MonkeyPatch, made: Make) -> None:
    device: Device = made(BREAKING).device()
    monkeypatch.setattr(qemu, "QEMU", qemu.ROOT / "no" / "qemu")
    reason = qemu.missing()
    assert reason and "make tools" in reason and "\n" not in reason
    with pytest.raises(qemu.NoQemu):
        device.run([("probe.fine", (1,))])
