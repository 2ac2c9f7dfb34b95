"""The messages: a type byte, then raw audio or a checked JSON body.

A control message is type, u16 length, u32 CRC32 of the body, body; length and CRC32 are checked
before the body is parsed. An audio message is type, u16 clip number (low bits), u24 offset,
data. All integers are little-endian. `>` goes from the pin, `<` from the companion.
"""

import binascii
import struct

from lapel_wire import schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AUDIO = 0x01
HELLO_PIN = 0x10
HELLO_HOST = 0x11
CLIP = 0x20
END = 0x21
RESUME = 0x22
ACK = 0x23
ACCEPTED = 0x24
CONFLICT = 0x25
NOTICE = 0x30
STORED = 0x31
SEEN = 0x32
RETRACT = 0x33
CANCEL = 0x34
CANCELLED = 0x35
JOBS = 0x36
SETTINGS = 0x40
SETTINGS_OK = 0x41
READ = 0x50
DATA = 0x51
STATUS = 0x52

AUDIO_HEADER_BYTES = 6
CONTROL_HEADER_BYTES = 7
CONTROL_BODY_MAX_BYTES = 480

NOTICE_KINDS = schema.NOTICE_KINDS

# type: (name, then name and kind of each field, in the order in which they are written). Flat: a pin has all of it in
# memory.
TABLE = {
    # v version, dev device, ep clip epoch, hw highest clip begun, q clips waiting, ne/nh companion
    # epoch and highest notice stored, boot/ms pin clock, bat mV, set settings in force
    HELLO_PIN: (  # >
        "hello", "v", "u32", "dev", "hex8", "ep", "hex16", "hw", "u32", "q", "u32", "ne", "hex16?",
        "nh", "u32", "boot", "hex8", "ms", "u53", "bat", "u32?", "set", "u32",
    ),
    # ep companion epoch, nh highest notice, ce/ch clip epoch and number known, t unix ms, tz minutes
    HELLO_HOST: (  # <
        "hello", "v", "u32", "ep", "hex16", "nh", "u32", "ce", "hex16?", "ch", "u32", "t", "u53", "tz", "s16",
        "set", "u32",
    ),
    CLIP: (  # >
        "clip", "ep", "hex16", "n", "u32", "codec", "word", "rate", "u32", "boot", "hex8", "ms", "u53",
        "t", "u53?", "re", "word?",
    ),
    END: ("end", "n", "u32", "bytes", "u32", "ms", "u32", "sha", "hex64", "cut", "bool"),  # >
    RESUME: ("resume", "n", "u32", "off", "u32", "crc", "u32"),  # <
    ACK: ("ack", "n", "u32", "off", "u32"),  # <
    ACCEPTED: ("accepted", "n", "u32", "d", "word"),  # <
    CONFLICT: ("conflict", "n", "u32", "off", "u32"),  # >
    NOTICE: ("notice", "ep", "hex16", "s", "u32", "k", "notice", "d", "word", "j", "word?", "x", "text"),  # <
    STORED: ("stored", "ep", "hex16", "s", "u32"),  # >
    # Repeated until it comes back with `a` (answer) true; an answer is never answered. It answers RETRACT too.
    SEEN: ("seen", "ep", "hex16", "s", "seqs", "a", "bool"),  # <>
    RETRACT: ("retract", "ep", "hex16", "s", "u32"),  # <
    CANCEL: ("cancel", "id", "u32", "ep", "hex16", "n", "u32"),  # >
    CANCELLED: ("cancelled", "id", "u32"),  # <
    # How many jobs run now: for the person who taps to ask. Said when it changes, and in answer to STATUS.
    JOBS: ("jobs", "n", "u32"),  # <
    SETTINGS: ("settings", "id", "u32", "v", "settings"),  # <
    SETTINGS_OK: ("settings_ok", "id", "u32", "err", "text?"),  # >
    READ: ("read", "w", "word", "off", "u32"),  # <
    DATA: ("data", "w", "word", "off", "u32", "n", "u32", "b", "blob"),  # >
    # aside files that were found broken and set aside, what the newest of them are and why
    STATUS: ("status", "bat", "u32?", "drops", "u32", "over", "u32", "aside", "u32", "what", "text?"),  # >
}  # fmt: skip


class BadMessage(ValueError):
    """A message that must not be taken; its text says why."""


def encode(kind: int, body: "dict[str, Any]") -> bytes:
    """Shape of `body`: TABLE[kind]. Raises BadMessage where a value does not fit."""
    text = write_body(kind, body)
    if len(text) > CONTROL_BODY_MAX_BYTES:
        raise BadMessage("%s has %d bytes, more than %d" % (TABLE[kind][0], len(text), CONTROL_BODY_MAX_BYTES))
    return struct.pack("<BHI", kind, len(text), binascii.crc32(text) & 0xFFFFFFFF) + text


def decode(message: "bytes | bytearray | memoryview") -> "tuple[int, Any]":
    """(kind, body). For AUDIO the body is (clip number's low 16 bits, offset, data view)."""
    if len(message) < 1:
        raise BadMessage("a message is empty")
    kind = message[0]
    if kind == AUDIO:
        if len(message) <= AUDIO_HEADER_BYTES:
            raise BadMessage("audio without data")
        low, off_low, off_high = struct.unpack_from("<HHB", message, 1)
        return kind, (low, off_low | off_high << 16, memoryview(message)[AUDIO_HEADER_BYTES:])
    row = TABLE.get(kind)
    if row is None:
        raise BadMessage("a message of unknown type 0x%02x" % kind)
    if len(message) < CONTROL_HEADER_BYTES:
        raise BadMessage("%s is cut short" % row[0])
    length, crc = struct.unpack_from("<HI", message, 1)
    text = bytes(memoryview(message)[CONTROL_HEADER_BYTES:])
    if length != len(text) or binascii.crc32(text) & 0xFFFFFFFF != crc:
        raise BadMessage("%s fails its length or checksum" % row[0])
    return kind, read_body(kind, text)


def write_body(kind: int, body: "dict[str, Any]") -> bytes:
    """The body of a control message as its one JSON text, which is also how such an object is stored."""
    row = TABLE[kind]
    try:
        return schema.write(row, body)
    except ValueError as e:
        raise BadMessage("%s %s" % (row[0], e)) from None


def read_body(kind: int, text: "bytes | bytearray | memoryview") -> "dict[str, Any]":
    """The body in its JSON text. Raises BadMessage."""
    row = TABLE[kind]
    try:
        return schema.read(row, text)
    except ValueError as e:
        raise BadMessage("%s %s" % (row[0], e)) from None


def put_audio_header(buffer: "bytearray | memoryview", number: int, offset: int) -> None:
    """Writes the 6 bytes before audio data into `buffer`."""
    struct.pack_into("<BHHB", buffer, 0, AUDIO, number & 0xFFFF, offset & 0xFFFF, offset >> 16)


def clip_id(device: str, epoch: str, number: int) -> str:
    """The name of a clip for people and logs."""
    return "%s-%s-%d" % (device, epoch, number)


def notice_id(epoch: str, seq: int) -> str:
    """The name of a notice, as a reply carries it (at most 27 bytes)."""
    return "%s-%d" % (epoch, seq)
