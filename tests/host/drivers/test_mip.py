"""Each driver installed by mpremote's own mip, from a checkout and from a host of raw files, and imported alone."""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mpremote import mip

from simulator.serial_pin import SerialPin

ROOT = Path(__file__).resolve().parents[3]
DRIVERS = ROOT / "lib" / "drivers"
PACKAGES = sorted(path.stem for path in DRIVERS.glob("*.json") if path.stem != "package")
# What the app alone uses is installed with it.
OF_THE_APP = {"beacon", "ble_gatt", "esp32s3", "onchip", "ticker"}
MICROPYTHON = os.environ.get("LAPEL_MICROPYTHON") or str(ROOT / ".tools" / "micropython")
# Its events are MicroPython's: without the rest of Lapel it has no other half.
ONLY_MICROPYTHON = {"button"}


class Board:
    """A transport that puts what mip writes into a folder, and has the files of a board."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: list[str] = []

    def exec(self, code: str) -> bytes:
        assert code == "import sys"
        return b""

    def eval(self, code: str) -> object:
        assert code == "sys.path"
        return ["", ".frozen", "/lib"]

    def fs_exists(self, path: str) -> bool:
        return (self.folder / path.lstrip("/")).exists()

    def fs_mkdir(self, path: str) -> None:
        (self.folder / path.lstrip("/")).mkdir()

    def fs_writefile(self, path: str, data: bytes, progress_callback: object = None) -> None:
        self.written.append(path)
        (self.folder / path.lstrip("/")).write_bytes(data)


class State:
    """What mpremote's commands are handed."""

    def __init__(self, transport: Board) -> None:
        self.transport = transport

    def did_action(self) -> None: ...

    def ensure_raw_repl(self) -> None: ...


def install(board: Board, *packages: str) -> None:
    options = argparse.Namespace(command=["install"], packages=list(packages), index=None, target=None, mpy=None)
    mip.do_mip(State(board), options)


class Raw(http.server.SimpleHTTPRequestHandler):
    """Files as they are and nothing clever: an address that climbs is none."""

    def do_GET(self) -> None:
        if ".." in self.path or not (ROOT / self.path.lstrip("/")).is_file():
            self.send_error(404)
        else:
            super().do_GET()

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Raw, directory=str(ROOT)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def works_alone(board: Board, driver: str) -> None:
    """Both Pythons import it with nothing else at hand."""
    program = f"import sys; sys.path.insert(0, {str(board.folder / 'lib')!r}); import drivers.{driver}"
    commands = {MICROPYTHON: {"MICROPYPATH": ".frozen"}}
    if driver not in ONLY_MICROPYTHON:
        commands[sys.executable] = {}
    for interpreter, environment in commands.items():
        options = ["-I"] if interpreter == sys.executable else []
        done = subprocess.run(
            [interpreter, *options, "-c", program],
            env=environment, cwd=board.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (interpreter, done.stdout + done.stderr)


def test_every_driver_has_a_package() -> None:
    assert set(PACKAGES) == {path.stem for path in DRIVERS.glob("*.py")} - OF_THE_APP


@pytest.mark.parametrize("driver", PACKAGES)
def test_from_a_checkout(driver: str, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    install(board, f"lib/drivers/{driver}.json")
    assert board.written == [f"/lib/drivers/{driver}.py"]
    assert (board.folder / "lib" / "drivers" / f"{driver}.py").read_bytes() == (DRIVERS / f"{driver}.py").read_bytes()
    works_alone(board, driver)


def test_the_noise_library(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    install(board, "lib/noise/package.json")
    names = {path.name for path in (ROOT / "lib" / "noise").glob("*.py")} - {"host.py"}
    assert set(board.written) == {f"/lib/noise/{name}" for name in names}
    program = f"import sys; sys.path.insert(0, {str(board.folder / 'lib')!r}); from noise import nnpsk0, plain"
    for command in ([MICROPYTHON, "-c", program], [sys.executable, "-I", "-c", program]):
        done = subprocess.run(
            command, env={"MICROPYPATH": ".frozen"}, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout + done.stderr)


def test_from_anywhere_by_its_path(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    install(board, str(DRIVERS / "button.json"))
    assert board.written == ["/lib/drivers/button.py"]


@pytest.mark.parametrize("driver", PACKAGES)
def test_from_a_host_of_raw_files(driver: str, board: Board, host: str) -> None:
    install(board, f"{host}/lib/drivers/{driver}.json")
    assert board.written == [f"/lib/drivers/{driver}.py"]


def test_all_of_them_by_the_folder(board: Board, host: str) -> None:
    install(board, f"{host}/lib/drivers")
    assert sorted(board.written) == [f"/lib/drivers/{driver}.py" for driver in PACKAGES]
    for driver in PACKAGES:
        works_alone(board, driver)


def test_from_github(board: Board, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    plain = mip.urllib.request.urlopen

    def urlopen(url: str) -> object:
        asked.append(url)
        return plain(url.replace("https://raw.githubusercontent.com/OWNER/REPOSITORY/v1.0", host))

    monkeypatch.setattr(mip.urllib.request, "urlopen", urlopen)
    install(board, "github:OWNER/REPOSITORY/lib/drivers/pixel.json@v1.0")
    assert board.written == ["/lib/drivers/pixel.py"]
    assert asked == [
        f"https://raw.githubusercontent.com/OWNER/REPOSITORY/v1.0/lib/drivers/pixel.{kind}" for kind in ("json", "py")
    ]


def test_packages_are_of_one_version_and_climb_nowhere() -> None:
    packages = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DRIVERS.glob("*.json"))]
    assert len({package["version"] for package in packages}) == 1
    for package in packages:
        assert package["deps"] == []
        for target, address in package["urls"]:
            assert target == f"drivers/{address}" and "/" not in address and ":" not in address


@pytest.mark.slow
def test_by_mpremotes_command_into_a_pin(tmp_path: Path) -> None:
    # The whole way: a serial port, the raw REPL, a LittleFS, and the driver imported from it.
    with SerialPin(tmp_path / "pin") as pin:
        pin.wait_for(b">>> ")
        command = [sys.executable, "-m", "mpremote", "connect", pin.port, "mip", "install", "lib/drivers/button.json"]
        program = "from drivers.button import Button; print(Button.__name__, Button.__module__)"
        done = subprocess.run(
            [*command, "+", "exec", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Installing: /lib/drivers/button.py" in done.stdout and "Button drivers.button" in done.stdout
        assert pin.flash.rules_broken == 0
