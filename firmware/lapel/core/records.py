"""How every durable record is framed: kind, version, length and CRC32 before the body.

Eight bytes, little-endian: u8 kind, u8 version, u16 body length, u32 CRC32 over those four bytes
and the body. Nothing in a body is looked at before its length and CRC32 were right.
"""

import binascii
import struct

from lapel.compat import const

HEADER = const(1)
END = const(2)
DEVICE = const(3)
COUNTER = const(4)
SETTINGS = const(5)
CANCELS = const(6)
NOTICE = const(7)
MARKS = const(8)
TALLY = const(9)
KEY = const(10)

FRAME_BYTES = 8
BODY_MAX_BYTES = 2000
_VERSION = const(1)


class BadRecord(ValueError):
    """Bytes that are no record of the wanted kind; the text says why."""


def pack(kind: int, body) -> bytes:
    """The framed record. ValueError when the body is longer than BODY_MAX_BYTES."""
    if len(body) > BODY_MAX_BYTES:
        raise ValueError("a record of %d bytes is longer than %d" % (len(body), BODY_MAX_BYTES))
    head = struct.pack("<BBH", kind, _VERSION, len(body))
    return head + struct.pack("<I", crc32(body, crc32(head))) + bytes(body)


def unpack(kind: int, data, exact: bool = True) -> bytes:
    """The body of the record at the start of `data`; with `exact`, nothing may follow it."""
    if len(data) < FRAME_BYTES:
        raise BadRecord("%d bytes are too few for a record" % len(data))
    found, version, length, crc = struct.unpack_from("<BBHI", data, 0)
    if found != kind or version != _VERSION:
        raise BadRecord("kind %d version %d where kind %d belongs" % (found, version, kind))
    end = FRAME_BYTES + length
    if length > BODY_MAX_BYTES or end > len(data) or (exact and end != len(data)):
        raise BadRecord("a length of %d does not fit %d bytes" % (length, len(data)))
    view = memoryview(data)
    body = bytes(view[FRAME_BYTES:end])
    if crc32(body, crc32(view[:4])) != crc:
        raise BadRecord("checksum does not match")
    return body


def crc32(data, value: int = 0) -> int:
    """CRC32 (IEEE 802.3) of `data`, continuing from `value`; never negative."""
    return binascii.crc32(data, value) & 0xFFFFFFFF
