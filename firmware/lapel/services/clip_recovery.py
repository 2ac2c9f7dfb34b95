"""What a clip file on flash is worth: whole, cut by a power loss, empty, or broken."""

import binascii
import hashlib
import os

from lapel.core import clip_layout, records
from lapel.services import store_files

WHOLE = "whole"
CUT = "cut"
EMPTY = "empty"
BROKEN = "broken"

QUARANTINE_MAX = 8


def settle(path: str, number: int, pages):
    """(WHOLE, CUT, EMPTY or BROKEN; bytes of audio or the reason; epoch) of one file after mount.

    A clip without an end gets one over the pages that pass their CRC32, and is CUT from then on.
    `pages` is a clip_reader.PageCache. Raises StoreError when the flash fails.
    """
    size = store_files.size(path)
    if size == 0:
        return EMPTY, 0, None
    try:
        with open(path, "rb") as file:
            meta, header_bytes = clip_layout.unpack_header(file.read(clip_layout.HEADER_MAX_BYTES))
            if meta["n"] != number:
                return BROKEN, "it says that it is clip %d" % meta["n"], None
            end = read_end(file, header_bytes)
            if end is not None:
                return WHOLE, end[0], meta["ep"]
            good_bytes, digest = _good_audio(file, header_bytes, size, pages, None)
    except OSError as error:
        raise store_files.failure(error, "looking at clip %d" % number) from None
    except records.BadRecord as bad:
        return BROKEN, str(bad), None
    _append_end(path, number, meta, good_bytes, digest)
    return CUT, good_bytes, meta["ep"]


def read_end(file, header_bytes: int):
    """(bytes of audio, ms, SHA-256 in hex, cut) from the end of the file, or None. Raises OSError."""
    size = file.seek(0, 2)
    if size < header_bytes + clip_layout.END_BYTES:
        return None
    file.seek(size - clip_layout.END_BYTES)
    try:
        data_bytes, ms, digest, cut = clip_layout.unpack_end(file.read(clip_layout.END_BYTES))
    except records.BadRecord:
        return None
    if clip_layout.file_bytes(header_bytes + data_bytes) > size:
        return None
    return data_bytes, ms, binascii.hexlify(digest).decode(), cut


def shorten(path: str, number: int, header_bytes: int, meta: dict, good_bytes: int, pages) -> None:
    """Appends an end record over the first `good_bytes`, where a later page was found damaged."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            good_bytes, digest = _good_audio(file, header_bytes, size, pages, good_bytes)
    except OSError as error:
        raise store_files.failure(error, "reading clip %d again" % number) from None
    _append_end(path, number, meta, good_bytes, digest)


def _good_audio(file, header_bytes: int, size: int, pages, limit):
    # The longest prefix of pages that pass their CRC32, and its SHA-256.
    sha = hashlib.sha256()
    good, page = 0, 0
    pages.forget()
    while limit is None or good < limit:
        payload = clip_layout.payload_bytes(page)
        if clip_layout.page_start(page + 1) > size:
            # The last page of a clip whose end record alone is unreadable.
            payload = size - clip_layout.page_start(page) - clip_layout.CRC_BYTES - clip_layout.END_BYTES
        view = pages.load(None, file, page, payload) if payload > 0 else None
        if view is None:
            break
        sha.update(view[header_bytes:] if page == 0 else view)
        good = clip_layout.stream_start(page) + payload - header_bytes
        page += 1
    pages.forget()
    return good, sha.digest()


def _append_end(path: str, number: int, meta: dict, good_bytes: int, digest: bytes) -> None:
    record = clip_layout.pack_end(good_bytes, clip_layout.duration_ms(meta, good_bytes), digest, True)
    try:
        file = open(path, "ab")
        try:
            file.write(record)
            file.flush()
        finally:
            file.close()
    except OSError as error:
        raise store_files.failure(error, "closing clip %d" % number) from None


class Quarantine:
    """A folder for files that cannot be understood: the newest few are kept for a person to look at."""

    def __init__(self, folder: str, trace) -> None:
        self._folder = folder
        self._trace = trace
        # Files moved here since the start.
        self.count = 0

    def take(self, path: str, name: str, reason: str) -> None:
        """Moves the file here as `name` and reports it. It is gone from where it was, whatever happens."""
        self.count += 1
        self._trace("quarantined", file=name, reason=reason)
        store_files.make_folder(self._folder)
        try:
            held = sorted(os.listdir(self._folder))
            while len(held) >= QUARANTINE_MAX:
                os.remove(self._folder + "/" + held.pop(0))
            os.rename(path, self._folder + "/" + name)
        except OSError as error:
            raise store_files.failure(error, "moving " + name + " to quarantine") from None
