"""Where the bytes of a clip lie in its file: pages with a CRC32 at their end, then an end record.

A page is one LittleFS file block: block 0 holds 4096 bytes, block i >= 1 holds 4096 less one
pointer for each trailing zero bit of i and one more (littlefs DESIGN.md, "CTZ skip-lists"). A
file synced exactly at such a border goes on in a fresh block; anywhere else the last block is
copied, which costs an erase. The last four bytes of a page are the CRC32 of the rest of it.

The payloads of all pages, joined, are the stream: header record, then the audio. After the last
byte of audio follow the CRC32 of a page that is not full, and the end record. The end record that
stands last in the file counts; without one the clip was cut.
"""

import struct

from lapel.core import records

BLOCK_BYTES = 4096
CRC_BYTES = 4
PAYLOAD_MAX_BYTES = BLOCK_BYTES - CRC_BYTES
_CUT = 1
END_BYTES = records.FRAME_BYTES + 41
META_MAX_BYTES = 400
# A header record of any size (services/clip_header.py).
HEADER_MAX_BYTES = records.FRAME_BYTES + META_MAX_BYTES


def page_start(page: int) -> int:
    """File offset at which `page` begins."""
    if page == 0:
        return 0
    ones, rest = 0, page - 1
    while rest:
        rest &= rest - 1
        ones += 1
    # Pointers in blocks 1 to page-1: the sum of ctz(k) + 1 is 2 * (page - 1) - popcount(page - 1).
    return page * BLOCK_BYTES - 4 * (2 * (page - 1) - ones)


def stream_start(page: int) -> int:
    """Position in the stream at which `page` begins."""
    return page_start(page) - page * CRC_BYTES


def payload_bytes(page: int) -> int:
    """Bytes of the stream that `page` holds."""
    return stream_start(page + 1) - stream_start(page)


def page_of(position: int) -> int:
    """The page that holds this byte of the stream."""
    page = position // PAYLOAD_MAX_BYTES
    while stream_start(page + 1) <= position:
        page += 1
    return page


def file_bytes(stream_bytes: int) -> int:
    """Size of the finished file of a stream."""
    page = page_of(stream_bytes)
    rest = stream_bytes - stream_start(page)
    return page_start(page) + (rest + CRC_BYTES if rest else 0) + END_BYTES


def blocks(size_bytes: int) -> int:
    """Blocks that a file of this size takes."""
    if size_bytes <= 0:
        return 0
    page = size_bytes // BLOCK_BYTES
    while page_start(page) < size_bytes:
        page += 1
    return page


def bytes_per_second(meta: dict) -> int:
    """Data rate of the codec: IMA ADPCM has four bits a sample."""
    return max(1, meta["rate"] // 2)


def duration_ms(meta: dict, data_bytes: int) -> int:
    """Playing time of so much audio."""
    return data_bytes * 1000 // bytes_per_second(meta)


def pack_end(data_bytes: int, ms: int, sha: bytes, cut: bool) -> bytes:
    """The end record (END_BYTES long): u32 bytes of audio, u32 ms, u8 flags (1: cut), 32 B SHA-256."""
    return records.pack(records.END, struct.pack("<IIB", data_bytes, ms, _CUT if cut else 0) + sha)


def unpack_end(data):
    """(bytes of audio, ms, SHA-256, cut). Raises records.BadRecord."""
    body = records.unpack(records.END, data)
    if len(body) != END_BYTES - records.FRAME_BYTES:
        raise records.BadRecord("an end record of %d bytes" % len(body))
    data_bytes, ms, flags = struct.unpack_from("<IIB", body, 0)
    return data_bytes, ms, body[9:], bool(flags & _CUT)
