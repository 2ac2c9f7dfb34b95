"""What the pin says and is told, once it is linked: greetings, clips, notices, cancels, settings."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lapel_companion.clips import ClipMeta
from lapel_companion.clock import PinClock
from lapel_companion.events import Event, EventLog
from lapel_companion.history import History
from lapel_companion.intake import Intake
from lapel_companion.link.proof import LinkFailed
from lapel_companion.link.teller import Teller
from lapel_companion.link.wishes import Wishes
from lapel_companion.notices import Outbox
from lapel_companion.state import StateFolder
from lapel_wire import gatt, messages

_REPEAT_S = 2.0
_JOBS_SETTLE_S = 1.0
_READ_REPEAT_S = 1.0
_READ_LIMIT_S = 10.0
_READ_MAX_BYTES = 64 * 1024


class NoPin(Exception):
    """No pin is linked, or it did not answer."""


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
        self._data: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(8)
        self._reading = asyncio.Lock()

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
        try:
            await asyncio.to_thread(self._history.linked, body)
            await asyncio.to_thread(self._outbox.lost, body["nh"])
            await asyncio.to_thread(self._clock.hello, body["boot"], body["ms"])
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
        if self._reading.locked():
            self._answered(None)
        if linked:
            try:
                await asyncio.to_thread(self._log.append, "unlinked", {"reason": reason}, principal="pin")
            except sqlite3.OperationalError as error:
                self._report(f"the pin is gone ({reason}); that could not be written down: {error}")

    async def received(self, kind: int, body: Any) -> None:
        """One message of the pin."""
        try:
            await self._take(kind, body)
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
        async with self._reading:
            if self.pin is None:
                raise NoPin("no pin is linked.")
            while not self._data.empty():
                self._data.get_nowait()
            try:
                async with asyncio.timeout(_READ_LIMIT_S):
                    return await self._read_all(what)
            except TimeoutError:
                raise NoPin("the pin does not answer.") from None

    def _answered(self, body: dict[str, Any] | None) -> None:
        if self._data.full():
            self._data.get_nowait()
        self._data.put_nowait(body)

    async def _read_all(self, what: str) -> bytes:
        held = bytearray()
        while True:
            ask = {"w": what, "off": len(held)}
            self.wishes.put(messages.READ, ask, (messages.READ,))
            try:
                async with asyncio.timeout(_READ_REPEAT_S):
                    body = await self._data.get()
            except TimeoutError:
                continue
            if body is None:
                # Not asked again by itself: perhaps the question is what ended it.
                raise NoPin("the link to the pin ended while it was read; try again.")
            if body["w"] != what or body["off"] != len(held):
                continue
            piece = bytes.fromhex(body["b"])
            held += piece
            if not piece or len(held) >= min(body["n"], _READ_MAX_BYTES):
                return bytes(held)

    async def _take(self, kind: int, body: Any) -> None:
        if kind == messages.AUDIO:
            self._intake.take(*body)
        elif kind == messages.CLIP:
            self._intake.offer(self._meta(body))
        elif kind == messages.END:
            self._intake.end(body)
        elif kind == messages.CONFLICT:
            self._intake.conflict(body)
        elif kind == messages.STORED:
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
            self._answered(dict(body))

    async def _set_aside(self, body: dict[str, Any]) -> None:
        found = {"aside": body["aside"], "what": body["what"]}
        last = self._log.last("set_aside")
        if body["aside"] and (last is None or dict(last.body) != found):
            await asyncio.to_thread(self._log.append, "set_aside", found, principal="pin")

    def _meta(self, body: dict[str, Any]) -> ClipMeta:
        assert self.pin is not None
        press = body["t"] if body["t"] is not None else self._clock.press_unix_ms(body["boot"], body["ms"])
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
            self._report(await asyncio.to_thread(self._history.begin_anew, body))
        except (OSError, sqlite3.OperationalError) as error:
            raise LinkFailed(f"a new history cannot be written down: {error}") from error
        raise LinkFailed("a new history begins")

    async def _cancelled(self, body: dict[str, Any]) -> None:
        assert self.pin is not None
        clip_id = messages.clip_id(self.pin["dev"], body["ep"], body["n"])
        await self._cancel_clip(clip_id, body["id"])
        self.wishes.put(messages.CANCELLED, {"id": body["id"]}, (messages.CANCELLED, body["id"]))

    async def _settings_taken(self, body: dict[str, Any]) -> None:
        if body["id"] != self._settings_id:
            return
        first, self._settings_due = self._settings_due is not None, None
        if first:
            record = {"id": body["id"], "error": body["err"]}
            await asyncio.to_thread(self._log.append, "settings", record, principal="pin")
            if body["err"]:
                self._report(f"the pin refuses its settings: {body['err']}")

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
