"""The key that this computer shares with its pin, and where it is kept: in the system's own place for secrets where
there is one (through `keyring`), else in a file of the state folder that its owner alone may read.

Both hold one line: the form's number, the generation, and the key in hex. No error tells any of the key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from lapel_companion import durable
from lapel_companion.asking import Asker, Silent

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_T = TypeVar("_T")

KEY_BYTES = 32
FILE = "pin.key"
SERVICE = "lapel-pin"
# Says that the key may be in a keyring, in which, and under which account: who cannot reach that, or writes the
# folder's path in another way, must not think that there is none.
MARK = "in-keyring"
_LINE = re.compile(r"1 ([0-9]{1,10}) ([0-9a-f]{64})\n?")
_LINE_MAX_BYTES = 200
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# The pin's side of them is tools/lapel_usb/device/owner.py.
PROOF = b"lapel proof\n"
FINGERPRINT = b"lapel fingerprint\n"
FINGERPRINT_BYTES = 4
OWNER = b"lapel owner\n"


class PairingError(Exception):
    """The key cannot be read or kept; the text is a sentence for a person."""


class DamagedKey(PairingError):
    """What is kept there is no key."""


@dataclass(frozen=True)
class Key:
    """`secret` has 32 bytes; `generation` grows with each pairing of the pin."""

    generation: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES or not 0 <= self.generation < 1 << 32:
            raise ValueError(f"a key has {KEY_BYTES} bytes, and a generation of 32 bits")

    @property
    def fingerprint(self) -> str:
        """8 hex digits that two keys hardly share, and that tell nothing of the key. They are never on the air."""
        return hashlib.sha256(FINGERPRINT + self.secret).digest()[:FINGERPRINT_BYTES].hex()

    @property
    def owner_mark(self) -> bytes:
        """What lies beside a pin's recordings, so that it is known whose they are should its key be damaged."""
        return hashlib.sha256(OWNER + self.secret).digest()

    def proof(self, nonce: bytes) -> bytes:
        """What only who has the key can answer to a nonce over USB: HMAC-SHA256."""
        return hmac.digest(self.secret, PROOF + nonce, "sha256")


class KeyStore(Protocol):
    """Holds one key. Every method raises PairingError."""

    where: str

    def load(self) -> Key | None:
        """None: no pin is paired."""

    def save(self, key: Key) -> None:
        """In the place of one that was there, durably."""

    def forget(self) -> bool:
        """False: there was none."""


class KeyFile:
    """`pin.key` in the state folder, mode 0600."""

    def __init__(self, state: Path) -> None:
        self._path = state.expanduser().absolute() / FILE
        self.where = str(self._path)

    def load(self, exposed: bool = False) -> Key | None:
        """`exposed`: also one that others may read, to be replaced."""
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PairingError(f"the pin's key in {self.where} cannot be read: {error.strerror}.") from error
        try:
            mode = os.fstat(handle).st_mode
            if mode & _OTHERS and not exposed:
                raise PairingError(
                    f"the pin's key in {self.where} may be read or written by others (mode"
                    f" {stat.S_IMODE(mode):04o}), so it is not used. If nobody did: chmod 600 {self.where}."
                    " Else make a new one: lapel pair --rotate."
                )
            return _parsed(os.read(handle, _LINE_MAX_BYTES).decode("ascii", "replace"), self.where)
        except OSError as error:
            raise PairingError(f"the pin's key in {self.where} cannot be read: {error.strerror}.") from error
        finally:
            os.close(handle)

    def save(self, key: Key) -> None:
        try:
            durable.make_folder(self._path.parent, "key")
            durable.write_atomic(self._path, _line(key).encode(), "key")
        except OSError as error:
            raise PairingError(f"the pin's key cannot be kept in {self.where}: {error.strerror}.") from error

    def forget(self) -> bool:
        there = self._path.exists()
        try:
            # What a crash left of a key that was being kept is the key, too.
            for half in self._path.parent.glob(f".{FILE}.*.tmp"):
                durable.remove(half, "key.half")
            durable.remove(self._path, "key")
            if there:
                durable.sync_dir(self._path.parent, "key")
        except OSError as error:
            raise PairingError(f"the pin's key in {self.where} cannot be removed: {error.strerror}.") from error
        return there


class KeyRing:
    """An entry of the system's place for secrets; a state folder has its own, and a mark that says so."""

    def __init__(self, state: Path, ring: KeyringBackend, asker: Asker | None = None) -> None:
        folder = state.expanduser().absolute()
        marked = _marked(folder)
        self._ring = ring
        self._asker = asker or Asker()
        self._account = marked[1] if marked else str(folder)
        self._mark = folder / MARK
        self.where = f"the keyring ({ring.name})"

    def load(self) -> Key | None:
        line = self._ask("read", lambda: self._ring.get_password(SERVICE, self._account))
        return None if line is None else _parsed(line, self.where)

    def save(self, key: Key) -> None:
        try:
            durable.make_folder(self._mark.parent, "key.mark")
            durable.write_atomic(self._mark, os.fsencode(f"{self._ring.name}\n{self._account}\n"), "key.mark")
        except OSError as error:
            raise PairingError(f"that the pin's key is in {self.where} cannot be noted: {error.strerror}.") from error
        self._ask("kept", lambda: self._ring.set_password(SERVICE, self._account, _line(key)))
        if self.load() != key:
            raise PairingError(f"the pin's key was not kept in {self.where}: it gives back something else.")

    def forget(self) -> bool:
        there = self._ask("read", lambda: self._ring.get_password(SERVICE, self._account)) is not None
        if there:
            self._ask("removed", lambda: self._ring.delete_password(SERVICE, self._account))
        try:
            durable.remove(self._mark, "key.mark")
        except OSError as error:
            raise PairingError(f"the mark {self._mark} cannot be removed: {error.strerror}.") from error
        return there

    def _ask(self, done: str, call: Callable[[], _T]) -> _T:
        try:
            return self._asker.ask(call)
        except Silent:
            raise PairingError(
                f"the pin's key cannot be {done}: {self.where} does not answer. Unlock it, and try again."
            ) from None
        except Exception as error:  # noqa: BLE001 - a keyring raises what its bus and its service do, of any kind
            # What it says may quote what it was given.
            kind = type(error).__name__
            raise PairingError(
                f"the pin's key cannot be {done} in {self.where} ({kind}): unlock it, and try again."
            ) from None


def key_store(
    state: Path, ring: Callable[[], KeyringBackend | None] | None = None, asker: Asker | None = None
) -> KeyStore:
    """Where the key of this state folder is, or belongs. A file that is there stays in use. Raises PairingError where
    it may be in a keyring that cannot be reached."""
    file = KeyFile(state)
    if os.path.lexists(file.where):
        return file
    asker = asker or Asker()
    try:
        found = asker.ask(ring or system_ring)
    except Silent:
        raise PairingError("the system's keyring does not answer: unlock it, and try again.") from None
    except Exception as error:  # noqa: BLE001 - it may be any module that somebody named
        raise PairingError(
            f"the system's keyring cannot be used ({type(error).__name__}): PYTHON_KEYRING_BACKEND and keyringrc.cfg"
            " say which one it is."
        ) from None
    if found is not None:
        return KeyRing(state, found, asker)
    marked = _marked(state)
    if marked is not None:
        raise PairingError(
            f"the pin's key is in the keyring ({marked[0]}), which cannot be reached from here: try it in a terminal of"
            " your desktop."
        )
    return file


def system_ring() -> KeyringBackend | None:
    """The system's place for secrets; None where it has none but plain files, or nothing at all."""
    if sys.platform != "darwin":
        # Elsewhere this part of keyring looks for the Mac's library by starting a compiler, with our environment.
        sys.modules.setdefault("keyring.backends.macOS.api", None)  # type: ignore[arg-type]
    import keyring
    from keyring.backends.chainer import ChainerBackend

    ring = keyring.get_keyring()
    # The chain takes whatever works, also a plain file.
    members = list(ring.backends) if isinstance(ring, ChainerBackend) else [ring]
    # Recommended ones have 1 and more, as keyring's documentation says; files have less.
    return next((member for member in members if _priority(member) >= 1), None)


def _marked(state: Path) -> tuple[str, str] | None:
    """The name of the keyring and the account that the mark says; None without one. Raises PairingError."""
    mark = state.expanduser().absolute() / MARK
    try:
        name, _, account = os.fsdecode(mark.read_bytes()).rstrip("\n").partition("\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PairingError(f"where the pin's key is cannot be read in {mark}: {error.strerror}.") from error
    return name, account or str(mark.parent)


def _priority(ring: KeyringBackend) -> float:
    try:
        return float(ring.priority)
    except (RuntimeError, TypeError, ValueError):
        return -1.0


def _line(key: Key) -> str:
    return f"1 {key.generation} {key.secret.hex()}\n"


def _parsed(line: str, where: str) -> Key:
    found = _LINE.fullmatch(line)
    if found is None or int(found[1]) >= 1 << 32:
        raise DamagedKey(f"the pin's key in {where} is damaged: pair the pin again with lapel pair.")
    return Key(int(found[1]), bytes.fromhex(found[2]))
