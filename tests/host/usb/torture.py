"""`make flash-torture`: a flash that breaks off at every operation and every piece, and a table of what came of it.

1. A small app, from one to the next: the image after each flash operation, whole and with the next one torn, is
   mounted and read. Then a pin is started from each of them (every STEP-th), says which app runs, and is flashed
   to the end.
2. The cable is pulled at each piece that the host sends (every STEP-th): the pin is reset by its watchdog, says which
   app runs, and is flashed to the end.
3. The real app for a XIAO ESP32S3, from one version to the next: every operation, by digest.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lapel_usb import build, flash, link, waking
from lapel_usb.errors import LinkLost, UsbError
from simulator.serial_pin import WATCHDOG, SerialPin
from simulator.serial_process import Claim
from tests.host.usb.desks import Desk, Written, each_piece, write_down

S3 = Claim(
    machine="Generic ESP32S3 module with Octal-SPIRAM with ESP32S3",
    mpy=6 | 3 << 8 | 10 << 10,
    psram_bytes=8 << 20,
    flash_bytes=8 << 20,
)
COPIED = ("firmware", "lib", "boards", "pyproject.toml")


def judged(written: Written) -> Counter[str]:
    """Which app each image would start."""
    names = {f"app/{written.old}": "old", f"app/{written.new}": "new"}
    found: Counter[str] = Counter()
    for torn in (False, True):
        for verdict in written.verdicts(torn=torn):
            found[names.get(verdict.split(" ")[0], "NONE")] += 1
    return found


def booted(written: Written, folder: Path, step: int) -> Counter[str]:
    """Pins that were started from such images, and flashed again to the end."""
    found: Counter[str] = Counter()
    for number in range(0, len(written.operations), step):
        for torn in (False, True):
            case = folder / f"{number}{'t' * torn}"
            (case / "pin").mkdir(parents=True)
            (case / "pin" / "usb-flash.bin").write_bytes(written.image_after(number, torn=torn))
            with SerialPin(case / "pin") as pin:
                desk = Desk(pin, case)
                found[desk.started()] += 1
                ended = desk.flash("new") == written.new and desk.restart() == "new"
                found["then new" if ended and not pin.flash.rules_broken else "THEN BROKEN"] += 1
            shutil.rmtree(case)
            show(f"  booted {number} of {len(written.operations)}")
    return found


def unplugged(folder: Path, pieces: int, step: int) -> Counter[str]:
    """Cables that were pulled at such a piece."""
    found: Counter[str] = Counter()
    link._STRETCH = "import machine\n_dog = machine.WDT(timeout=700)\n"
    waking.RETURN_S = 0.1
    for number in range(0, pieces, step):
        case = folder / f"cable{number}"
        with SerialPin(case / "pin") as pin:
            desk = Desk(pin, case)
            desk.flash("old")
            left = itertools.count(number, -1)

            def pull(pin: SerialPin = pin, left: Iterator[int] = left) -> None:
                if next(left) == 0:
                    pin.unplug()

            since = len(pin.output)
            try:
                with each_piece(pull):
                    desk.flash("new")
                found["not reached"] += 1
                continue
            except LinkLost:
                found[after_the_cable(desk, since)] += 1
            if pin.resets and pin.resets[-1] != WATCHDOG:
                found["RESET OTHERWISE"] += 1
            pin.plug()
            desk.flash("new")
            found["then new" if desk.restart() == "new" else "THEN BROKEN"] += 1
        shutil.rmtree(case)
        show(f"  unplugged at {number} of {pieces}")
    return found


def after_the_cable(desk: Desk, since: int) -> str:
    """What became of a pin whose cable was pulled."""
    try:
        return desk.started(since, timeout_s=5)
    except TimeoutError:
        said = desk.pin.output[since:]
        if b"the app is stopped" not in said:
            return "old runs on"
        # between Ctrl-C and our first program, the watchdog: main.py has stretched it for who sits at the console
        return f"{desk.restart()} after RESET" if b"\x04\x04" not in said else "NONE"


def real(folder: Path) -> Written:
    """The app of this checkout, and then one in which three files are others."""
    flash.WELL_S = 0.5
    for name in ("old", "new"):
        for one in COPIED:
            source, target = build.ROOT / one, folder / name / one
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
    for changed in ("firmware/lapel/core/states.py", "lib/drivers/button.py", "firmware/main.py"):
        path = folder / "new" / changed
        path.write_text(path.read_text(encoding="utf-8") + "\nCHANGED = 1\n", encoding="utf-8")

    def put(desk: Desk, name: str) -> str:
        # its machine code is another chip's: it is whole, and cannot run here
        with contextlib.suppress(UsbError):
            desk.flash(name, board="xiao_esp32s3", root=folder / name)
        words = next(sentence for sentence in desk.said if "whole and verified" in sentence)
        return words.split()[0].removeprefix("app/")

    return write_down(folder, lambda desk: put(desk, "old"), lambda desk: put(desk, "new"), blocks=512, claim=S3)


def show(words: str) -> None:
    """On one line, on a terminal."""
    if sys.stdout.isatty():
        print(f"\r{words:60}", end="", flush=True)


def row(what: str, found: Counter[str], started: float) -> bool:
    """One line of the table; False when something is wrong in it."""
    show("")
    told = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
    print(f"\r{what:48} {sum(found.values()):6}   {told}   ({time.monotonic() - started:.0f} s)", flush=True)
    return not any(name.isupper() for name in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", type=int, default=1, help="boot every n-th case (reading is done for all)")
    step = parser.parse_args().step
    good = True
    print(f"{'what':48} {'cases':>6}   what runs then")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.monotonic()
        small = write_down(folder / "small", lambda desk: desk.flash("old"), lambda desk: desk.flash("new"))
        good &= row("small app: each operation, whole and torn", judged(small), started)
        started = time.monotonic()
        good &= row("  ... started from there, and flashed again", booted(small, folder / "boots", step), started)
        started = time.monotonic()
        pieces = len(small.pieces)
        good &= row("  ... cable pulled at each piece", unplugged(folder / "cables", pieces, step), started)
        started = time.monotonic()
        good &= row("real app, over another: each operation", judged(real(folder / "real")), started)
    print("An app was there in every case." if good else "THERE WAS A CASE WITHOUT AN APP.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
