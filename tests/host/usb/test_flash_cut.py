"""A flash that breaks off: at every flash operation, whole or torn, and at every piece the host sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapel_usb import waking
from lapel_usb.build import App
from lapel_usb.copying import Copied, Copier
from lapel_usb.errors import LinkLost
from lapel_usb.inventory import Inventory
from simulator.serial_pin import WATCHDOG, SerialPin
from tests.host.usb.desks import Desk, Written, write_down

REAL_CUTS = 6


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """From the app `old` to the app `new`."""
    folder = tmp_path_factory.mktemp("written")
    return write_down(folder, lambda desk: desk.flash("old"), lambda desk: desk.flash("new"))


@pytest.mark.parametrize("torn", [False, True])
def test_after_every_operation_a_whole_app_is_current(written: Written, torn: bool) -> None:
    verdicts = written.verdicts(torn=torn)
    assert len(verdicts) == len(written.operations) > 100
    folders = [verdict.split(" ")[0] for verdict in verdicts]
    assert set(folders) == {f"app/{written.old}", f"app/{written.new}"}, [v for v in verdicts if "WRONG" in v][:3]
    # once switched, it stays
    assert folders == sorted(folders, key=lambda folder: folder != f"app/{written.old}")


def test_a_switch_that_comes_too_early_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Copier.complete

    def hasty(self: Copier, app: App, held: Inventory) -> Copied:
        self.replace("current", app.folder.encode())
        return whole(self, app, held)

    monkeypatch.setattr(Copier, "complete", hasty)
    hurried = write_down(tmp_path, lambda desk: desk.flash("old"), lambda desk: desk.flash("new"))
    assert any("WRONG" in verdict for verdict in hurried.verdicts(torn=False))


def sample(count: int) -> list[int]:
    """Some of them, spread over all, with the last steps, where the switch is."""
    return sorted({*range(0, count, max(1, count // (REAL_CUTS - 3))), count - 2, count - 12, count - 25})


@pytest.mark.slow
def test_a_pin_cut_anywhere_boots_and_is_flashed_to_the_end(written: Written, tmp_path: Path) -> None:
    for number in sample(len(written.operations)):
        folder = tmp_path / str(number)
        (folder / "pin").mkdir(parents=True)
        (folder / "pin" / "usb-flash.bin").write_bytes(written.image_after(number, torn=bool(number % 2)))
        with SerialPin(folder / "pin") as pin:
            desk = Desk(pin, folder)
            assert desk.started() in ("old", "new"), number
            assert desk.flash("new") == written.new, number
            assert desk.restart() == "new"
            assert pin.flash.rules_broken == 0


@pytest.mark.slow
def test_a_power_cut_at_the_real_wire_and_then_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "RETURN_S", 0.3)
    old = desk.flash("old")
    for operations in (20, 40, 60):
        desk.pin.flash.cut_at_operation(operations, torn=True)
        with pytest.raises(LinkLost):
            desk.flash("new")
        since = len(desk.pin.output)
        desk.pin.power_on()
        assert desk.started(since) == "old", operations
    assert desk.flash("new") != old
    assert "there" in desk.said[-3]
    assert desk.restart() == "new"


@pytest.mark.slow
def test_a_cable_pulled_at_any_byte_ends_in_the_old_app(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "RETURN_S", 0.3)
    monkeypatch.setattr("lapel_usb.link.WATCHDOG_S", 1)
    stretch = "import machine\n_dog = machine.WDT(timeout=1500)\n"
    monkeypatch.setattr("lapel_usb.link._STRETCH", stretch)
    desk.flash("old")
    for count in (4_000, 5_501, 6_500):
        desk.pin.cut_at_byte(count, desk.pin.unplug)
        since = len(desk.pin.output)
        with pytest.raises(LinkLost):
            desk.flash("new")
        assert desk.started(since) == "old", count
        assert desk.pin.resets[-1] == WATCHDOG
        desk.pin.plug()
    desk.flash("new")
    assert desk.restart() == "new"


def test_a_cable_that_is_back_in_time_is_no_trouble(desk: Desk) -> None:
    desk.flash("old")

    def wobble() -> None:
        desk.pin.unplug()
        desk.pin.plug()

    desk.pin.cut_at_byte(6_000, wobble)
    desk.flash("new")
    assert any("waiting for it to come back" in sentence for sentence in desk.said)
    assert desk.restart() == "new"
