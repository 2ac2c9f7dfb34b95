"""Pins of several owners: an app that can be paired, and what lies in a used pin's store."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

from lapel_companion.keys import Keys
from lapel_companion.pairing import Key
from lapel_usb import owner
from lapel_usb.build import ROOT
from lapel_usb.link import PinLink, open_pin
from lapel_usb.owner import Seen
from lapel_usb.pairing import Person
from simulator.serial_pin import SerialPin
from tests.host.usb.desks import Desk
from tests.host.usb.trees import tree

KIND = 10
CLIP = b"what was said to this pin " * 100
NOTICE = b"the doctor called"
SETTINGS = b"settings of an owner"
USED = {"clips/00000001": CLIP, "clips/00000002": CLIP[::-1], "notices/00000001": NOTICE, "state/settings": SETTINGS}
MINE = Key(7, bytes(range(100, 132)))
THEIRS = Key(3, bytes(range(32, 64)))


# Of the flash of a pin that is to be paired: a small one is wiped soon.
BLOCKS = 128


def paired_app(desk: Desk) -> None:
    """The small app, with the real modules that a pairing asks for."""
    root = tree(desk.folder / "paired", "paired")
    for name in ("firmware/lapel/services", "firmware/lapel/core", "lib/lapel_wire", "lib/noise"):
        shutil.copytree(ROOT / name, root / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "firmware" / "lapel" / "compat.py", root / "firmware" / "lapel")
    desk.flash("paired")


def record(key: Key) -> bytes:
    """As the firmware keeps it."""
    body = struct.pack("<I32s", key.generation, key.secret)
    head = struct.pack("<BBH", KIND, 1, len(body))
    return head + struct.pack("<I", zlib.crc32(head + body)) + body


def use(link: PinLink, key: Key | None, files: dict[str, bytes] = USED) -> None:
    """The pin was used by who has that key."""
    for folder in ("", "/state", "/clips", "/notices"):
        link.run(f"import os\ntry: os.mkdir('/data{folder}')\nexcept OSError: pass")
    for path, data in files.items():
        link.write_file(f"/data/{path}", data)
    if key is not None:
        link.write_file("/data/state/key", record(key))


def held(link: PinLink) -> dict[str, bytes]:
    """What of USED is there."""
    return {path: link.read_file(f"/data/{path}") for path in USED if link.digest(f"/data/{path}")}


def now(pin: SerialPin) -> tuple[Seen, dict[str, bytes]]:
    """Whose it is, and what of USED is there."""
    with open_pin(pin.port, restart=False) as link:
        return owner.look(link), held(link)


def keep(state: Path, key: Key | None) -> Keys:
    """This computer has that key."""
    keys = Keys(state)
    with keys.alone():
        if key is not None:
            keys._place.save(key)
    return keys


def used(pin: SerialPin, key: Key | None) -> None:
    with open_pin(pin.port, restart=False) as link:
        use(link, key)


def has(pin: SerialPin, key: Key | None, *, kept: bool) -> bool:
    """Whether the pin has this key (None: no whole one), and all or nothing of what was on it."""
    found, there = now(pin)
    return (found.key != "there" if key is None else found.is_of(key)) and there == (USED if kept else {})


class Sitting(Person):
    """Answers yes to the first `yes` questions; `said` is all that was told, `asked` all that was asked."""

    def __init__(self, yes: int = 99) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self._yes = yes
        super().__init__(self._answer, self.said.append)

    def _answer(self, question: str) -> bool:
        self.asked.append(question)
        return len(self.asked) <= self._yes
