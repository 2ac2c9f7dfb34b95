"""Every viper function is found, and code that the device's compiler gets wrong."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from device_code import find, measure
from device_code.cases import cases, covered
from device_code.device import Broken, Device
from device_code.record import Differs, checked_inputs
from tests.host.device_code.conftest import Make

SOURCE = """
    import micropython
    from micropython import const, viper

    _AT = const(255)
    _FAR = const(_AT + 1)
    near = 300

    @micropython.viper
    def one(m):
        p = ptr16(m)
        p[_AT] = p[255] + p[near]
        p[_FAR] = 0

    class Box:
        @viper
        def two(self, m):
            p = ptr8(m)
            i = 300
            p[i] = p[1 << 8]

        def plain(self, m):
            return m[300], m[-1]

    if True:
        def outer():
            @micropython.viper
            def inner(m):
                p = ptr32(m)
                p[0] = p[-1]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "library" / "part"
    package.mkdir(parents=True)
    (package / "fast.py").write_text(textwrap.dedent(SOURCE), encoding="utf-8")
    (package / "__init__.py").write_text("import micropython\n@micropython.viper\ndef f(): pass\n", encoding="utf-8")
    return tmp_path / "library"


def test_functions_are_found_wherever_they_are(folder: Path) -> None:
    names = [found.name for found in find.kernels([folder])]
    assert names == ["part.f", "part.fast.Box.two", "part.fast.one", "part.fast.outer.inner"]


def test_a_constant_index_that_does_not_fit_is_found(folder: Path) -> None:
    indices = [str(mistake).split("constant index ")[1].split()[0] for mistake in find.miscompiled([folder])]
    assert indices == ["256", "256", "-1"]


def test_the_project_has_none() -> None:
    assert find.miscompiled() == []


def test_every_kernel_has_a_case_and_every_case_a_kernel() -> None:
    found = {kernel.name for kernel in find.kernels()}
    assert {"noise.cipher_kernels.crypt", "lapel_audio.kernels._encode"} <= found
    missing = measure.without_case(find.kernels(), cases())
    assert not missing, f"no case in tools/device_code/cases for {', '.join(kernel.name for kernel in missing)}"
    assert covered(cases()) <= found


def test_a_new_kernel_without_a_case_is_seen(folder: Path) -> None:
    missing = measure.without_case(find.kernels([folder]), cases())
    assert [kernel.name for kernel in missing] == [kernel.name for kernel in find.kernels([folder])]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("index", "wrong"), [(255, False), (256, True)])
def test_the_compiler_is_wrong_where_that_is_said(made: Make, index: int, wrong: bool) -> None:
    # When this no longer fails, the compiler was mended and the rule can go.
    # Pointers in a register, the first two locals, are loaded from rightly.
    kernels = made(f"@viper\ndef get(x: int, y: int, m) -> int:\n    p = ptr8(m)\n    return p[{index}]\n")
    device: Device = kernels.device()
    inputs = [(0, 0, bytearray(at & 0x7F | 1 for at in range(1000)))]
    if wrong:
        with pytest.raises((Differs, Broken), match=r"probe\.get"):
            checked_inputs(kernels.meaning, device, "probe.get", inputs)
    else:
        checked_inputs(kernels.meaning, device, "probe.get", inputs)
