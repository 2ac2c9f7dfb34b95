"""`make wipe`: a pin forgets. What is removed stays in the flash until its block is erased, so every block is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lapel_usb import inventory
from lapel_usb.copying import Copier
from lapel_usb.errors import Refused, UsbError
from lapel_usb.link import PinLink

KEPT = "data"


@dataclass(frozen=True)
class Wanted:
    """`everything`: the app, too. `unsent`: said twice, although recordings wait."""

    everything: bool = False
    unsent: bool = False


def run(
    link: PinLink,
    wanted: Wanted,
    ask: Callable[[str], bool],
    tell: Callable[[str], None],
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> None:
    """Asks, and erases. Raises Refused while recordings wait that no computer has."""
    if not link.facts.mounted and not wanted.everything:
        raise UsbError("The filesystem of the pin does not mount.", "Erase all of it:  make wipe ALL=1")
    held = inventory.take(link)
    if held.clips and not wanted.unsent:
        raise Refused(
            f"{len(held.clips)} recordings wait on the pin that no computer has taken.",
            "Let the companion fetch them (lapel run), or keep them:  make backup\n"
            "To lose them:  make wipe UNSENT=1",
        )
    what = "everything on the pin, its app too" if wanted.everything else "recordings, settings and key"
    if not ask(f"Erase {what}? This cannot be undone."):
        tell("Nothing was erased.")
        return

    if wanted.everything:
        link.run(_FORGET)
        link.run(_ERASE, timeout_s=60, on_line=lambda line: _step(line, progress))
        tell("Everything is erased. To put an app on it again:  make flash BOARD=...")
        link.reset()
        return
    erase(link, progress)
    tell("Recordings, settings and key are erased. The app is still there. To use it again:  lapel pair")


def erase(link: PinLink, progress: Callable[[int, int], None] = lambda done, whole: None) -> None:
    """Everything personal. Unplugged in between, the pin goes on with it by itself at its next start
    (firmware/lapel/services/store_wipe.py)."""
    copier = Copier(link)
    link.run(_BEGIN, timeout_s=60)
    link.run(_FORGET)
    link.run(_FILL, timeout_s=60, on_line=lambda line: _step(line, progress))
    # with it goes the mark
    copier.remove(KEPT)


def _step(line: str, progress: Callable[[int, int], None]) -> None:
    done, _, whole = line.partition(" ")
    if done.isdigit() and whole.isdigit():
        progress(int(done), int(whole))


# What survives a reset.
_FORGET = """
try:
    import machine
    machine.RTC().memory(b"")
except (ImportError, AttributeError):
    pass
"""
# Every block, directly; the next start finds an empty flash and makes a filesystem.
_ERASE = """
import vfs
from flashbdev import bdev
try:
    vfs.umount("/")
except OSError:
    pass
_count = bdev.ioctl(4, 0)
for _i in range(_count):
    bdev.ioctl(6, _i)
    if _i % 16 == 15:
        if _dog: _dog.feed()
        print(_i + 1, _count)
"""
# The mark that everything is to be forgotten goes last.
_BEGIN = """
import os
try:
    os.mkdir("/data")
except OSError:
    pass
open("/data/forget", "wb").close()
for _name in os.listdir("/data"):
    if _name != "forget":
        _remove("/data/" + _name)
"""
# The file system erases each block before it gives it to the file.
_FILL = """
import os
_ones = b"\\xff" * 4096
_free = os.statvfs("/")[3]
_n = 0
_f = open("/ones", "wb")
try:
    while True:
        _f.write(_ones)
        _n += 1
        if _n % 16 == 0:
            if _dog: _dog.feed()
            print(_n, _free)
except OSError as _e:
    if _e.errno != 28:
        raise
finally:
    _f.close()
    os.remove("/ones")
"""
