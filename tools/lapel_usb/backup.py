"""`make backup`: what a pin remembers, into a folder of this computer, each file compared by digest. Not its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path, PurePosixPath

from lapel_usb import inventory, unkeyed
from lapel_usb.build import sha256
from lapel_usb.copying import Copier
from lapel_usb.errors import UsbError
from lapel_usb.link import PinLink
from lapel_wire import flight_log, flight_reading

KEPT = "data"
LIST = "SHA256SUMS"
IMAGE = "flash.bin"
RECORDER = "flight-recorder.bin"
RECORDER_WORDS = "flight-recorder.json"


def default_folder() -> Path:
    """lapel-backup-2026-11-21-1405"""
    return Path(datetime.now().astimezone().strftime("lapel-backup-%Y-%m-%d-%H%M"))


def run(
    link: PinLink,
    folder: Path,
    raw: bool,
    tell: Callable[[str], None],
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> None:
    """Makes the folder. With `raw` the whole flash as an image, in place of files. Raises UsbError."""
    if folder.exists():
        raise UsbError(f"{folder} is there already.", "Name another folder: TO=...")
    if not raw and not link.facts.mounted:
        raise UsbError(
            "The filesystem of the pin does not mount, so there are no files to read.",
            "Its flash can be kept as an image:  make backup RAW=1",
        )
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    listed = _image(link, part, progress) if raw else _files(link, part, progress)
    (part / LIST).write_text("".join(f"{digest}  {path}\n" for path, digest in listed.items()), encoding="utf-8")
    part.rename(folder)
    tell(
        f"{folder} holds {len(listed)} files, each compared with the pin, and not its key; check them with:"
        f" sha256sum -c {LIST}"
    )


def _files(link: PinLink, folder: Path, progress: Callable[[int, int], None]) -> dict[str, str]:
    held = inventory.take(link)
    below = {path: size for path, size in held.files.items() if path.startswith(KEPT + "/")}
    paths = {path: size for path, size in below.items() if not unkeyed.stays(path)}
    whole, done = sum(paths.values()), 0
    copier = Copier(link)
    listed = {}
    for path, size in paths.items():
        if ".." in PurePosixPath(path).parts:
            continue
        data = link.read_file(f"/{path}")
        digest = sha256(data)
        if copier.digest(path) != digest:
            raise UsbError(f"/{path} did not arrive as it is on the pin.", "Type the command again.")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        listed[path] = digest
        done += size
        progress(done, whole)
    return listed | _recorder(link, folder)


def _recorder(link: PinLink, folder: Path) -> dict[str, str]:
    """The memory that survives a reset, as it is and as JSON."""
    kept = link.run(_RETAINED).strip()
    files = {RECORDER: bytes.fromhex(kept)}
    try:
        files[RECORDER_WORDS] = json.dumps(flight_reading.decode(files[RECORDER]), indent=2).encode() + b"\n"
    except flight_log.BadFlightLog:
        # the pin was without power since, or never ran
        if not kept:
            return {}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {name: sha256(data) for name, data in files.items()}


def _image(link: PinLink, folder: Path, progress: Callable[[int, int], None]) -> dict[str, str]:
    size = int(str(link.evaluate(_SIZE)))
    done = 0

    def read(count_bytes: int) -> None:
        nonlocal done
        done += count_bytes
        progress(done, size)

    data = link.read_with(_BEGIN, "_next()", "pass", read)
    digest = hashlib.sha256(data).hexdigest()
    if link.run("import binascii\nprint(binascii.hexlify(_sum.digest()).decode())").strip() != digest:
        raise UsbError("The image did not arrive as it was read on the pin.", "Type the command again.")
    data, _ = unkeyed.without_keys(data)
    (folder / IMAGE).write_bytes(data)
    return {IMAGE: sha256(data)}


_RETAINED = """
import binascii
try:
    import machine
    print(binascii.hexlify(machine.RTC().memory()).decode())
except (ImportError, AttributeError):
    print("")
"""
_SIZE = "(lambda b: b.ioctl(4, 0) * b.ioctl(5, 0))(__import__('flashbdev').bdev)"
_BEGIN = """
import hashlib
from flashbdev import bdev as _dev
_size = _dev.ioctl(5, 0)
_count = _dev.ioctl(4, 0)
_sum = hashlib.sha256()
_block = bytearray(_size)
_at = 0
def _next():
    global _at
    if _at == _count:
        return b""
    _dev.readblocks(_at, _block)
    _sum.update(_block)
    _at += 1
    return _block
"""
