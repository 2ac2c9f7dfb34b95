"""What the three suites have in common. A suite is a module with two classes:

    Cipher(key)             ChaCha20-Poly1305 (RFC 8439) under a 32 B key
        .seal(nonce, ad, buffer, start, length)          encrypts buffer[start : start + length] in place and puts
                                                         the tag right behind it
        .open(nonce, ad, buffer, start, length) -> bool  the other way; `length` without the tag. False: the tag is
                                                         wrong, and nothing was changed
        .wipe()                                          overwrites the key; who uses the cipher now gets ValueError
    Ladder(scalar, u)       X25519 (RFC 7748) of two strings of 32 B, in steps
        .step() -> bool                                  a few milliseconds of it at most; True when it is done
        .result() -> bytes                               32 B, or None where they are all zero: to be refused
        .wipe()                                          overwrites the scalar; after `result` nothing is left of it

`nonce` is a counter; the nonce on the wire is 4 zero bytes and the counter in little endian (Noise 12.3).
"""

KEY_BYTES = 32
TAG_BYTES = 16
WIPED = "this cipher was wiped"
# Noise keeps the last one for itself (5.1).
NONCE_END = (1 << 64) - 1


def check_key(key: "bytes | bytearray") -> None:
    """ValueError when `key` (a scalar, a coordinate) is not 32 B long."""
    if len(key) != KEY_BYTES:
        raise ValueError("a key has 32 bytes, this has %d" % len(key))


def wipe(buffer: "bytearray") -> None:
    """Overwrites it."""
    buffer[:] = bytes(len(buffer))


def check_room(nonce: int, buffer: "bytearray | memoryview", start: int, length: int) -> None:
    """ValueError when the nonce is none, or when text and tag do not lie within `buffer`; TypeError when that cannot
    be written. Allocates nothing."""
    if nonce < 0 or nonce >= NONCE_END:
        raise ValueError("a nonce is below 2 ** 64 - 1")
    if start < 0 or length < 0 or start + length + TAG_BYTES > len(buffer):
        raise ValueError("text and tag do not fit into the buffer")
    # machine code would write into a constant
    buffer[start] = buffer[start]
