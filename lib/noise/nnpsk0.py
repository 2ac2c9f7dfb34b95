"""Noise_NNpsk0_25519_ChaChaPoly_SHA256 (revision 34, 7.5 and 9), with empty payloads:

    -> psk, e          48 B: the public key and a tag
    <- e, ee           48 B, the same

The curve's arithmetic is cut into steps of a few milliseconds. A wrong message of the first kind costs a responder
none of it: the tag proves the key first. Nothing here has a clock or sends anything. The side that
speaks first is in `initiator`: who only answers need not load it.
"""

from noise.suite import KEY_BYTES, TAG_BYTES, check_key, wipe
from noise.symmetric import Symmetric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NAME = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
MESSAGE_BYTES = KEY_BYTES + TAG_BYTES
_BASE = b"\x09" + bytes(31)


class Ephemeral:
    """A key pair for one handshake, made ahead of need. `random(n) -> bytes` is a good source of n random bytes."""

    def __init__(self, suite: "Any", random: "Callable[[int], bytes]") -> None:
        self._suite = suite
        self._scalar = bytearray(random(KEY_BYTES))
        self._ladder = suite.Ladder(self._scalar, _BASE)
        self.public = b""
        self.spent = False

    def step(self) -> bool:
        """A few milliseconds of the public key; True when there was nothing left to be done (or it was wiped)."""
        if self._ladder is None:
            return True
        if self._ladder.step():
            self.public = self._ladder.result()
            self._ladder = None
        return False

    def check(self) -> None:
        """ValueError when it was used."""
        if self.spent:
            raise ValueError("an ephemeral key is for one handshake: make another")

    def finish(self) -> bytes:
        """The public key (32 B), now."""
        while not self.step():
            pass
        return self.public

    def exchange(self, other: "bytes | bytearray") -> "Any":
        """The ladder to the secret shared with the public key `other`. ValueError the second time."""
        self.check()
        self.spent = True
        ladder = self._suite.Ladder(self._scalar, other)
        wipe(self._scalar)
        return ladder

    def wipe(self) -> None:
        """Forgets the key."""
        self.spent = True
        wipe(self._scalar)
        if self._ladder is not None:
            self._ladder.wipe()
            self._ladder = None


class Handshake:
    """What both sides have in common. `psk` 32 B, `ephemeral` an Ephemeral of the same suite."""

    def __init__(self, suite: "Any", psk: "bytes | bytearray", prologue: bytes, ephemeral: Ephemeral) -> None:
        check_key(psk)
        ephemeral.check()
        self._suite = suite
        self._psk = bytearray(psk)
        self._prologue = bytes(prologue)
        self._ephemeral = ephemeral
        self._symmetric: "Any" = None
        self._ladder: "Any" = None
        self._shared: "bytes | None" = None

    def wipe(self) -> None:
        """Ends the handshake wherever it stands, and forgets its keys, the ephemeral one with them."""
        wipe(self._psk)
        self._ephemeral.wipe()
        if self._symmetric is not None:
            self._symmetric.wipe()
        if self._ladder is not None:
            self._ladder.wipe()
        self._symmetric = self._ladder = self._shared = None

    def begin(self, public: bytes) -> Symmetric:
        """The tokens psk, e."""
        symmetric = Symmetric(self._suite, NAME, self._prologue)
        symmetric.mix_key_and_hash(self._psk)
        mix_public(symmetric, public)
        return symmetric


class Responder(Handshake):
    """The side that answers. After a message that is refused it stands as before."""

    def take(self, message: "bytes | bytearray | memoryview") -> bool:
        """The first message: go on with `step`. False: it has not 48 B, its sender does not know the key, or another
        was taken before."""
        if len(message) != MESSAGE_BYTES or self._ephemeral.spent:
            return False
        message = bytes(message)
        symmetric = self.begin(message[:KEY_BYTES])
        if symmetric.open(message[KEY_BYTES:]) is None:
            symmetric.wipe()
            return False
        self._symmetric = symmetric
        self._ladder = self._ephemeral.exchange(message[:KEY_BYTES])
        return True

    def step(self) -> bool:
        """A few milliseconds; True when `reply` can be asked."""
        if self._ladder is None:
            return True
        if not self._ephemeral.step() or not self._ladder.step():
            return False
        self._shared = self._ladder.result()
        self._ladder = None
        if self._shared is None:
            self.wipe()
        return True

    def reply(self) -> "bytes | None":
        """The answer (48 B), once. None: nothing was taken, or the other's key gives no secret (all zero). What is left
        of `step` is done at once."""
        while not self.step():
            pass
        if self._shared is None:
            self.wipe()
            return None
        mix_public(self._symmetric, self._ephemeral.public)
        self._symmetric.mix_key(self._shared)
        self._shared = None
        tag: bytes = self._symmetric.seal()
        return self._ephemeral.public + tag

    def split(self) -> "tuple[Any, Any] | None":
        """(cipher to send with, cipher to receive with), once, after `reply`; None when there was none."""
        if self._symmetric is None or self._shared is not None or self._ladder is not None:
            return None
        receive, send = self._symmetric.split()
        self.wipe()
        return send, receive


def mix_public(symmetric: Symmetric, public: bytes) -> None:
    """The token e, in a handshake with a psk (9.2)."""
    symmetric.mix_hash(public)
    symmetric.mix_key(public)
