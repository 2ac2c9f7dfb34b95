"""What a clip file on flash is worth: whole, cut by a power loss, empty, or broken."""

import binascii
import hashlib

from lapel.core import clip_layout, records
from lapel.services import clip_header, store_files
from lapel_audio.frames import FRAME_MS, Frames

WHOLE = "whole"
CUT = "cut"
EMPTY = "empty"
BROKEN = "broken"


def settle(path: str, number: int, pages, report):
    """(WHOLE, CUT, EMPTY or BROKEN; bytes of audio or the reason; epoch) of one file after mount.

    A clip without an end gets one over the pages that pass their CRC32, and is CUT from then on.
    `pages` is a clip_reader.PageCache, `report(error)` as of mend(). Raises StoreError when the flash fails.
    """
    if store_files.size(path) == 0:
        return EMPTY, 0, None
    try:
        with open(path, "rb") as file:
            meta, header_bytes = clip_header.unpack(file.read(clip_layout.HEADER_MAX_BYTES))
            if meta["n"] != number:
                return BROKEN, "it says that it is clip %d" % meta["n"], None
            end = read_end(file, header_bytes, meta)
    except OSError as error:
        raise store_files.failure(error, "looking at clip %d" % number) from None
    except records.BadRecord as bad:
        return BROKEN, str(bad), None
    if end is not None:
        return WHOLE, end[0], meta["ep"]
    return CUT, mend(path, number, header_bytes, meta, pages, report)[0], meta["ep"]


def read_end(file, header_bytes: int, meta: dict):
    """(bytes of audio, ms, SHA-256 in hex, cut) from the end of the file, or None. Raises OSError."""
    size = file.seek(0, 2)
    if size < header_bytes + clip_layout.END_BYTES:
        return None
    file.seek(size - clip_layout.END_BYTES)
    try:
        data_bytes, ms, digest, cut = clip_layout.unpack_end(file.read(clip_layout.END_BYTES))
    except records.BadRecord:
        return None
    if clip_layout.file_bytes(header_bytes + data_bytes, clip_layout.parts(meta)) > size:
        return None
    return data_bytes, ms, binascii.hexlify(digest).decode(), cut


def mend(path: str, number: int, header_bytes: int, meta: dict, pages, report, limit=None):
    """Ends a clip after its good pages, at most `limit` bytes of audio: as read_end(). It is cut from then on.

    An end that the flash does not take is reported, and found anew with the next look at the clip: what can be
    read is there without it. Raises StoreError when there is nothing to be read.
    """
    frames = Frames() if meta["codec"] == "opus" else None
    parts = clip_layout.parts(meta)
    try:
        with open(path, "rb") as file:
            good_bytes, digest = _good_audio(file, header_bytes, parts, pages, limit, frames)
    except OSError as error:
        raise store_files.failure(error, "reading clip %d again" % number) from None
    ms = FRAME_MS * frames.whole if frames else clip_layout.duration_ms(meta, good_bytes)
    try:
        file = open(path, "ab")
        try:
            file.write(clip_layout.pack_end(good_bytes, ms, digest, True))
            file.flush()
        finally:
            file.close()
    except OSError as error:
        report(store_files.failure(error, "closing clip %d" % number))
    return good_bytes, ms, binascii.hexlify(digest).decode(), True


def _good_audio(file, header_bytes: int, parts: int, pages, limit, frames):
    # The longest prefix of pages that pass their CRC32, and its SHA-256.
    sha = hashlib.sha256()
    good, page = 0, 0
    size = file.seek(0, 2)
    pages.forget()
    while limit is None or good < limit:
        start = clip_layout.page_start(page, parts)
        payload = clip_layout.payload_bytes(page, parts)
        view = _checked(file, start, payload, pages)
        if view is None:
            # The last page of a clip whose end record alone is unreadable.
            payload = min(payload, size - start - clip_layout.CRC_BYTES - clip_layout.END_BYTES)
            view = _checked(file, start, payload, pages)
        if view is None:
            break
        view = view[header_bytes:] if page == 0 else view
        sha.update(view)
        if frames:
            frames.take(view)
        good = clip_layout.stream_start(page, parts) + payload - header_bytes
        page += 1
    pages.forget()
    return good, sha.digest()


def _checked(file, start: int, payload: int, pages):
    try:
        return pages.load(None, file, start, payload) if payload > 0 else None
    except OSError:
        return None
