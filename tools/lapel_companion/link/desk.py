"""What the pin says and is told, once it is linked: greetings, clips, notices, cancels, settings."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lapel_companion import allowance
from lapel_companion.clips import ClipMeta
from lapel_companion.clock import PinClock
from lapel_companion.events import Event, EventLog
from lapel_companion.history import History
from lapel_companion.intake import Intake
from lapel_companion.link.proof import LinkFailed
from lapel_companion.link.reading import Reading
from lapel_companion.link.teller import Teller
from lapel_companion.link.wishes import Wishes
from lapel_companion.notices import Outbox
from lapel_companion.state import StateFolder
from lapel_companion.wording import one_line
from lapel_wire import gatt, messages

_REPEAT_S = 2.0
_JOBS_SETTLE_S = 1.0
# The year 2100.
_PRESS_MAX_UNIX_MS = 4_102_444_800_000


class PinDesk:
    """The daemon's one desk; connections come and go.

    `cancel_clip(clip id, cancel id)` is durable when it returns; repeating it does no harm. `linked()` is told
    when a pin's hello is dealt with.
    """

    def __init__(
        self,
        state: StateFolder,
        log: EventLog,
        intake: Intake,
        outbox: Outbox,
        clock: PinClock,
        *,
        settings: Mapping[str, Any],
        cancel_clip: Callable[[str, int], Awaitable[None]],
        jobs_running: Callable[[], int] = lambda: 0,
        linked: Callable[[], None] = lambda: None,
        report: Callable[[str], None],
    ) -> None:
        self.wishes = Wishes()
        self.pin: dict[str, Any] | None = None
        self.status: dict[str, Any] = {}
        self._state = state
        self._log = log
        self._intake = intake
        self._allowance = intake.allowance
        self._link_is_told = False
        self._clock = clock
        self._outbox = outbox
        self._history = History(state, log, outbox)
        self._teller = Teller(log, outbox, self.wishes)
        self._settings = dict(settings)
        self._settings_id = settings_id(self._settings)
        self._settings_due: float | None = None
        self._cancel_clip = cancel_clip
        self._jobs_running = jobs_running
        self._linked = linked
        self._jobs_due: float | None = None
        # What the pin was told last.
        self._jobs_told = 0
        self._report = report
        self._reading = Reading(self.wishes, lambda: self.pin is not None)

    def hello(self) -> dict[str, Any]:
        """The body of HELLO_HOST."""
        epoch, highest = self._clips_known()
        return {
            "v": gatt.PROTOCOL_VERSION,
            "ep": self._state.epoch,
            "nh": self._outbox.highest(),
            "ce": epoch,
            "ch": highest,
            "t": time.time_ns() // 1_000_000,
            "tz": time.localtime().tm_gmtoff // 60,
            "set": self._settings_id,
        }

    async def welcome(self, body: dict[str, Any], mtu: int, interval_ms: int) -> None:
        """The pin said hello. Raises LinkFailed when we must greet it anew, as another history."""
        await self._check_history(body)
        self._link_is_told = self._allowance.take(allowance.LINKS)
        try:
            await asyncio.to_thread(self._history.linked, body)
            await asyncio.to_thread(self._outbox.lost, body["nh"])
            await asyncio.to_thread(self._clock.hello, body["boot"], body["ms"])
            if self._link_is_told:
                await asyncio.to_thread(
                    self._log.append, "linked", {"mtu": mtu, "interval_ms": interval_ms}, principal="pin"
                )
        except (OSError, sqlite3.OperationalError) as error:
            self._report(f"the disk takes nothing ({error}); the pin is linked all the same")
        self.pin = {**body, "mtu": mtu, "interval_ms": interval_ms, "since": time.time()}
        self.status = {"bat": body["bat"]}
        self._linked()
        self._intake.attach(self.wishes.put)
        self._settings_due = None if body["set"] == self._settings_id else 0.0
        self._teller.attach()
        self._tell_jobs()
        self.tick()

    async def left(self, reason: str) -> None:
        """The connection ended."""
        linked, self.pin = self.pin is not None, None
        self._intake.detach()
        self._teller.detach()
        self.wishes.clear()
        self._reading.left()
        if linked and self._link_is_told:
            try:
                await asyncio.to_thread(self._log.append, "unlinked", {"reason": reason}, principal="pin")
            except sqlite3.OperationalError as error:
                self._report(f"the pin is gone ({reason}); that could not be written down: {error}")

    async def received(self, kind: int, body: Any, came_ms: int) -> None:
        """One message of the pin, and when its last packet came (monotonic)."""
        try:
            await self._take(kind, body, came_ms)
        except sqlite3.OperationalError as error:
            # Unanswered, the pin repeats it.
            self._report(f"what the pin said could not be written down ({error}); it will say it again")

    def on_event(self, event: Event) -> None:
        """Something was recorded in the table of events."""
        self._teller.on_event(event)
        if event.kind == "job":
            self._jobs_changed()

    def tick(self) -> None:
        """Repeat what was not answered."""
        if self.pin is None:
            return
        self._teller.tick()
        if self._jobs_due is not None and time.monotonic() >= self._jobs_due:
            self._jobs_due = None
            if self._jobs_running() != self._jobs_told:
                self._tell_jobs()
        if self._settings_due is not None and time.monotonic() >= self._settings_due:
            self._settings_due = time.monotonic() + _REPEAT_S
            body = {"id": self._settings_id, "v": self._settings}
            self.wishes.put(messages.SETTINGS, body, (messages.SETTINGS,))

    def _jobs_changed(self) -> None:
        # A job that ends at once is not worth a message; nor is it urgent.
        soon = time.monotonic() + _JOBS_SETTLE_S
        self._jobs_due = soon if self._jobs_due is None else min(soon, self._jobs_due)

    def _tell_jobs(self) -> None:
        # What is lost of this is said again in answer to the pin's next status.
        self._jobs_told = self._jobs_running()
        self.wishes.put(messages.JOBS, {"n": self._jobs_told}, (messages.JOBS,))

    async def read(self, what: str) -> bytes:
        """A record that the pin keeps ("flight"). Raises NoPin."""
        return await self._reading.read(what)

    async def _take(self, kind: int, body: Any, came_ms: int) -> None:
        if kind == messages.AUDIO:
            low, offset, data = body
            self._intake.take(low, offset, data, came_ms)
        elif kind == messages.CLIP:
            self._intake.offer(self._meta(body))
        elif kind == messages.END:
            self._intake.end(body, came_ms)
        elif kind == messages.CONFLICT:
            self._intake.conflict(body)
        elif kind == messages.STORED and self._allowance.take(allowance.STORED):
            await self._teller.stored(body["ep"], body["s"])
        elif kind == messages.SEEN:
            await self._teller.seen(body)
        elif kind == messages.CANCEL:
            await self._cancelled(body)
        elif kind == messages.SETTINGS_OK:
            await self._settings_taken(body)
        elif kind == messages.STATUS:
            self.status = dict(body)
            # The pin listens whether anybody is there.
            self._tell_jobs()
            await self._set_aside(body)
        elif kind == messages.DATA:
            self._reading.answered(dict(body))

    async def _set_aside(self, body: dict[str, Any]) -> None:
        found = {"aside": body["aside"], "what": body["what"]}
        last = self._log.last("set_aside")
        if not body["aside"] or (last is not None and dict(last.body) == found):
            return
        if self._allowance.take(allowance.WORDS):
            await asyncio.to_thread(self._log.append, "set_aside", found, principal="pin")

    def _meta(self, body: dict[str, Any]) -> ClipMeta:
        assert self.pin is not None
        press = body["t"] if body["t"] is not None else self._clock.press_unix_ms(body["boot"], body["ms"])
        if press is not None and not 0 <= press < _PRESS_MAX_UNIX_MS:
            # Not every system can write such a time down.
            press = None
        return ClipMeta(
            id=messages.clip_id(self.pin["dev"], body["ep"], body["n"]),
            device=self.pin["dev"],
            epoch=body["ep"],
            number=body["n"],
            codec=body["codec"],
            rate_hz=body["rate"],
            boot=body["boot"],
            press_ms=body["ms"],
            press_unix_ms=press,
            reply_to=body["re"],
        )

    async def _check_history(self, body: dict[str, Any]) -> None:
        try:
            if not await asyncio.to_thread(self._history.behind, body):
                return
            with self._allowance.taking(allowance.HISTORIES) as taken:
                if not taken:
                    raise LinkFailed("it says once more that it knows another history; that is not believed")
                self._report(await asyncio.to_thread(self._history.begin_anew, body))
        except (OSError, sqlite3.OperationalError) as error:
            raise LinkFailed(f"a new history cannot be written down: {error}") from error
        raise LinkFailed("a new history begins")

    async def _cancelled(self, body: dict[str, Any]) -> None:
        assert self.pin is not None
        clip_id = messages.clip_id(self.pin["dev"], body["ep"], body["n"])
        if not self._allowance.take(allowance.CANCELS):
            return
        await self._cancel_clip(clip_id, body["id"])
        self.wishes.put(messages.CANCELLED, {"id": body["id"]}, (messages.CANCELLED, body["id"]))

    async def _settings_taken(self, body: dict[str, Any]) -> None:
        if body["id"] != self._settings_id:
            return
        first, self._settings_due = self._settings_due is not None, None
        if first and self._allowance.take(allowance.WORDS):
            wrong = one_line(body["err"] or "")
            record = {"id": body["id"], "error": wrong or None}
            await asyncio.to_thread(self._log.append, "settings", record, principal="pin")
            if wrong:
                self._report(f"the pin refuses its settings: {wrong}")

    def _clips_known(self) -> tuple[str | None, int]:
        clips = self._log.newest("clip", 256)
        if not clips:
            return None, 0
        names = [event.body["id"].split("-") for event in clips]
        epoch = str(names[-1][1])
        accepted = max(int(name[2]) for name in names if name[1] == epoch)
        return epoch, max(accepted, self._intake.highest(epoch))


def settings_id(settings: Mapping[str, Any]) -> int:
    """A number that two equal sets of settings share; never 0, which is the pin's for none."""
    text = json.dumps(dict(settings), sort_keys=True, separators=(",", ":"))
    return zlib.crc32(text.encode()) or 1
