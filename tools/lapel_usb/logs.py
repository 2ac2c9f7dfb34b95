"""`make logs`: what a pin tells over USB, in words, while its app runs on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from lapel_usb import ports, waking
from lapel_usb.flash import event_of

LEAVE = "Ctrl-C"


def follow(port: str | None, tell: Callable[[str], None], timeout_s: float | None = None) -> None:
    """Until Ctrl-C, or for so long. Raises UsbError."""
    name = ports.choose(port)
    tell(f"What the pin on {name} tells. {LEAVE} leaves; the app runs on.")
    started = time.monotonic()

    def show(line: str) -> bool:
        if line.strip():
            tell(f"{time.monotonic() - started:8.2f} s  {words(line)}")
        return False

    try:
        waking.listen(name, show, timeout_s)
    except KeyboardInterrupt:
        tell("")


def words(line: str) -> str:
    """A line of the pin as a person reads it."""
    event = event_of(line)
    return phrase(event) if event else line


def phrase(event: Mapping[str, object]) -> str:
    """`boot, cause: power, boot: 12`"""
    name = str(event.get("event", "")).replace("_", " ")
    said = [f"{key.replace('_', ' ')}: {value}" for key, value in event.items() if key != "event"]
    return ", ".join([name, *said])
