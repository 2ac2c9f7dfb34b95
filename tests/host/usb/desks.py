"""A pin, checkouts to flash it from, and what was said; and a flash that is written down operation by operation."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lapel_usb.build import ROOT
from lapel_usb.flash import Request, Told, flash
from lapel_usb.link import open_pin
from lapel_usb.wire import Buffered
from simulator.pin import find_interpreter
from simulator.serial_flash import Operation, read_log
from simulator.serial_pin import SerialPin
from simulator.serial_process import Claim
from tests.host.usb.trees import aioble, tree

JUDGE = ROOT / "tests" / "host" / "usb" / "device" / "judge.py"


class Desk:
    """`said` are the sentences that were told."""

    def __init__(self, pin: SerialPin, folder: Path) -> None:
        self.pin = pin
        self.folder = folder
        self.said: list[str] = []
        self.aioble = aioble(folder / "mplib")

    def request(self, name: str, **options: object) -> Request:
        """Flash the app `name`, from a checkout that is made when it is not there."""
        root = self.folder / name
        if not root.exists():
            tree(root, name)
        wanted: dict[str, object] = {"board": "sim", "root": root, "aioble_folder": str(self.aioble)} | options
        return Request(**wanted)  # type: ignore[arg-type]

    def flash(self, name: str, **options: object) -> str:
        """The id that was flashed, once the app runs."""
        with open_pin(self.pin.port, tell=self.said.append) as link:
            app = flash(link, self.request(name, **options), Told(self.said.append))
        return app.id if app else ""

    def restart(self) -> str:
        """Power off and on; see started()."""
        self.pin.power_cut()
        since = len(self.pin.output)
        self.pin.power_on()
        return self.started(since)

    def started(self, since: int = 0, timeout_s: float = 10) -> str:
        """The name of the app that starts after byte `since` of the pin's output."""
        at = self.pin.wait_for(b'"event": "well"', since=since, timeout_s=timeout_s)
        words = self.pin.output[since:at].decode(errors="replace")
        return words.rsplit('"app": "', 1)[1].split('"')[0]


@dataclass(frozen=True)
class Written:
    """A flash from one app to another: the image before it, each flash operation, and after how many of them the
    host sent its n-th piece."""

    before: Path
    log: Path
    operations: list[Operation]
    pieces: list[int]
    old: str
    new: str

    def image_after(self, count: int, *, torn: bool = False) -> bytes:
        """With `torn`, and half of the next one."""
        image = bytearray(self.before.read_bytes())
        for operation in self.operations[:count]:
            operation.on(image)
        if torn:
            self.operations[count].on(image, torn=True)
        return bytes(image)

    def verdicts(self, *, torn: bool, of: str = "app") -> list[str]:
        """Which app would start after each operation, or (of the "store") whose the pin is; see judge.py."""
        command = [find_interpreter(), "-X", "heapsize=32M", str(JUDGE), str(self.before), str(self.log)]
        done = subprocess.run([*command, str(int(torn)), of], capture_output=True, text=True, check=True)
        return [line.split(" ", 1)[1] for line in done.stdout.splitlines()]


@contextlib.contextmanager
def each_piece(heard: Callable[[], None]) -> Iterator[None]:
    """Calls `heard` before each piece that the host sends."""
    plain = Buffered.write

    def write(self: Buffered, data: bytes) -> int:
        heard()
        return plain(self, data)

    Buffered.write = write  # type: ignore[method-assign]
    try:
        yield
    finally:
        Buffered.write = plain  # type: ignore[method-assign]


def listing(desk: Desk, folder: str = "/") -> list[str]:
    """What lies in a folder of the pin."""
    with open_pin(desk.pin.port) as link:
        return sorted(link.run(f"import os\nfor name in os.listdir({folder!r}): print(name)").split())


def write_down(
    folder: Path,
    old: Callable[[Desk], str],
    new: Callable[[Desk], str],
    blocks: int = 256,
    claim: Claim | None = None,
) -> Written:
    """Flashes `old`, and then `new` with every operation noted."""
    claim = claim or Claim()
    with SerialPin(folder / "pin", blocks=blocks, claim=claim) as pin:
        first = old(Desk(pin, folder))
    before = folder / "before.bin"
    before.write_bytes(pin.flash.image.read_bytes())
    log = folder / "operations.log"
    pieces: list[int] = []
    with SerialPin(folder / "pin", log=log, claim=claim) as pin:
        with each_piece(lambda: pieces.append(pin.flash.operations)):
            second = new(Desk(pin, folder))
        assert pin.flash.rules_broken == 0
    return Written(before, log, read_log(log), pieces, first, second)
