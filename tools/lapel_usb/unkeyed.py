"""A backup never holds the pin's key: which files stay away, and how it is blotted out of an image of the flash."""

from __future__ import annotations

import re
import zlib
from pathlib import PurePosixPath

# A record of firmware/lapel/services/pairing.py: kind 10, version 1, 36 bytes of body; CRC32, generation, the key.
# Also one that was replaced and whose block is not erased yet, or that a power cut left half written.
_RECORD = re.compile(rb"\x0a\x01\x24\x00[\s\S]{4}[\s\S]{2}\x00\x00[\s\S]{32}")
_STATE, _ASIDE, _NAME = "data/state", "data/quarantine", "key"
_MARK = "data/clips/owner"
_CRC_BYTES = 4


def stays(path: str) -> bool:
    """Whether this file of the pin is, or was, its key, or made of it; one that was damaged is set aside under a longer
    name."""
    file = PurePosixPath(path)
    is_key = file.parent.as_posix() in (_STATE, _ASIDE) and file.name.split(" ")[0] == _NAME
    return is_key or path == _MARK


def without_keys(image: bytes) -> tuple[bytes, int]:
    """The image with each record of a key blotted out, and how many there were.

    LittleFS keeps small files in blocks with a CRC32 of their own. The last four bytes of a blotted record are such
    that it still holds, so the image mounts as before; they tell 32 bits of the key's 256, and the record is none.
    """
    count = 0

    def blotted(found: re.Match[bytes]) -> bytes:
        nonlocal count
        count += 1
        return _with_crc_of(found[0])

    return _RECORD.sub(blotted, image), count


def _with_crc_of(data: bytes) -> bytes:
    """Zeros that any CRC32 that runs over them takes for `data`."""
    zeros = bytes(len(data) - _CRC_BYTES)
    # The register after all of `data` is run back over four bytes: those lead to it from that after the zeros.
    table = [zlib.crc32(bytes((number,))) ^ zlib.crc32(b"\0") for number in range(256)]
    by_top = {entry >> 24: number for number, entry in enumerate(table)}
    register = zlib.crc32(data) ^ 0xFFFFFFFF
    for _ in range(_CRC_BYTES):
        number = by_top[register >> 24]
        register = ((register ^ table[number]) << 8 | number) & 0xFFFFFFFF
    return zeros + (register ^ zlib.crc32(zeros) ^ 0xFFFFFFFF).to_bytes(_CRC_BYTES, "little")
