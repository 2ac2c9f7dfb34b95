"""aioble, the one library of others that the app needs: fetched once by mpremote's own mip, then kept here.

It goes to the pin inside the app's folder, like the app's own files: a copy that breaks off cannot leave the running
app without it, and the version before keeps the aioble that it was tried with.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
from collections.abc import Callable
from pathlib import Path

from mpremote import mip
from mpremote.commands import CommandError

from lapel_usb.build import ROOT, compile_to, module_name
from lapel_usb.errors import UsbError
from lapel_usb.facts import Facts

VERSION = "0.6.2"
PACKAGE = "aioble"
CACHE = ROOT / ".tools" / "aioble"
# Written last: what lies there is whole.
_WHOLE = "whole"
_FETCH_TIMEOUT_S = 20


class NoAioble(UsbError):
    """It is neither here nor to be had."""


def from_folder(folder: Path, arch: str, work: Path) -> dict[str, bytes]:
    """Compiled from a checkout of micropython-lib: the folder `aioble` with __init__.py in it, or the one around
    it. Raises UsbError."""
    package = folder / PACKAGE if (folder / PACKAGE / "__init__.py").is_file() else folder
    if not (package / "__init__.py").is_file() or not (package / "server.py").is_file():
        raise UsbError(
            f"AIOBLE={folder} holds no aioble.",
            "It should be micropython/bluetooth/aioble of a checkout of micropython-lib.",
        )
    found = {}
    for source in sorted(package.glob("*.py")):
        out = work / f"{source.stem}.mpy"
        compile_to(source, out, arch, module_name(f"{PACKAGE}/{source.stem}"))
        found[f"{PACKAGE}/{out.name}"] = out.read_bytes()
    return found


def fetched(facts: Facts, tell: Callable[[str], None], index: str = "", cache: Path = CACHE) -> dict[str, bytes]:
    """The pinned version for this pin's bytecode, from where it was kept, else from the package index. Raises
    NoAioble."""
    folder = cache / f"{VERSION}-{facts.mpy_version[0]}"
    if not (folder / _WHOLE).exists():
        tell(f"Fetching {PACKAGE} {VERSION} (once).")
        _fetch(folder, facts, index or mip._PACKAGE_INDEX)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.mpy"))
    }


def _fetch(folder: Path, facts: Facts, index: str) -> None:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_FETCH_TIMEOUT_S)
    try:
        # it prints what it installs, of each file
        with contextlib.redirect_stdout(io.StringIO()):
            mip._install_package(_Folder(folder, facts), PACKAGE, index.rstrip("/"), "", VERSION, True)
        (folder / _WHOLE).touch()
    except (CommandError, OSError, ValueError, AttributeError) as error:
        raise NoAioble(f"{PACKAGE} {VERSION} could not be fetched from {index}: {error}", WAYS) from error
    finally:
        socket.setdefaulttimeout(before)


WAYS = (
    "The app speaks Bluetooth by it. Any of these is a way:\n"
    "  connect this computer to the network for one flash; it is kept in .tools/aioble from then on\n"
    "  make flash ... AIOBLE=path/to/micropython-lib/micropython/bluetooth/aioble     from a checkout you have\n"
    "  make flash ... MIP_INDEX=https://...                                          another package index\n"
    "  make firmware ...                                                             an image with the app in it"
)


class _Folder:
    """A folder of this computer as mip sees a pin."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self._folder = folder
        self._facts = facts

    def exec(self, code: str) -> bytes:
        return b""

    def eval(self, expression: str) -> int:
        # the one thing mip asks: the version of bytecode
        return self._facts.mpy_version[0]

    def fs_exists(self, path: str) -> bool:
        return self._at(path).exists()

    def fs_mkdir(self, path: str) -> None:
        self._at(path).mkdir(parents=True)

    def fs_hashfile(self, path: str, algorithm: str) -> bytes:
        return hashlib.new(algorithm, self._at(path).read_bytes()).digest()

    def fs_writefile(self, path: str, data: bytes, **_: object) -> None:
        self._at(path).write_bytes(data)

    def _at(self, path: str) -> Path:
        return self._folder / path.lstrip("/")


