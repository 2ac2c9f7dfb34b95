"""The real app over USB onto a pin with its hardware around it: what `lapel sim --usb` is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapel_usb.flash import Request, Told, flash
from lapel_usb.link import open_pin
from simulator.events import Event
from simulator.usb_desk import usb_desk

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.slow
def test_the_app_of_this_checkout_is_flashed_runs_and_is_interrupted_again(tmp_path: Path) -> None:
    heard: list[Event] = []
    said: list[str] = []
    request = Request("sim", mip_index=NOWHERE, cache=tmp_path / "no aioble kept")
    with usb_desk(tmp_path / "pin", frozen=False, hear=heard.append) as desk:
        desk.pin.wait_for(b">>> ")
        with open_pin(desk.pin.port, tell=said.append) as link:
            app = flash(link, request, Told(said.append))
        assert app and len(app.files) > 60
        assert "The app runs, and is well." in said
        assert any("Going on with the aioble that is on the pin" in sentence for sentence in said)
        names = {(event.who, event.name) for event in heard}
        assert ("pin", "boot") in names and ("radio", "advertising") in names
        # it runs, with interrupts of its own, and lets itself be interrupted
        with open_pin(desk.pin.port, tell=said.append) as link:
            assert flash(link, request, Told(said.append)) == app
        assert any(f"0 files sent (0 B), 0 taken over on the pin, {len(app.files)} were there" in one for one in said)
