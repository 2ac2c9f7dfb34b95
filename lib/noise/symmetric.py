"""The symmetric half of a Noise handshake (revision 34, 5.2): chaining key, handshake hash, and the cipher between."""

import hashlib

from noise.suite import TAG_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def hmac(key: "bytes | bytearray", data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) under a key of at most 64 B."""
    number = int.from_bytes(key, "little")
    inner = hashlib.sha256(_padded(number, b"\x36") + data).digest()
    return hashlib.sha256(_padded(number, b"\x5c") + inner).digest()


def _padded(number: int, pad: bytes) -> bytes:
    # number ^ pad in every byte of a block
    return (number ^ int.from_bytes(pad * 64, "little")).to_bytes(64, "little")


def hkdf(chaining_key: bytes, material: "bytes | bytearray", outputs: int) -> "list[bytes]":
    """Noise's HKDF (4.3): `outputs` keys of 32 B."""
    secret, found = hmac(chaining_key, bytes(material)), [b""]
    for number in range(1, outputs + 1):
        found.append(hmac(secret, found[-1] + bytes((number,))))
    return found[1:]


class Symmetric:
    """SymmetricState of a handshake in which every message comes after a key; `name` has more than 32 bytes. Names of
    methods as in the specification."""

    def __init__(self, suite: "Any", name: bytes, prologue: bytes) -> None:
        self._suite = suite
        self.h = hashlib.sha256(name).digest()
        self._ck = self.h
        self._cipher: "Any" = None
        self._n = 0
        self.mix_hash(prologue)

    def mix_hash(self, data: "bytes | bytearray") -> None:
        """MixHash."""
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, material: bytes) -> None:
        """MixKey."""
        self._ck, key = hkdf(self._ck, material, 2)
        self._use(key)

    def mix_key_and_hash(self, psk: "bytes | bytearray") -> None:
        """MixKeyAndHash."""
        self._ck, middle, key = hkdf(self._ck, psk, 3)
        self.mix_hash(middle)
        self._use(key)

    def seal(self, payload: bytes = b"") -> bytes:
        """EncryptAndHash."""
        text = bytearray(len(payload) + TAG_BYTES)
        text[: len(payload)] = payload
        self._cipher.seal(self._n, self.h, text, 0, len(payload))
        self._n += 1
        self.mix_hash(text)
        return bytes(text)

    def open(self, text: bytes) -> "bytes | None":
        """DecryptAndHash; None when the tag is wrong."""
        payload = bytearray(text)
        length = len(payload) - TAG_BYTES
        if length < 0 or not self._cipher.open(self._n, self.h, payload, 0, length):
            return None
        self._n += 1
        self.mix_hash(text)
        return bytes(payload[:length])

    def split(self) -> "tuple[Any, Any]":
        """Split: (from the initiator, from the responder); nothing is kept."""
        first, second = hkdf(self._ck, b"", 2)
        self.wipe()
        return self._suite.Cipher(first), self._suite.Cipher(second)

    def wipe(self) -> None:
        """Forgets the keys."""
        self._ck = b""
        if self._cipher is not None:
            self._cipher.wipe()
            self._cipher = None

    def _use(self, key: bytes) -> None:
        if self._cipher is not None:
            self._cipher.wipe()
        self._cipher = self._suite.Cipher(key)
        self._n = 0
