"""A board of boards/ built in this process, its chips as models on a world of wires. Found by its folder alone."""

import os
import sys

import parts as models
import world

FOLDER = "boards"
FLASH_DIR = "/tmp/lapel-board-bench"
# What a board of the chip has for itself, loaded anew for each bench.
_OWN = ("board", "drivers.esp32s3", "drivers.onchip", "drivers.ble_gatt", "drivers.beacon", "aioble", "bluetooth")
_OWN += ("vfs",)


def names():
    """Every board with a parts.toml."""
    return sorted(name for name in os.listdir(FOLDER) if name != "sim" and "parts.toml" in _listed(FOLDER + "/" + name))


def _listed(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def parts(name, pins):
    """The parts that there are models of, as the simulator gets them: (name, {"chip":, "pins":}).

    MicroPython has no tomllib: this reads as much of it as a parts.toml uses, a key a line.
    """
    found = []
    with open(FOLDER + "/" + name + "/parts.toml") as file:
        for line in file.read().split("\n"):
            key, _, value = line.partition(" = ")
            if line == "[[part]]":
                found.append({})
            elif found and key in ("name", "chip"):
                found[-1][key] = value.strip('"')
            elif found and key == "pins":
                inside = value.strip("{} ").split(", ")
                pairs = [pair.replace('"', "").split(" = ") for pair in inside]
                found[-1]["pins"] = {pin: pins[to] for pin, to in pairs if to in pins}
    return [(part["name"], {"chip": part["chip"], "pins": part["pins"]}) for part in found if part["chip"] != "cell"]


class _Vfs:
    """CPython has none; a world without flash never asks for more."""

    VfsLfs2 = None


class _Radio:
    """In the place of aioble and bluetooth, which nobody calls before the radio starts."""

    class BLE:
        pass


class _World(world.World):
    """Notes how the microphone was opened: (its pins, Hz, DMA blocks)."""

    mic_opened = None

    def open_mic(self, ring, pins, rate_hz, blocks):
        self.mic_opened = (tuple(pins), rate_hz, blocks)
        super().open_mic(ring, pins, rate_hz, blocks)


class Bench:
    """`with Bench(name) as bench:` gives bench.board (the module board.py), bench.parts and bench.world.

    `without` names a part that is not wired. `radio` False: no aioble on this pin.
    """

    def __init__(self, name, without=None, radio=True):
        self.name = name
        self._without = without
        self._radio = radio
        self._before = {}
        self.board = None
        self.world = None
        self.parts = []

    def __enter__(self):
        for name in _OWN:
            self._before[name] = sys.modules.pop(name, None)
        # None makes an import fail, on CPython; MicroPython finds no aioble on its path here.
        if self._radio:
            sys.modules["aioble"] = sys.modules["bluetooth"] = _Radio
        try:
            import vfs
        except ImportError:
            vfs = _Vfs
        sys.modules["vfs"] = vfs
        sys.path.insert(0, FOLDER + "/" + self.name)
        self.world = _World()
        world.attach(self.world)
        self.board = __import__("board")
        self.board.Board.flash_dir = FLASH_DIR
        self.parts = parts(self.name, self.board.PINS)
        models.wire(self.world, [part for name, part in self.parts if name != self._without])
        return self

    def __exit__(self, *_):
        world.attach(None)
        sys.path.pop(0)
        for name, module in self._before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
        try:
            os.rmdir(FLASH_DIR)
        except OSError:
            pass

    def heard(self, what):
        """What parts told of that kind, the newest last."""
        return [value for kind, value in self.world.heard if kind == what]
