"""The side of nnpsk0 that speaks first."""

from noise.nnpsk0 import MESSAGE_BYTES, Handshake, mix_public
from noise.suite import KEY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Initiator(Handshake):
    """The side that speaks first. `result` is None, or (cipher to send with, cipher to receive with)."""

    result: "tuple[Any, Any] | None" = None

    def start(self) -> bytes:
        """The first message (48 B)."""
        self._ephemeral.check()
        public = self._ephemeral.finish()
        self._symmetric = self.begin(public)
        tag: bytes = self._symmetric.seal()
        return public + tag

    def take(self, message: "bytes | bytearray | memoryview") -> bool:
        """The answer: go on with `step`. False: it has not 48 B, or none is awaited."""
        if len(message) != MESSAGE_BYTES or self._symmetric is None or self._ladder is not None:
            return False
        message = bytes(message)
        self._ladder = self._ephemeral.exchange(message[:KEY_BYTES])
        self._tag = message[KEY_BYTES:]
        mix_public(self._symmetric, message[:KEY_BYTES])
        return True

    def step(self) -> bool:
        """A few milliseconds; True when `result` is known: None when the answer was wrong. It is over then."""
        if self._ladder is None:
            return True
        if not self._ladder.step():
            return False
        shared = self._ladder.result()
        if shared is not None:
            self._symmetric.mix_key(shared)
            if self._symmetric.open(self._tag) is not None:
                self.result = self._symmetric.split()
        self.wipe()
        return True
