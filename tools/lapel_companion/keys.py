"""The key that holds, and the one that is on its way to a pin.

A new key is kept beside the old one until the pin has proved that it has it; only then does it take its place. So
whatever breaks off, this computer has every key that a pin of its own may have. `pairing/` in the state folder (or
an entry of the keyring named after it) holds the second one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lapel_companion import durable, socket_path
from lapel_companion.asking import PATIENCE_S, Asker
from lapel_companion.pairing import KEY_BYTES, DamagedKey, Key, KeyFile, KeyRing, KeyStore, PairingError, key_store

BEGUN = "pairing"
_PIN = "pin"
_GENERATIONS = 1 << 32


class Keys:
    """Of one state folder. Where a key is kept is looked at anew each time: another program may have changed that.
    A keyring is waited for so long. Every method raises PairingError."""

    def __init__(self, state: Path, patience_s: float = PATIENCE_S) -> None:
        self._state = state
        self._asker = Asker(patience_s)

    @property
    def where(self) -> str:
        """Where the key that holds is, or belongs."""
        return self._place.where

    @property
    def _place(self) -> KeyStore:
        return key_store(self._state, asker=self._asker)

    @property
    def _begun(self) -> KeyStore:
        return key_store(self._state / BEGUN, asker=self._asker)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """No other program changes them meanwhile; the folder is made if need be, for us alone."""
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
            socket_path.make_private(self._state)
            (self._state / BEGUN).mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self._state / BEGUN, os.O_RDONLY | os.O_CLOEXEC)
        except socket_path.SocketPathError as error:
            raise PairingError(str(error)) from error
        except OSError as error:
            raise PairingError(
                f"the state folder {self._state} cannot be used: {error.strerror}; name another one with --state."
            ) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise PairingError("another lapel pair or unpair is at work on this computer: let it end.") from None
            yield
        finally:
            # A program that is being started has the file open, too, and would keep the lock for a moment.
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)

    def load(self) -> Key | None:
        """The key that holds; None: no pin is paired."""
        return self._place.load()

    def replaced(self, exposed: bool = False) -> Key | None:
        """The same for who puts another in its place: one that is damaged is none. `exposed`: also one that others
        may read."""
        place = self._place
        try:
            return place.load(exposed=True) if exposed and isinstance(place, KeyFile) else place.load()
        except DamagedKey:
            return None

    def begun(self) -> Key | None:
        """The key that was on its way to a pin when a pairing broke off; the pin may have it."""
        try:
            return self._begun.load()
        except DamagedKey:
            return None

    @property
    def begun_with(self) -> str:
        """Which pin that is; "" when it is not known."""
        try:
            return (self._state / BEGUN / _PIN).read_text("ascii")
        except (OSError, ValueError):
            return ""

    def begin(self, pin: str, above: Iterable[int]) -> Key:
        """A new key for `pin`, durably beside the one that holds; its generation is above all of these."""
        try:
            durable.write_atomic(self._state / BEGUN / _PIN, pin.encode("ascii", "replace"), "key.pin")
        except OSError as error:
            raise PairingError(f"the new key cannot be kept in {self._state}: {error.strerror}.") from error
        # After the last one it begins anew: it only tells newer from older for people.
        key = Key((max(above, default=0) + 1) % _GENERATIONS, secrets.token_bytes(KEY_BYTES))
        self._begun.save(key)
        return key

    def adopt(self) -> Key:
        """What was begun is the key that holds from now on, durably: a pin has proved that it has it."""
        key = self.begun()
        if key is None:
            raise PairingError("the new key is gone from this computer: type lapel pair again.")
        place = self._place
        place.save(key)
        if place.load() != key:
            raise PairingError(f"the pin's key was not kept in {place.where}: it gives back something else.")
        self.drop()
        return key

    def drop(self) -> None:
        """What was begun is given up: no pin has it."""
        self._begun.forget()

    def forget(self) -> bool:
        """No key holds any more, durably, and none is on its way; False when there was none."""
        found = [store.forget() for store in (self._place, self._begun)]
        # A file hides what the keyring may hold as well.
        found += [store.forget() for store in (self._place, self._begun) if isinstance(store, KeyRing)]
        return any(found)

    def to_file(self) -> None:
        """The key that holds moves from the keyring into the state folder: who needs it cannot open the keyring."""
        place = self._place
        key = place.load()
        if key is not None and isinstance(place, KeyRing):
            KeyFile(self._state).save(key)
            place.forget()

    def told(self) -> dict[str, Any]:
        """For people and programs: {"fingerprint", "generation" (None: no key), "where", "begun", "trouble"}."""
        key, begun, trouble, where = None, False, None, ""
        try:
            where = self.where
            begun = self.begun() is not None
            key = self.load()
        except PairingError as error:
            trouble = str(error)
        return {
            "fingerprint": key.fingerprint if key else None,
            "generation": key.generation if key else None,
            "where": where,
            "begun": begun,
            "trouble": trouble,
        }
