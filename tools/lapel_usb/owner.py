"""Whose a pin is, over USB: asked without its key being read, and given a key that no program's text ever holds."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lapel_companion.pairing import Key
from lapel_usb.errors import LinkLost, PinError, StrangeAnswer, Unfit, UsbError, printable
from lapel_usb.link import PinLink
from lapel_wire import gatt

ROUTINE = Path(__file__).parent / "device" / "owner.py"
ROOT = "/data"
READY = "@ready"
NONCE_BYTES = 32
CHECK_BYTES = 4
_SLOW_S = 30
_FINGERPRINT = re.compile(r"([0-9a-f]{8})?")
_FLASH = "Put this version's app on it:  make flash"
_AGAIN = "Type the command again: it finds out how far this one came."


@dataclass(frozen=True)
class Seen:
    """`key` is none, damaged or there; `clips` are recordings that no computer has taken, `others` notices, settings
    and the like; `forgets`: a wipe was begun and is not over."""

    key: str
    generation: int = 0
    fingerprint: str = ""
    clips: int = 0
    others: int = 0
    forgets: bool = False
    nonce: bytes = b""
    proof: bytes = field(default=b"", repr=False)
    mark: bytes = field(default=b"", repr=False)

    def is_of(self, key: Key | None) -> bool:
        """Whether the pin has this key; compared in constant time."""
        if key is None or self.key != "there":
            return False
        return hmac.compare_digest(self.proof, key.proof(self.nonce))

    def was_of(self, key: Key | None) -> bool:
        """Whether the pin lost its key, which was this one: what it recorded then is marked with it."""
        return key is not None and self.key != "there" and hmac.compare_digest(self.mark, key.owner_mark)

    @property
    def holds_something(self) -> bool:
        """Somebody used it."""
        return bool(self.clips or self.others)


def look(link: PinLink) -> Seen:
    """Asks the pin. Raises Unfit where there is no app that could be paired, and UsbError."""
    if not link.facts.mounted:
        raise Unfit(f"The filesystem of the pin on {link.port} does not mount.", "What helps is said by:  make flash")
    nonce = secrets.token_bytes(NONCE_BYTES)
    _load(link)
    told = _told(link.run(f"look({nonce!r})", timeout_s=_SLOW_S))
    _check_app(told, link.port)
    try:
        return Seen(
            key=_of(told["key"], str),
            generation=_of(told.get("generation", 0), int),
            fingerprint=_fingerprint(told.get("fingerprint", "")),
            clips=_of(told["clips"], int),
            others=_of(told["others"], int),
            forgets=_of(told["forgets"], bool),
            nonce=nonce,
            proof=bytes.fromhex(_of(told.get("proof", ""), str)),
            mark=bytes.fromhex(_of(told.get("owner", ""), str)),
        )
    except (KeyError, ValueError) as error:
        raise StrangeAnswer("whose it is", "something else") from error


def give(link: PinLink, key: Key) -> None:
    """The pin has this key, and no other, from now on; see look() for whether it kept it. Raises UsbError."""
    _load(link)
    sent = key.secret + hashlib.sha256(key.secret).digest()[:CHECK_BYTES]

    def heard(line: str) -> None:
        if line == READY:
            link.transport.serial.write(sent.hex().encode())

    try:
        answer = _told(link.run(f"take({key.generation})", timeout_s=_SLOW_S, on_line=heard))
    except PinError as error:
        # What it printed is not repeated: it had the key in its hands.
        raise UsbError(f"The pin did not keep the key ({_kind(error)}).", _AGAIN) from None
    if not answer.get("taken"):
        raise LinkLost("The key came damaged over the cable, and the pin did not take it.", _AGAIN)


def _load(link: PinLink) -> None:
    try:
        link.run(ROUTINE.read_text(encoding="utf-8") + "\nfind_app()\n")
    except PinError as error:
        raise Unfit(f"The pin on {link.port} cannot run what pairs it: {printable(error.exception)}", _FLASH) from error


def _check_app(told: dict[str, Any], port: str) -> None:
    if not told.get("app"):
        raise Unfit(f"There is no app on the pin on {port}.", "Put one on it first:  make flash BOARD=...")
    protocol = told.get("protocol", 0)
    if protocol != gatt.PROTOCOL_VERSION:
        older = isinstance(protocol, int) and protocol < gatt.PROTOCOL_VERSION
        raise Unfit(
            f"The app of the pin on {port} is too {'old' if older else 'new'} for this computer's Lapel.",
            _FLASH if older else "Update Lapel on this computer, or put this version's app on the pin:  make flash",
        )
    if told.get("root") != ROOT:
        raise Unfit(
            "The plain simulated pin keeps its recordings where USB does not reach; the simulator has paired it.",
            "One that stands for a real board is paired like one:  lapel sim --usb --board xiao_esp32s3",
        )
    count, _, cause = str(told.get("boots", "")).partition("\n")
    # main.py leaves that when it begins its safe mode
    if count == "0" and cause.strip():
        raise Unfit(
            f"This pin is in safe mode: its app does not start ({printable(cause)}).",
            f"First a good app:  make flash BOARD=... PORT={port}",
        )


def _told(answer: str) -> dict[str, Any]:
    lines = [line[1:] for line in answer.splitlines() if line.startswith("@{")]
    try:
        found = json.loads(lines[-1])
    except (IndexError, ValueError, RecursionError):
        raise StrangeAnswer("whose it is", answer if len(answer) < 40 else "something else") from None
    if not isinstance(found, dict):
        raise StrangeAnswer("whose it is", "something else")
    return found


def _of(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"no {kind.__name__}")
    return value


def _fingerprint(value: Any) -> str:
    # It is shown, and whatever is plugged in may say what it likes.
    if not _FINGERPRINT.fullmatch(_of(value, str)):
        raise ValueError("no fingerprint")
    return str(value)


def _kind(error: PinError) -> str:
    # "OSError: 28" tells, and holds nothing that was sent
    name, _, text = error.exception.partition(":")
    return printable(f"{name}: {text}" if name in ("OSError", "StoreError", "StoreFull", "MemoryError") else name)
