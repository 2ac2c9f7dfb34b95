"""The app's size is measured with the device's compiler, and stays below its bar."""

from __future__ import annotations

from pathlib import Path

import app_size
import pytest

from lapel_usb import build


def test_the_app_fits() -> None:
    size = app_size.measure()
    assert size.total > 10_000 and size.fits
    assert sum(size.parts.values()) == sum(size.modules.values())
    assert "firmware/lapel/compat.py" in size.modules


def test_a_longer_module_is_a_larger_one(tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "short.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    (folder / "long.py").write_text(
        "def f(x):\n    return x * 3 + 'a long text of the module'\n" * 9, encoding="utf-8"
    )
    size = app_size.measure(tmp_path)
    assert 0 < size.modules["lib/short.py"] < size.modules["lib/long.py"]
    assert size.total == sum(size.modules.values())


def test_opus_has_a_bar_of_its_own_and_goes_to_every_pin() -> None:
    size = app_size.Size({"firmware/main.py": 100, "lib/lapel_audio/opus/pvq.py": 30})
    assert size.total == 130
    assert size.parts["lib/lapel_audio/opus/"] == 30 and size.parts[""] == 100
    assert "lapel_audio/opus/encoder" in build.libraries(app_size.ROOT, app_size.ARCHITECTURE)


def test_what_the_device_cannot_compile_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "firmware"
    folder.mkdir()
    (folder / "bad.py").write_text("def f(:\n", encoding="utf-8")
    with pytest.raises(app_size.NotCompiled, match=r"firmware/bad\.py"):
        app_size.measure(tmp_path)
