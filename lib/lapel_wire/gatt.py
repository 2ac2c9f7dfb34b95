"""The GATT face of a pin: names and numbers that both ends must agree on."""

from lapel_wire import utf8

# 2: the session is private. 1 spoke in the clear, and is refused.
PROTOCOL_VERSION = 2

SERVICE_UUID = "6c617065-6c00-4000-8000-000000000001"
UP_UUID = "6c617065-6c00-4000-8000-000000000002"
DOWN_UUID = "6c617065-6c00-4000-8000-000000000003"
INFO_UUID = "6c617065-6c00-4000-8000-000000000004"

# What `info` reads: protocol version and feature flags. Nothing in it identifies a pin.
INFO = bytes((PROTOCOL_VERSION, 0))
# The flag of a pin that has no key: it opens no session, and records nothing.
FLAG_UNPAIRED = 0x40
UNPAIRED_INFO = bytes((PROTOCOL_VERSION, FLAG_UNPAIRED))
# The flag of a pin that cannot run its app. No session is tried with it; the cause follows, as UTF-8.
FLAG_SAFE_MODE = 0x80
CAUSE_MAX_BYTES = 60

NAME = "Lapel"

# 247 fills one 251-byte link-layer packet (ATT MTU + 4 bytes of L2CAP); more would be split again.
MTU_WANTED = 247
MTU_MIN = 23
# An ATT header (opcode and handle) stands before every notification and write.
ATT_HEADER_BYTES = 3

# A session must be proved within this time; a link that is not is dropped.
HANDSHAKE_TIMEOUT_MS = 3000


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
