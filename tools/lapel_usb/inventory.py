"""What lies on a pin: its apps, its recordings, and how much room there is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from lapel_usb.build import MANIFEST
from lapel_usb.errors import StrangeAnswer
from lapel_usb.link import PinLink

BLOCK_BYTES = 4096
# A folder takes a pair of blocks; a file its data and something of its folder.
FOLDER_BLOCKS = 2
# For the file system itself, the settings and the flight recorder.
SPARE_BLOCKS = 16
CLIPS = "data/clips"

_LIST = """
import os, json
def _walk(path, found):
    try:
        entries = sorted(os.ilistdir("/" + path))
    except OSError:
        return found
    for entry in entries:
        # where another file system is mounted (a ROM, say), there is no size
        if len(entry) < 4:
            continue
        name = path + "/" + entry[0] if path else entry[0]
        if entry[1] & 0x4000:
            found.append([name + "/", 0])
            _walk(name, found)
        else:
            found.append([name, entry[3]])
    return found
for _one in _walk("", []):
    print(json.dumps(_one))
"""


@dataclass(frozen=True)
class Inventory:
    """`files` are sizes by path, without a slash in front; `folders` the paths of folders; `current` is the folder
    of the app that runs, "" for none; `apps` the manifests of whole apps by folder."""

    files: Mapping[str, int]
    folders: frozenset[str]
    current: str
    apps: Mapping[str, Mapping[str, Any]]
    free_blocks: int

    @property
    def previous(self) -> list[str]:
        """Whole apps that do not run."""
        return sorted(folder for folder in self.apps if folder != self.current)

    @property
    def leftovers(self) -> list[str]:
        """Folders of apps that were never finished."""
        return sorted(
            folder
            for folder in self.folders
            if len(PurePosixPath(folder).parts) == 2 and folder.startswith("app/") and folder not in self.apps
        )

    @property
    def clips(self) -> dict[str, int]:
        """Recordings that no computer has taken yet: size by path."""
        return {path: size for path, size in self.below(CLIPS).items() if path.isdecimal()}

    def below(self, folder: str) -> dict[str, int]:
        """Sizes of the files in a folder, by their path in it."""
        prefix = folder + "/"
        return {path[len(prefix) :]: size for path, size in self.files.items() if path.startswith(prefix)}

    def blocks(self, folder: str) -> int:
        """What a folder takes."""
        inner = sum(1 for one in self.folders if one == folder or one.startswith(folder + "/"))
        return blocks_of(self.below(folder).values()) + FOLDER_BLOCKS * inner


def blocks_of(sizes: Any) -> int:
    """Blocks of files that big."""
    return sum(-(-size // BLOCK_BYTES) for size in sizes)


def take(link: PinLink) -> Inventory:
    """Looks. Raises LinkLost, PinError, StrangeAnswer."""
    files, folders = _listed(link.run(_LIST, timeout_s=30))
    current = link.read_file("/current").decode(errors="replace").split("\n")[0].strip() if "current" in files else ""
    apps = {}
    for folder in sorted(folders):
        if f"{folder}/{MANIFEST}" in files and folder.startswith("app/"):
            manifest = _manifest(link.read_file(f"/{folder}/{MANIFEST}"))
            if manifest is not None:
                apps[folder] = manifest
    free = str(link.evaluate("__import__('os').statvfs('/')[3]", timeout_s=30))
    if not free.isascii() or not free.isdecimal() or len(free) > 18:
        raise StrangeAnswer("how much room it has", free)
    return Inventory(files, frozenset(folders), current, apps, int(free))


def _listed(answer: str) -> tuple[dict[str, int], set[str]]:
    files: dict[str, int] = {}
    folders = set()
    for line in answer.splitlines():
        try:
            path, size = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            raise StrangeAnswer("what lies on it", line) from None
        if not isinstance(path, str) or not isinstance(size, int):
            raise StrangeAnswer("what lies on it", line)
        if path.endswith("/"):
            folders.add(path[:-1])
        else:
            files[path] = size
    return files, folders


def _manifest(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("files"), dict) else None
