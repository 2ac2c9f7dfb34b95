"""A simulated pin and its companion get a random key, before the power is on: the pin's firmware writes it to the
pin's flash (boards/sim/pair.py), the companion's own key store keeps it, as after `lapel pair`.

It is kept in the state folder, never in the user's keyring: a simulation leaves nothing behind.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from pathlib import Path

from lapel_companion.pairing import Key, KeyFile
from simulator.compiled import ROOT, compiled
from simulator.pin import CLASSIC, PinSpec, find_interpreter
from simulator.serial_flash import SerialFlash

_HEAP = "heapsize=2m"
_LIMIT_S = 60
# flash_dir of the boards, without where the file system is mounted.
_FOLDERS = {CLASSIC: ""}
_HARDWARE_FOLDER = "/data"


class CannotPair(Exception):
    """The simulated pin did not take its key; the text says why."""


def pair(state: Path, image: Path, pin: PinSpec) -> None:
    """A state folder that has a key keeps it; else both sides get one. A program in the firmware's place needs none.

    Raises CannotPair, PairingError, NoInterpreter, CannotCompile.
    """
    keys = KeyFile(state)
    if pin.main is None and keys.load() is None:
        key = Key(1, secrets.token_bytes(32))
        give(key, image, pin.board)
        keys.save(key)


def give(key: Key, image: Path, board: str = CLASSIC) -> None:
    """Writes the key into the flash image of a pin without power, whatever that runs on. Raises as `pair`."""
    python = find_interpreter()
    sim = ROOT / "boards" / CLASSIC
    path = compiled([ROOT / "firmware", ROOT / "lib", sim, sim / "usb"], python)
    with tempfile.TemporaryDirectory(prefix="lapel-pair-") as folder:
        flash = SerialFlash(Path(folder), image=image)
        where = _FOLDERS.get(board, _HARDWARE_FOLDER)
        numbers = [str(flash.blocks), where, str(key.generation)]
        arguments = ["-m", "pair", str(image.absolute()), str(flash.state), *numbers]
        done = subprocess.run(
            [python, "-X", _HEAP, *arguments],
            input=key.secret,
            env={**os.environ, "MICROPYPATH": ":".join([*map(str, path), ".frozen"])},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LIMIT_S,
            check=False,
        )
        broken = flash.rules_broken
    if done.returncode or broken:
        said = done.stdout.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit {done.returncode}, {broken} rules of NOR broken"
        raise CannotPair(f"the simulated pin did not take its key: {why}")
