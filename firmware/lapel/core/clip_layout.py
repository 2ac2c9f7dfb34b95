"""Where the bytes of a clip lie in its file: pages with a CRC32 at their end, then an end record.

A page is one LittleFS file block, or an equal part of one: each is synced at its end, so it is what
a power cut can take, and about half a second in every codec. Block 0 of a file holds 4096 bytes,
block i >= 1 holds 4096 less one pointer for each trailing zero bit of i and one more (littlefs
DESIGN.md, "CTZ skip-lists"). A file synced exactly at such a border goes on in a fresh block;
anywhere else the last block is copied, which costs an erase. The last four bytes of a page are the
CRC32 of the rest of it.

The payloads of all pages, joined, are the stream: header record, then the audio. After the last
byte of audio follow the CRC32 of a page that is not full, and the end record. The end record that
stands last in the file counts; without one the clip was cut.
"""

import struct

from lapel.core import records

BLOCK_BYTES = 4096
CRC_BYTES = 4
_CUT = 1
_OPUS = "opus"
_OPUS_BYTES_S = 3050
# 1365 B of Opus are 0.67 s at 16 kbit/s and 0.34 s at 32; a block of ADPCM is 0.51 s.
_OPUS_PARTS = 3
END_BYTES = records.FRAME_BYTES + 41
META_MAX_BYTES = 400
# A header record of any size (services/clip_header.py).
HEADER_MAX_BYTES = records.FRAME_BYTES + META_MAX_BYTES


def parts(meta: dict) -> int:
    """Pages a block."""
    return _OPUS_PARTS if meta["codec"] == _OPUS else 1


def block_start(block: int) -> int:
    """File offset at which `block` begins."""
    if block == 0:
        return 0
    ones, rest = 0, block - 1
    while rest:
        rest &= rest - 1
        ones += 1
    # Pointers in blocks 1 to block-1: the sum of ctz(k) + 1 is 2 * (block - 1) - popcount(block - 1).
    return block * BLOCK_BYTES - 4 * (2 * (block - 1) - ones)


def page_start(page: int, parts: int = 1) -> int:
    """File offset at which `page` begins."""
    return block_start(page // parts) + page % parts * (BLOCK_BYTES // parts)


def stream_start(page: int, parts: int = 1) -> int:
    """Position in the stream at which `page` begins."""
    return page_start(page, parts) - page * CRC_BYTES


def payload_bytes(page: int, parts: int = 1) -> int:
    """Bytes of the stream that `page` holds."""
    return stream_start(page + 1, parts) - stream_start(page, parts)


def page_of(position: int, parts: int = 1) -> int:
    """The page that holds this byte of the stream."""
    page = position * parts // (BLOCK_BYTES - parts * CRC_BYTES)
    while page and stream_start(page, parts) > position:
        page -= 1
    while stream_start(page + 1, parts) <= position:
        page += 1
    return page


def file_bytes(stream_bytes: int, parts: int = 1) -> int:
    """Size of the finished file of a stream."""
    page = page_of(stream_bytes, parts)
    rest = stream_bytes - stream_start(page, parts)
    return page_start(page, parts) + (rest + CRC_BYTES if rest else 0) + END_BYTES


def blocks(size_bytes: int) -> int:
    """Blocks that a file of this size takes."""
    if size_bytes <= 0:
        return 0
    block = size_bytes // BLOCK_BYTES
    while block_start(block) < size_bytes:
        block += 1
    return block


def bytes_per_second(meta: dict) -> int:
    """Data rate of the codec: IMA ADPCM has four bits a sample; of Opus the usual rate."""
    return _OPUS_BYTES_S if meta.get("codec") == _OPUS else max(1, meta["rate"] // 2)


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
