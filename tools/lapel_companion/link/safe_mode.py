"""A pin that says that it is in safe mode: what the person is told of it, once, and until when it holds.

Nobody vouches for what it says: anyone can advertise. So the words are cut and cleaned, there is one notice however
often they change, and a pin that proves itself, or is not heard any more, ends it. And a day has so many of them: who
comes and goes must not fill the table of events, or the desktop.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from lapel_companion.allowance import Allowance
from lapel_companion.events import EventLog
from lapel_companion.wording import one_line, shorten

# A pin that was not heard for so long has lost its power, or was carried away.
STALE_S = 180.0
_CAUSE_CHARS = 60
TOLD = "safe modes"
A_DAY = {TOLD: 24}

WAY_ON = "make flash puts a good app on it, make logs shows what it wrote down"


def sentence(cause: str) -> str:
    """What is told of it, everywhere."""
    return f"your pin is in safe mode: {cause}"


class SafeModeWatch:
    """`found` and `heard` come from who scans and connects; `cause` is what holds now."""

    def __init__(self, log: EventLog, now: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._now = now
        self._address = ""
        self._cause: str | None = None
        self._heard_s = 0.0
        # What is beyond is shown, and not told.
        self._allowance = Allowance(lambda _: None, a_day=A_DAY, now=now)

    @property
    def cause(self) -> str | None:
        """Of the pin in safe mode that is here; None without one."""
        return None if self._now() - self._heard_s > STALE_S else self._cause

    def found(self, address: str, cause: str) -> None:
        """The pin at this address says so. The first time it is recorded, and so told."""
        is_new = self.cause is None
        cause = shorten(one_line(cause), _CAUSE_CHARS)
        self._address, self._cause, self._heard_s = address, cause, self._now()
        if is_new and self._allowance.take(TOLD):
            try:
                self._log.append("safe_mode", {"cause": cause}, principal="pin")
            except sqlite3.OperationalError:
                # A full disk: status and doctor say it all the same.
                pass

    def heard(self, address: str) -> None:
        """It still advertises."""
        if address == self._address and self.cause is not None:
            self._heard_s = self._now()

    def over(self) -> None:
        """A pin has proved itself."""
        self._cause = None
