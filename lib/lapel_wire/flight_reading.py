"""The flight recorder's bytes as words, for who reads them."""

import struct

from lapel_wire.flight_log import (
    EVENT_TEXT_BYTES,
    EVENTS,
    NUMBERS,
    TEXTS,
    UNKNOWN,
    check,
    event_places,
    read_text,
)


def decode(data: bytes) -> dict[str, object]:
    """The log as a dictionary: NUMBERS (unknown: None), TEXTS, and `events`, oldest first."""
    check(data)
    out: dict[str, object] = {}
    for name, at in NUMBERS.items():
        value = struct.unpack_from("<I", data, at)[0]
        out[name] = None if value == UNKNOWN else value
    for name, (at, size) in TEXTS.items():
        out[name] = read_text(data, at, size)
    out["events"] = _events(data)
    return out


def _events(data: bytes) -> list[dict[str, object]]:
    out = []
    for at in event_places(data):
        ms, boot, code, _ = struct.unpack_from("<IHBB", data, at)
        name = EVENTS[code] if code < len(EVENTS) else EVENTS[0]
        text = read_text(data, at + 8, EVENT_TEXT_BYTES)
        out.append({"boot": boot, "ms": ms, "event": name, "text": text})
    return out
