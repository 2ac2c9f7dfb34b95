"""A small checkout to flash from: the real main.py, and an app of a few lines in place of the real one."""

from __future__ import annotations

from pathlib import Path

from lapel_usb.build import ROOT

BOARD = """
import machine, json
class Watchdog:
    dog = None
    def feed(self):
        self.dog = self.dog or machine.WDT(timeout=8000)
        self.dog.feed()
    def stretch(self, timeout_ms):
        machine.WDT(timeout=timeout_ms)
class Board:
    name = "sim"
    watchdog = Watchdog()
    def reset_cause(self):
        return {1: "power", 2: "reset", 3: "watchdog", 5: "soft reset"}.get(machine.reset_cause(), "unknown")
    def trace(self, event, **fields):
        fields["event"] = event
        print(json.dumps(fields))
def essentials():
    return Board()
build = essentials
"""
APP = """
import time
from lapel.core import words
import aioble
def run(build, well=None, failed=0, cause=""):
    board = build()
    board.trace("boot", app=words.NAME, failed=failed)
    well()
    board.trace("well")
    while True:
        time.sleep_ms(5)
        board.watchdog.feed()
"""
SAFE_MODE = """
def start(essentials, cause):
    essentials.trace("safe_mode", cause=cause)
    return True
"""
AIOBLE = ("__init__", "core", "server")


def tree(folder: Path, name: str, *, app: str = APP, modules: int = 3, board: str = "sim") -> Path:
    """A checkout whose app says `name` when it boots; `modules` more files of some 900 B of bytecode each."""
    files = {
        "pyproject.toml": 'version = "0.1.0"\n',
        "firmware/main.py": (ROOT / "firmware" / "main.py").read_text(encoding="utf-8"),
        "firmware/lapel/__init__.py": "",
        "firmware/lapel/app.py": app,
        "firmware/lapel/safe_mode.py": SAFE_MODE,
        "firmware/lapel/core/__init__.py": "",
        "firmware/lapel/core/words.py": f"NAME = {name!r}\n",
        "lib/lapel_wire/__init__.py": "",
        "lib/drivers/kernel.py": "@micropython.viper\ndef f(x: int) -> int:\n    return x + 1\n",
        f"boards/{board}/board.py": BOARD,
        f"boards/{board}/unused.py": "1/0\n",
    }
    for number in range(modules):
        lines = "\n".join(f"def f{i}(a, b):\n    return (a * {i} + b, {'word' * 3 + str(i)!r})" for i in range(20))
        files[f"lib/lapel_audio/m{number}.py"] = f"NUMBER = {number}\n{lines}\n"
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def aioble(folder: Path) -> Path:
    """A checkout of something that has aioble's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in AIOBLE:
        (folder / f"{name}.py").write_text(f"# {name}\nNAME = {name!r}\n", encoding="utf-8")
    return folder
