"""A suite with the shape of lib/noise's that costs next to nothing and protects nothing: for models and for tests that
are about something else. Every check is there: a wrong key, nonce, bit or length is refused."""

import hashlib
import struct

from lapel_wire.session import Session

TAG_BYTES = 16
_PRIME = (1 << 251) - 9


class Cipher:
    def __init__(self, key):
        self.key = bytes(key)

    def seal(self, nonce, ad, buffer, start, length):
        self._turn(nonce, buffer, start, length)
        buffer[start + length : start + length + TAG_BYTES] = self._tag(nonce, ad, buffer[start : start + length])

    def open(self, nonce, ad, buffer, start, length):
        end = start + length
        if bytes(buffer[end : end + TAG_BYTES]) != self._tag(nonce, ad, buffer[start:end]):
            return False
        self._turn(nonce, buffer, start, length)
        return True

    def wipe(self):
        self.key = b""

    def _tag(self, nonce, ad, text):
        return hashlib.sha256(self.key + struct.pack("<Q", nonce) + bytes(ad) + b"|" + bytes(text)).digest()[:TAG_BYTES]

    def _turn(self, nonce, buffer, start, length):
        stream = hashlib.sha256(struct.pack("<Q", nonce) + self.key).digest()
        stream = (stream * (length // len(stream) + 1))[:length]
        mixed = int.from_bytes(buffer[start : start + length], "big") ^ int.from_bytes(stream, "big")
        buffer[start : start + length] = mixed.to_bytes(length, "big")


class Ladder:
    def __init__(self, scalar, u):
        self._product = int.from_bytes(scalar, "little") * int.from_bytes(u, "little") % _PRIME

    def step(self):
        return True

    def result(self):
        return self._product.to_bytes(32, "little") if self._product else None

    def wipe(self):
        self._product = 0


def sessions(cipher=Cipher, **options):
    """(companion's, pin's) of one connection, with no handshake before."""
    up, down = b"up" * 16, b"dn" * 16
    return Session(cipher(down), cipher(up), **options), Session(cipher(up), cipher(down), **options)
