"""The pin as the steps see it: routines of device/ that run there, and what they say."""

from __future__ import annotations

import ast
import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lapel_usb.errors import LinkLost, PinError, Unfit

DEVICE = Path(__file__).parent / "device"
_SHARED = "bench"


class StepFailed(Exception):
    """A step cannot go on; the text says what is wrong, `way_on` what helps."""

    def __init__(self, says: str, way_on: str = "") -> None:
        super().__init__(says)
        self.way_on = way_on


class PinLink(Protocol):
    """What is needed of lapel_usb.link.PinLink."""

    def run(self, code: str, *, timeout_s: float, on_line: Callable[[str], None] | None) -> str:
        """Runs code on the pin; `on_line` hears its lines as they come."""

    def restart(self) -> None:
        """An empty interpreter, with nobody's program running."""

    def reopen(self) -> None:
        """Waits for a pin that went away, and interrupts it again."""


@dataclass
class Told:
    """What one routine said: events in their order, and bytes by name."""

    events: list[dict[str, Any]] = field(default_factory=list)
    data: dict[str, list[bytes]] = field(default_factory=dict)
    # seconds of the computer's clock at each event
    heard_s: list[float] = field(default_factory=list)

    def all(self, event: str) -> list[dict[str, Any]]:
        """The events of that name."""
        return [told for told in self.events if told["event"] == event]

    def one(self, event: str) -> dict[str, Any]:
        """The last event of that name. Raises StepFailed when it never came."""
        found = self.all(event)
        if not found:
            raise StepFailed(f"the pin's routine ended without a word on '{event}'", "Repeat the step.")
        return found[-1]


def program(name: str, arguments: Mapping[str, Any]) -> str:
    """The text to run on the pin: what is shared, the routine, and the call."""
    return "\n".join([*_text(_SHARED), "find_app()", *_text(name), f"go(run, {dict(arguments)!r})", ""])


def _text(name: str) -> list[str]:
    # the pin's heap need not hold what only people read; what is shared stands before it already
    source = (DEVICE / f"{name}.py").read_text(encoding="utf-8")
    first = ast.parse(source).body[0].end_lineno or 0
    return [
        line
        for line in source.splitlines()[first:]
        if line.strip() and not line.lstrip().startswith("#") and not line.startswith(f"from {_SHARED} import")
    ]


class Bench:
    """Runs routines over a link. `board` holds what the board said of itself last."""

    def __init__(self, link: PinLink) -> None:
        self._link = link
        self.board: dict[str, Any] = {}

    def check(self) -> None:
        """Whether an app is there to be tested. Raises Unfit, and what the link raises."""
        self._link.restart()
        text = "\n".join([*_text(_SHARED), "find_app()", "import board", "board.build", ""])
        try:
            self._link.run(text, timeout_s=20, on_line=None)
        except PinError as error:
            if not error.exception.startswith(("ImportError", "AttributeError")):
                raise
            raise Unfit(
                f"There is no app on this pin to test it with ({error.exception}).",
                "Flash it first:  make flash BOARD=...",
            ) from error

    def run(
        self,
        routine: str,
        *,
        timeout_s: float,
        on_event: Callable[[dict[str, Any]], None] = lambda event: None,
        **arguments: Any,
    ) -> Told:
        """One routine, in an empty interpreter. Raises StepFailed, and what the link raises."""
        told = Told()
        pending: list[bytes] = []

        def heard(line: str) -> None:
            line = line.strip()
            if line.startswith("#"):
                pending.append(_decoded(line[1:]))
            elif line.startswith("@"):
                event = _event(line[1:])
                if event["event"] == "data":
                    told.data.setdefault(event["name"], []).append(_whole(b"".join(pending), event))
                    pending.clear()
                told.events.append(event)
                told.heard_s.append(time.monotonic())
                on_event(event)

        try:
            self._link.restart()
        except LinkLost:
            # its watchdog bit while the person took their time, or somebody touched the cable
            self._link.reopen()
            self._link.restart()
        self._link.run(program(routine, arguments), timeout_s=timeout_s, on_line=heard)
        for event in told.all("board"):
            self.board = event
        return told


def _event(text: str) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except ValueError:
        event = None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        raise StepFailed(
            f"a line from the pin came damaged: {text[:60]!r}", "Try another USB cable, and repeat the step."
        )
    return event


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except ValueError:
        # told by the CRC at the end
        return b""


def _whole(data: bytes, event: Mapping[str, Any]) -> bytes:
    if len(data) != event["bytes"] or binascii.crc32(data) != event["crc32"]:
        raise StepFailed(
            f"bytes from the pin came damaged: {len(data)} of {event['bytes']}",
            "Try another USB cable, and repeat the step.",
        )
    return data
