"""A simulated pin on USB for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def flashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image of a pin with an app that can be paired."""
    folder = tmp_path_factory.mktemp("flashed")
    with SerialPin(folder / "pin", blocks=BLOCKS) as pin:
        paired_app(Desk(pin, folder))
    return pin.flash.image
