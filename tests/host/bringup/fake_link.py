"""A pin that says what a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lapel_usb.errors import LinkLost


class FakeLink:
    """Each run says `lines`, or raises `error`; the first `lost` restarts find nobody."""

    def __init__(self, lines: Sequence[str] = (), error: Exception | None = None, lost: int = 0) -> None:
        self.lines = lines
        self.error = error
        self.lost = lost
        self.reopened = 0

    def restart(self) -> None:
        if self.lost:
            self.lost -= 1
            raise LinkLost("gone")

    def reopen(self) -> None:
        self.reopened += 1

    def run(self, code: str, *, timeout_s: float, on_line: Callable[[str], None] | None) -> str:
        if self.error:
            raise self.error
        for line in self.lines:
            assert on_line
            on_line(line)
        return ""


def events(*told: Mapping[str, Any]) -> list[str]:
    """The lines that a routine would print."""
    return ["@" + json.dumps(event) for event in told]
