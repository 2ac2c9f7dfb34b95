"""Puts an app into its folder on a pin, beside the one that runs: only what is not there yet, each file verified.

Nothing here changes what the pin would start; that is the switch's (flash.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from lapel_usb import inventory
from lapel_usb.build import MANIFEST, App, sha256
from lapel_usb.errors import Full, PinError, UsbError
from lapel_usb.inventory import Inventory
from lapel_usb.link import PinLink

# `_digest` and `_copy` print a SHA-256 in hex, "" when there is no such file; `_make` makes a file's folders;
# `_remove` takes away a file or a whole folder.
_TOOLS = """
import hashlib, binascii, os
def _through(source, target):
    h = hashlib.sha256()
    b = memoryview(bytearray(1024))
    while True:
        n = source.readinto(b)
        if not n:
            break
        h.update(b[:n])
        if target:
            target.write(b[:n])
    return binascii.hexlify(h.digest()).decode()
def _digest(path):
    try:
        with open(path, "rb") as f:
            print(_through(f, None))
    except OSError:
        print("")
def _copy(old, new):
    try:
        with open(old, "rb") as f:
            with open(new, "wb") as g:
                print(_through(f, g))
    except OSError:
        print("")
def _make(path):
    parts = path.split("/")
    for i in range(2, len(parts)):
        try:
            os.mkdir("/".join(parts[:i]))
        except OSError as e:
            if e.errno != 17:
                raise
def _remove(path):
    try:
        if os.stat(path)[0] & 0x4000:
            for entry in list(os.ilistdir(path)):
                _remove(path + "/" + entry[0])
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError as e:
        if e.errno != 2:
            raise
"""
_SLOW_S = 60


@dataclass
class Copied:
    """What it took."""

    kept: int = 0
    taken_over: int = 0
    sent: int = 0
    sent_bytes: int = 0


class Copier:
    """`progress(done, all)` hears of bytes on the pin, of all bytes of the app."""

    def __init__(self, link: PinLink, progress: Callable[[int, int], None] = lambda done, whole: None) -> None:
        self._link = link
        self._progress = progress
        link.run(_TOOLS)

    def digest(self, path: str) -> str:
        """SHA-256 of a file, "" when there is none."""
        return self._link.run(f"_digest({'/' + path!r})", timeout_s=_SLOW_S).strip()

    def remove(self, path: str) -> None:
        """A file, or a folder and all in it; nothing when it is not there."""
        self._link.run(f"_remove({'/' + path!r})", timeout_s=_SLOW_S)

    def rename(self, old: str, new: str) -> None:
        """In one step, also over a file that is there."""
        self._link.run(f"os.rename({'/' + old!r}, {'/' + new!r})", timeout_s=_SLOW_S)

    def keep(self, path: str, copy: str) -> None:
        """A copy of it under another name, if that is not there yet."""
        if not self.digest(copy):
            self._link.run(f"_copy({'/' + path!r}, {'/' + copy!r})", timeout_s=_SLOW_S)

    def replace(self, path: str, data: bytes) -> None:
        """The file holds this; at every moment it is the old one or the new one. Raises UsbError when the flash
        did not keep what was written."""
        self._fresh(path, data)
        self.rename(f"{path}.new", path)

    def complete(self, app: App, held: Inventory) -> Copied:
        """All of the app in its folder, and its manifest last. Raises UsbError."""
        done = Copied()
        sources = _sources(app, held)
        there = held.below(app.folder)
        whole = sum(len(data) for data in app.files.values())
        behind = 0
        for path, digest in app.digests.items():
            target = f"{app.folder}/{path}"
            if path in there and self.digest(target) == digest:
                done.kept += 1
            elif digest in sources and self._take_over(sources[digest], target, digest):
                done.taken_over += 1
            elif path in app.files:
                self.replace(target, app.files[path])
                done.sent += 1
                done.sent_bytes += len(app.files[path])
            else:
                raise UsbError(f"{path} on the pin is damaged, and this computer does not have it.", _WITHOUT)
            behind += len(app.files.get(path, b""))
            self._progress(behind, whole)
        for path in there:
            if path not in app.digests and path != MANIFEST:
                self.remove(f"{app.folder}/{path}")
        manifest = app.manifest(self._link.facts.version_text)
        if self.digest(f"{app.folder}/{MANIFEST}") != sha256(manifest):
            self.replace(f"{app.folder}/{MANIFEST}", manifest)
        return done

    def _fresh(self, path: str, data: bytes) -> None:
        self._link.run(f"_make({'/' + path!r})", timeout_s=_SLOW_S)
        self._link.write_file(f"/{path}.new", data)
        if self.digest(f"{path}.new") != sha256(data):
            self.remove(f"{path}.new")
            raise UsbError(
                f"/{path} does not read back as it was written: the flash of this pin fails.",
                "Type the command again. If it comes again, the chip's flash is worn out or badly powered.",
            )

    def _take_over(self, source: str, target: str, digest: str) -> bool:
        self._link.run(f"_make({'/' + target!r})", timeout_s=_SLOW_S)
        copied = self._link.run(f"_copy({'/' + source!r}, {f'/{target}.new'!r})", timeout_s=_SLOW_S).strip()
        if copied != digest or self.digest(f"{target}.new") != digest:
            return False
        self.rename(f"{target}.new", target)
        return True


def _sources(app: App, held: Inventory) -> dict[str, str]:
    """Where the pin has a file of that digest: in another whole app, by its manifest."""
    return {
        digest: f"{folder}/{path}"
        for folder, manifest in held.apps.items()
        if folder != app.folder
        for path, digest in manifest["files"].items()
    }


def blocks_needed(app: App, held: Inventory) -> int:
    """Blocks that the app takes beside what of it is there."""
    there = held.below(app.folder)
    sizes = [len(data) for path, data in app.files.items() if path not in there]
    on_pin = {digest: path for path, digest in app.held.items() if path not in there}
    sources = _sources(app, held)
    sizes += [held.files.get(sources.get(digest, ""), 0) for digest in on_pin]
    folders = {parent for path in app.digests for parent in PurePosixPath(app.folder, path).parents}
    fresh = sum(1 for folder in folders if folder.as_posix() not in held.folders and folder.as_posix() != ".")
    # the manifest, main.py and the switch
    return inventory.blocks_of(sizes) + inventory.FOLDER_BLOCKS * fresh + 6 + inventory.SPARE_BLOCKS


def is_full(error: PinError) -> bool:
    """Whether the pin's flash had no room left."""
    return "ENOSPC" in error.exception or error.exception.endswith("OSError: 28")


def full(needed: int, held: Inventory) -> Full:
    """Says what takes the room."""
    kb = inventory.BLOCK_BYTES // 1024
    lines = []
    if held.clips:
        lines.append(f"  {inventory.blocks_of(held.clips.values()) * kb} kB  {len(held.clips)} recordings that wait")
    apps = {folder: held.blocks(folder) for folder in [*held.apps, *held.leftovers]}
    for folder, blocks in apps.items():
        what = "the app that runs" if folder == held.current else "an app"
        lines.append(f"  {blocks * kb} kB  {what} ({folder})")
    known = (*apps, inventory.CLIPS)
    others = [size for path, size in held.files.items() if not path.startswith(tuple(f"{one}/" for one in known))]
    lines.append(f"  {inventory.blocks_of(others) * kb} kB  everything else")
    return Full(
        f"The app needs {needed * kb} kB on the pin, and {held.free_blocks * kb} kB are free. What takes the room:\n"
        + "\n".join(lines),
        "The app that runs was not touched. Let the companion fetch the recordings (lapel run), or keep them here and\n"
        "remove them from the pin:  make backup, then make wipe. Then type the command again.",
    )


_WITHOUT = "Type the command again with a network, or with AIOBLE=..., so that it can be sent."
