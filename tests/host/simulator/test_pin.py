"""How the pin's interpreter is found and started, and what it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.pin import INTERPRETER, NoInterpreter, PinSpec, find_interpreter


def modules(spec: PinSpec) -> list[set[str]]:
    """What each folder of the module path holds, by name without its ending."""
    folders = [Path(folder) for folder in spec.module_path().split(":")[:-1]]
    return [{path.name.split(".")[0] for path in folder.iterdir()} for folder in folders if folder.is_dir()]


def test_the_virtual_radio_brings_bluetooth_and_aioble() -> None:
    found = set().union(*modules(PinSpec()))
    assert {"lapel", "main", "drivers", "lapel_wire", "lapel_audio", "board", "machine"} <= found
    assert {"bluetooth", "aioble"} <= found
    assert PinSpec().module_path().endswith(":.frozen")


def test_an_external_radio_brings_them_itself() -> None:
    found = set().union(*modules(PinSpec(virtual_radio=False)))
    assert "machine" in found
    assert not found & {"bluetooth", "aioble"}


def test_a_device_path_comes_first(tmp_path: Path) -> None:
    spec = PinSpec(paths=[tmp_path / "a", tmp_path / "b"])
    assert spec.module_path().split(":")[:2] == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_the_firmware_is_started_by_name_and_the_heap_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRETER, "/bin/sh")
    assert PinSpec(heap_bytes=123456).command() == ["/bin/sh", "-X", "heapsize=123456", "-m", "port"]
    assert PinSpec(main=Path("/x.py")).command()[-3:] == ["-m", "port", "/x.py"]


def test_an_interpreter_that_cannot_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRETER, "/nowhere/micropython")
    with pytest.raises(NoInterpreter, match="LAPEL_MICROPYTHON names '/nowhere/micropython'"):
        find_interpreter()
