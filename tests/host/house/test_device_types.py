"""A call that the device lacks is an error of `make lint`, and what the device has is not."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import device_types.__main__ as device_types
from device_types import stubs

# One statement each; every one of them would fail on the device.
LACKING = """
    os.fsync(3)
    os.replace("a", "b")
    os.path.join("a", "b")
    machine.Nope()
    machine.I2S(0, bits=32, loudness=3)
    machine.Pin(4).frobnicate()
    time.monotonic()
    asyncio.TaskGroup()
    asyncio.Queue()
    asyncio.timeout(3)
    asyncio.get_running_loop()
    asyncio.sleep("1")
    asyncio.create_task(asyncio.sleep_ms(5))
    asyncio.sleep_ms(5)
    os.VfsLfs2(object())
    asyncio.Event().waiting()
    json.dumps({}, indent=2)
    struct.iter_unpack("<H", b"1234")
    re.findall("a", "b")
    "lapel".removeprefix("la")
    memoryview(b"1234").cast("H")
    bytearray(4).pop()
    array.array("h").tobytes()
    hashlib.sha3_256()
    raise ConnectionError
    raise TimeoutError
    bluetooth.BLE().no_such_call()
    aioble.scan_for_ever()
    esp32.warp_drive()
    gc.get_stats()
"""

CLEAN = """
    import array, asyncio, binascii, errno, gc, hashlib, io, json, os, random, select, struct, sys, time
    import aioble, bluetooth, esp32, machine, micropython
    from collections import deque, namedtuple, OrderedDict


    @micropython.viper
    def total(buffer: ptr8, count: int) -> int:
        result = uint(0)
        for i in range(count):
            result += buffer[i]
        return int(result)


    class Stream(io.IOBase):
        def ioctl(self, request: int, argument: int, /) -> int:
            return 0


    class Blocks:
        def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
            pass

        def writeblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
            pass

        def ioctl(self, op: int, argument: int) -> int:
            return 0


    async def nap() -> None:
        await asyncio.sleep_ms(5)


    async def work(flag: asyncio.ThreadSafeFlag) -> None:
        reader = asyncio.StreamReader(Stream())
        count = await reader.readinto(memoryview(bytearray(8))[2:])
        task = asyncio.create_task(nap())
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        await asyncio.wait_for_ms(flag.wait(), 100)
        await asyncio.gather(nap(), flag.wait())
        print(count, total(bytearray(3), 3), total(b"abc", 3))


    def files() -> None:
        os.mount(os.VfsLfs2(Blocks()), "/flash")
        with open("/flash/x", "rb") as file:
            view = memoryview(bytearray(16))
            file.readinto(view)
        free = os.statvfs("/flash")[3]
        os.sync()
        print(free, binascii.crc32(b"x"), hashlib.sha256(b"x").digest().hex(), os.urandom(4))
        print(struct.unpack_from("<IH", view, 2), json.loads("{}"), gc.mem_free(), errno.ENOMEM)


    def hardware() -> None:
        button = machine.Pin(4, machine.Pin.IN, machine.Pin.PULL_UP)
        button.irq(lambda pin: None, machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING)
        mic = machine.I2S(
            0, sck=machine.Pin(1), ws=machine.Pin(2), sd=machine.Pin(3), mode=machine.I2S.RX,
            bits=32, format=machine.I2S.MONO, rate=16000, ibuf=40000,
        )
        mic.deinit()
        machine.WDT(timeout=8000).feed()
        machine.PWM(machine.Pin(5), freq=1000, duty_u16=0).duty_u16(100)
        print(machine.ADC(machine.Pin(6)).read_uv(), machine.RTC().memory(), machine.reset_cause())
        machine.freq(80_000_000)
        print(time.ticks_diff(time.ticks_add(time.ticks_ms(), 5), time.ticks_ms()), time.time_ns())
        names = deque((), 4)
        names.append("a")
        Point = namedtuple("Point", ("x", "y"))
        print(Point(1, 2), OrderedDict(), sys.implementation.name, random.getrandbits(8))
"""


def checked(folder: Path, source: str) -> tuple[int, str]:
    path = folder / "snippet.py"
    path.write_text(source, encoding="utf-8")
    return device_types.check([path])


def test_what_the_device_lacks_is_an_error(tmp_path: Path) -> None:
    calls = [line.strip() for line in LACKING.strip().splitlines()]
    modules = (
        "import aioble, array, asyncio, bluetooth, esp32, gc, hashlib, json, machine, os, re, struct, time"
    )
    source = modules + "\n" + "".join(f"def f{n}():\n    {call}\n" for n, call in enumerate(calls))
    code, report = checked(tmp_path, source)
    wrong_lines = {int(number) for number in re.findall(r"snippet\.py:(\d+): error", report)}
    missed = [call for n, call in enumerate(calls) if 3 + 2 * n not in wrong_lines]
    assert code == 1
    assert not missed, report


def test_what_the_device_has_is_clean(tmp_path: Path) -> None:
    code, report = checked(tmp_path, textwrap.dedent(CLEAN))
    assert (code, report) == (0, "")


@pytest.mark.parametrize("module", ["dataclasses", "typing_inspection", "subprocess", "threading", "pathlib"])
def test_a_module_the_device_lacks_is_an_error(tmp_path: Path, module: str) -> None:
    code, report = checked(tmp_path, f"import {module}\n")
    assert code == 1
    assert module in report


def test_trimmed_takes_out_what_is_not_listed() -> None:
    source = textwrap.dedent(
        """
        class str:
            def upper(self) -> str: ...
            @overload
            def removeprefix(
                self, prefix: str
            ) -> str: ...
            def __len__(self) -> int: ...
        def aiter(x): ...
        def len(x): ...
        class ExceptionGroup(Exception):
            pass
        """
    )
    trimmed = stubs.trimmed(source)
    assert "removeprefix" not in trimmed
    assert "aiter" not in trimmed
    assert "ExceptionGroup" not in trimmed
    assert "overload" not in trimmed
    assert "def upper" in trimmed
    assert "def __len__" in trimmed
    assert "def len" in trimmed
    compile(trimmed, "builtins.pyi", "exec")


def test_the_apps_own_files_are_among_the_sources() -> None:
    names = {path.relative_to(stubs.ROOT).as_posix() for path in device_types.sources()}
    assert {"firmware/lapel/compat.py", "lib/lapel_wire/packets.py"} <= names
