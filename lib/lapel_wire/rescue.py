"""What `info` reads of a pin that cannot run its app, where no session is tried: a flag, and the cause as UTF-8."""

from lapel_wire import utf8
from lapel_wire.gatt import PROTOCOL_VERSION

FLAG_SAFE_MODE = 0x80
CAUSE_MAX_BYTES = 60


def safe_info(cause: str) -> bytes:
    """What `info` reads in safe mode; a cause of more than CAUSE_MAX_BYTES is cut between two characters."""
    text = cause.encode()
    end = min(len(text), CAUSE_MAX_BYTES)
    while end < len(text) and text[end] & 0xC0 == 0x80:
        end -= 1
    return bytes((PROTOCOL_VERSION, FLAG_SAFE_MODE)) + text[:end]


def safe_cause(info: bytes) -> "str | None":
    """The cause of a pin in safe mode, None of any other. Nobody vouches for it: anyone can advertise.

    Of whatever protocol version, so that a pin with an old app can still be helped.
    """
    if len(info) < 2 or not info[1] & FLAG_SAFE_MODE:
        return None
    try:
        text = utf8.decode(info[2 : 2 + CAUSE_MAX_BYTES])
    except ValueError:
        text = ""
    # Not split(): which characters are white space is not the same on both Pythons.
    words = "".join([c if c > " " else " " for c in text]).split(" ")
    return " ".join([word for word in words if word]) or "it does not say why"
