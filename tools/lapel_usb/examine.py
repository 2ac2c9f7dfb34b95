"""The doctor's look at a pin on USB: what runs on it, how it started, and what went wrong last."""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Iterator

from lapel_companion.doctor import BAD, GOOD, INFO, WARN, Finding, flight_recorder
from lapel_companion.keys import Keys
from lapel_companion.pairing import PairingError
from lapel_usb import owner
from lapel_usb.errors import PinError, Unfit, UsbError
from lapel_usb.link import PinLink, open_pin
from lapel_wire import flight_log, flight_reading

# One line of JSON: which app, how often it failed to start, and what the memory that survives a reset holds.
_ASK = """
import json
def _text(path):
    try:
        with open(path) as f:
            return f.read(400)
    except OSError:
        return ""
def _app():
    folder = _text("/current").strip()
    try:
        with open("/" + folder + "/manifest.json") as f:
            m = json.load(f)
        return [folder, m.get("board"), m.get("version")]
    except (OSError, ValueError):
        return [folder, None, None]
def _retained():
    import machine, binascii
    return binascii.hexlify(machine.RTC().memory()).decode()
print(json.dumps([_app(), _text("/boots"), _retained()]))
"""


def examine(port: str | None, tell: Callable[[str], None], keys: Keys) -> Iterator[Finding]:
    """What the doctor says of the pin on `port` (None: the only one), and of `keys`, this computer's. The app is
    interrupted, and starts again."""
    try:
        with open_pin(port, tell=tell) as link:
            yield _micropython(link)
            yield from _app(link)
            yield _owner(link, keys)
    except UsbError as error:
        yield Finding(BAD, "pin on USB", str(error))


def _micropython(link: PinLink) -> Finding:
    facts = link.facts
    version = ".".join(map(str, facts.version))
    return Finding(GOOD, "pin on USB", f"{link.port}: MicroPython {version} on {facts.machine}")


def _app(link: PinLink) -> Iterator[Finding]:
    try:
        (folder, board, version), boots, retained = json.loads(link.run(_ASK))
    except (PinError, ValueError) as error:
        yield Finding(WARN, "app", f"the pin does not tell what is on it: {error}")
        return
    if not folder:
        yield Finding(BAD, "app", "there is none on this pin", "make flash BOARD=...")
        return
    if folder == "frozen":
        yield Finding(GOOD, "app", "frozen into the image")
    elif version is None:
        yield Finding(BAD, "app", f"{folder} is not whole", "make flash BOARD=...")
    else:
        yield Finding(GOOD, "app", f"version {version} for {board}, in {folder}")
    yield from _started(boots)
    yield _flight(bytes.fromhex(retained))


def _owner(link: PinLink, keys: Keys) -> Finding:
    try:
        seen = owner.look(link)
        held, begun = keys.load(), keys.begun()
    except Unfit as error:
        return Finding(INFO, "pairing", error.sentence)
    except (PinError, PairingError) as error:
        return Finding(WARN, "pairing", str(error))
    if seen.forgets:
        return Finding(WARN, "pairing", "a wipe of this pin was begun and is not over; it goes on by itself")
    if seen.is_of(held):
        return Finding(GOOD, "pairing", f"pin and computer have the same key, {seen.fingerprint}")
    if seen.is_of(begun):
        return Finding(WARN, "pairing", "the pin has the key of a pairing that broke off", "lapel pair")
    mine = f"this computer has {held.fingerprint}" if held else "this computer has none"
    if seen.key == "there":
        return Finding(BAD, "pairing", f"the pin has another key, {seen.fingerprint}; {mine}", "lapel pair")
    text = "the pin's key is damaged" if seen.key == "damaged" else "the pin has no key"
    return Finding(WARN, "pairing", f"{text}; {mine}", "lapel pair")


def _started(boots: str) -> Iterator[Finding]:
    count, _, cause = boots.partition("\n")
    if count.strip().isdigit() and int(count) and cause.strip():
        text = f"its app failed to start {count.strip()} times in a row, the last time by: {cause.strip()}"
        yield Finding(WARN, "starts", text, "make logs")


def _flight(data: bytes) -> Finding:
    if not data:
        return Finding(INFO, "flight recorder", "empty: the pin was without power since it ran last")
    try:
        return flight_recorder(flight_reading.decode(data))
    except (flight_log.BadFlightLog, binascii.Error) as error:
        return Finding(WARN, "flight recorder", str(error))
