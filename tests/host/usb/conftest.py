"""A simulated pin on USB for each test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.backends import fail

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from simulator.serial_pin import SerialPin  # noqa: E402
from tests.host.usb.desks import Desk  # noqa: E402
from tests.host.usb.owners import BLOCKS, paired_app  # noqa: E402


@pytest.fixture
def pin(tmp_path: Path) -> Iterator[SerialPin]:
    """With an empty filesystem, at its prompt."""
    with SerialPin(tmp_path / "pin") as pin:
        pin.wait_for(b">>> ")
        yield pin
        assert pin.flash.rules_broken == 0


@pytest.fixture
def desk(pin: SerialPin, tmp_path: Path) -> Desk:
    """The pin and a folder for checkouts."""
    return Desk(pin, tmp_path)


@pytest.fixture(scope="session")
def flashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image of a pin with an app that can be paired."""
    folder = tmp_path_factory.mktemp("flashed")
    with SerialPin(folder / "pin", blocks=BLOCKS) as pin:
        paired_app(Desk(pin, folder))
    return pin.flash.image


@pytest.fixture
def new(flashed: Path, tmp_path: Path) -> Iterator[SerialPin]:
    """A new pin, that can be paired."""
    (tmp_path / "pin").mkdir()
    shutil.copy(flashed, tmp_path / "pin")
    with SerialPin(tmp_path / "pin") as pin:
        yield pin
        assert pin.flash.rules_broken == 0


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """This computer's state folder, which is not there yet."""
    return tmp_path / "state"


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """This computer has none: keys are files."""
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
