"""The flight recorder's 2048 bytes: counters, last words and a ring of events, for both Pythons.

The pin writes them into memory that survives a reset; the companion decodes them with `flight_reading`.
All integers are little-endian; texts are UTF-8, cut to their field, padded with zeros.

    0    4s  "LpFl"                     48   16s reset cause of this boot
    4    u16 version, 6 u16 nothing     64   16s task that reported last
    8    u32 CRC32 of bytes 12 to 2047  80   16s the same before the last reset
    12   u32 lowest free heap, bytes    96   16s task that was late for the watchdog
    16   u32 the same before the reset  112  128s last error
    20   u32 audio overruns             240  u16 slot of the next event
    24   u32 dropped from queues        242  u16 events in the ring
    28   u32 stalls                     256  events of 32 bytes: u32 ms since boot,
    32   u32 longest stall, ms               u16 boot, u8 event, u8 length, 24s text
    36   u32 tasks that died
    40   u32 ms since boot when written
    44   u32 boots

Counters are since the memory was last without power; a heap of 0xFFFFFFFF is not known.
"""

import binascii
import struct

from lapel_wire import utf8

SIZE_BYTES = 2048
VERSION = 1
UNKNOWN = 0xFFFFFFFF
_MAGIC = b"LpFl"
_CHECKED_FROM = 12
_EVENTS_AT = 256
_EVENT_BYTES = 32
_EVENTS = (SIZE_BYTES - _EVENTS_AT) // _EVENT_BYTES
EVENT_TEXT_BYTES = 24
_RING_AT = 240

# Where each number and each text stands; texts with their length.
NUMBERS = {
    "heap_low_bytes": 12,
    "heap_low_before_bytes": 16,
    "overruns": 20,
    "drops": 24,
    "stalls": 28,
    "stall_max_ms": 32,
    "deaths": 36,
    "written_ms": 40,
    "boots": 44,
}
TEXTS = {
    "reset_cause": (48, 16),
    "last_task": (64, 16),
    "last_task_before": (80, 16),
    "late_task": (96, 16),
    "last_error": (112, 128),
}
EVENTS = ("?", "boot", "died", "stall", "overrun", "drop", "late", "error", "note")


class BadFlightLog(ValueError):
    """Bytes that are no flight log; the text says why."""


class FlightLog:
    """The log in RAM. `data` that is no sound log is forgotten: `fresh` says so."""

    def __init__(self, data: bytes = b"") -> None:
        self._bytes = bytearray(SIZE_BYTES)
        self.fresh = True
        try:
            check(data)
        except BadFlightLog:
            struct.pack_into("<4sHH", self._bytes, 0, _MAGIC, VERSION, 0)
            self.put("heap_low_bytes", UNKNOWN)
            self.put("heap_low_before_bytes", UNKNOWN)
        else:
            self.fresh = False
            self._bytes[:] = data

    def begin_boot(self, cause: str) -> None:
        """A boot: what was the present is the past now."""
        self.add("boots")
        self.put("heap_low_before_bytes", self.get("heap_low_bytes"))
        self.put("heap_low_bytes", UNKNOWN)
        self.put_text("last_task_before", self.text("last_task"))
        self.put_text("last_task", "")
        self.put_text("reset_cause", cause)
        self.event("boot", cause, 0)

    def get(self, name: str) -> int:
        """One of NUMBERS."""
        value: int = struct.unpack_from("<I", self._bytes, NUMBERS[name])[0]
        return value

    def put(self, name: str, value: int) -> None:
        """Sets one of NUMBERS; too great a value stays at the greatest."""
        struct.pack_into("<I", self._bytes, NUMBERS[name], min(value, UNKNOWN))

    def add(self, name: str, count: int = 1) -> None:
        """Counts one of NUMBERS up."""
        self.put(name, self.get(name) + count)

    def text(self, name: str) -> str:
        """One of TEXTS."""
        at, size = TEXTS[name]
        return read_text(bytes(self._bytes[at : at + size]), 0, size)

    def put_text(self, name: str, text: str) -> None:
        """Sets one of TEXTS."""
        at, size = TEXTS[name]
        self._bytes[at : at + size] = _cut(text, size)

    def event(self, name: str, text: str, ms: int) -> None:
        """Adds an event of EVENTS; the oldest goes when the ring is full."""
        slot, count = struct.unpack_from("<HH", self._bytes, _RING_AT)
        at = _EVENTS_AT + slot % _EVENTS * _EVENT_BYTES
        data = _cut(text, EVENT_TEXT_BYTES)
        code = EVENTS.index(name)
        struct.pack_into(
            "<IHBB", self._bytes, at, ms & UNKNOWN, self.get("boots") & 0xFFFF, code, len(data.rstrip(b"\0"))
        )
        self._bytes[at + 8 : at + _EVENT_BYTES] = data
        struct.pack_into("<HH", self._bytes, _RING_AT, (slot + 1) % _EVENTS, min(count + 1, _EVENTS))

    def sealed(self) -> bytearray:
        """The bytes to keep, with their CRC32. They change with the next call of anything else."""
        crc = binascii.crc32(memoryview(self._bytes)[_CHECKED_FROM:]) & UNKNOWN
        struct.pack_into("<I", self._bytes, 8, crc)
        return self._bytes


def check(data: bytes) -> None:
    """Raises BadFlightLog unless `data` is a whole, sound log of this version, with text where text belongs."""
    if len(data) != SIZE_BYTES:
        raise BadFlightLog("a flight log has %d bytes, not %d" % (SIZE_BYTES, len(data)))
    if bytes(data[:4]) != _MAGIC or struct.unpack_from("<H", data, 4)[0] != VERSION:
        raise BadFlightLog("this is no flight log of version %d" % VERSION)
    crc = struct.unpack_from("<I", data, 8)[0]
    if binascii.crc32(memoryview(data)[_CHECKED_FROM:]) & UNKNOWN != crc:
        raise BadFlightLog("the flight log fails its checksum")
    slot, count = struct.unpack_from("<HH", data, _RING_AT)
    if slot >= _EVENTS or count > _EVENTS:
        raise BadFlightLog("the flight log has slot %d and %d events; it holds %d" % (slot, count, _EVENTS))
    try:
        for at, size in TEXTS.values():
            read_text(data, at, size)
        for at in event_places(data):
            read_text(data, at + 8, EVENT_TEXT_BYTES)
    except ValueError:
        raise BadFlightLog("the flight log holds something that is no text") from None


def event_places(data: bytes) -> list[int]:
    """Where in `data` each event stands, the oldest first."""
    slot, count = struct.unpack_from("<HH", data, _RING_AT)
    return [_EVENTS_AT + (slot - count + i) % _EVENTS * _EVENT_BYTES for i in range(count)]


def _cut(text: str, size: int) -> bytes:
    # UTF-8 of exactly `size` bytes: cut between characters, padded with zeros.
    data = text.encode()
    end = len(data)
    if end > size:
        end = size
        while data[end] & 0xC0 == 0x80:
            end -= 1
    return data[:end] + bytes(size - end)


def read_text(data: bytes, at: int, size: int) -> str:
    """A padded text. Raises ValueError."""
    return utf8.decode(bytes(data[at : at + size]).rstrip(b"\0"))
