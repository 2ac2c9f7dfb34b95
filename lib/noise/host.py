"""The suite of a computer: OpenSSL's, by way of `cryptography`. Not for a pin."""

from __future__ import annotations

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from noise import suite

Buffer = bytearray | memoryview


class Cipher:
    """As suite.Cipher."""

    def __init__(self, key: bytes | bytearray) -> None:
        suite.check_key(key)
        self._aead: ChaCha20Poly1305 | None = ChaCha20Poly1305(bytes(key))

    def seal(self, nonce: int, ad: bytes, buffer: Buffer, start: int, length: int) -> None:
        """As suite.Cipher.seal."""
        suite.check_room(nonce, buffer, start, length)
        view = memoryview(buffer)[start : start + length + suite.TAG_BYTES]
        view[:] = self._key().encrypt(struct.pack("<IQ", 0, nonce), view[:length], ad)

    def open(self, nonce: int, ad: bytes, buffer: Buffer, start: int, length: int) -> bool:
        """As suite.Cipher.open."""
        suite.check_room(nonce, buffer, start, length)
        view = memoryview(buffer)[start : start + length + suite.TAG_BYTES]
        try:
            text = self._key().decrypt(struct.pack("<IQ", 0, nonce), view, ad)
        except InvalidTag:
            return False
        view[:length] = text
        return True

    def wipe(self) -> None:
        """As suite.Cipher.wipe: OpenSSL overwrites its copy when nothing holds it any more."""
        self._aead = None

    def _key(self) -> ChaCha20Poly1305:
        if self._aead is None:
            raise ValueError(suite.WIPED)
        return self._aead


class Ladder:
    """As suite.Ladder; one step does it all."""

    def __init__(self, scalar: bytes | bytearray, u: bytes | bytearray) -> None:
        suite.check_key(scalar)
        suite.check_key(u)
        self._private: X25519PrivateKey | None = X25519PrivateKey.from_private_bytes(bytes(scalar))
        self._public = X25519PublicKey.from_public_bytes(bytes(u))
        self._shared: bytes | None = None

    def step(self) -> bool:
        """As suite.Ladder.step."""
        if self._private is not None:
            try:
                self._shared = self._private.exchange(self._public)
            except ValueError:
                # all zero
                self._shared = None
            self._private = None
        return True

    def result(self) -> bytes | None:
        """As suite.Ladder.result."""
        self.step()
        shared = self._shared
        self.wipe()
        return shared

    def wipe(self) -> None:
        """As suite.Ladder.wipe."""
        self._private = self._shared = None
