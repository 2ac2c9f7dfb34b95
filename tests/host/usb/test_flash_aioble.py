"""The app's one foreign library: fetched once and kept, from where the user says, or the pin's own."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel_usb import aioble, build
from lapel_usb.errors import UsbError
from lapel_usb.link import open_pin
from tests.host.usb.desks import Desk, listing

NOWHERE = "http://127.0.0.1:9"


class Index(http.server.BaseHTTPRequestHandler):
    """A package index in mip's format, as tools/build.py of micropython-lib lays it out."""

    files: dict[str, bytes] = {}
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        data = self.files.get(self.path)
        self.send_response(200 if data is not None else 404)
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def index(desk: Desk, tmp_path: Path) -> Iterator[str]:
    """The address of an index that has aioble."""
    package = aioble.from_folder(desk.aioble, "", tmp_path)
    hashes = [[path, build.sha256(data)[:8]] for path, data in package.items()]
    told = {"v": 1, "version": aioble.VERSION, "hashes": hashes, "deps": []}
    Index.files = {f"/file/{name[:2]}/{name}": package[path] for path, name in hashes}
    Index.files[f"/package/6/aioble/{aioble.VERSION}.json"] = json.dumps(told).encode()
    Index.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_aioble_is_fetched_once_by_mip_and_kept(desk: Desk, index: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    desk.flash("one", aioble_folder="", mip_index=index, cache=cache)
    assert f"Fetching aioble {aioble.VERSION} (once)." in desk.said
    assert len(Index.asked) == 4
    desk.flash("two", aioble_folder="", mip_index=NOWHERE, cache=cache)
    assert desk.restart() == "two"


def test_without_aioble_and_network_the_ways_on_are_told(desk: Desk, tmp_path: Path) -> None:
    wanted = {"aioble_folder": "", "mip_index": NOWHERE, "cache": tmp_path / "cache"}
    with pytest.raises(aioble.NoAioble, match="could not be fetched") as told:
        desk.flash("one", **wanted)
    for way in ("connect this computer", "AIOBLE=", "MIP_INDEX=", "make firmware"):
        assert way in told.value.way_on
    with pytest.raises(UsbError, match="holds no aioble"):
        desk.flash("one", aioble_folder=str(tmp_path))
    # the app that runs has one: it is taken over
    desk.flash("one")
    desk.flash("two", **wanted)
    assert any("Going on with the aioble of the app that runs" in sentence for sentence in desk.said)
    assert desk.restart() == "two"


def test_a_pin_with_an_aioble_of_its_own_goes_on_with_it(desk: Desk, tmp_path: Path) -> None:
    with open_pin(desk.pin.port) as link:
        link.run("import os\nos.mkdir('/lib')\nopen('/lib/aioble.py', 'w').close()")
    desk.flash("one", aioble_folder="", mip_index=NOWHERE, cache=tmp_path / "cache")
    assert any("Going on with the aioble that is on the pin" in sentence for sentence in desk.said)
    assert desk.restart() == "one"


def test_the_command_mip_installs_from_an_index(desk: Desk, index: str) -> None:
    import subprocess
    import sys

    mpremote = str(Path(sys.executable).with_name("mpremote"))
    command = [mpremote, "connect", desk.pin.port, "mip", "install", "--index", index, f"aioble@{aioble.VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert listing(desk, "/lib/aioble") == ["__init__.mpy", "core.mpy", "server.mpy"]
