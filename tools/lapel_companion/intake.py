"""Clips on their way in: taken by offset, acknowledged when durable, accepted when they are a dispatch.

One writer task moves what came in to the disk, in batches, and only then speaks of it. A disk that is
full withholds the acknowledgement: the pin keeps the clip, and the writer tries again. The pin sends no further than
a window beyond the offset it was told last, so no offset is told that there is no room for.
"""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from lapel_companion import allowance, audio
from lapel_companion.clips import MAX_CLIP_BYTES, ClipFiles, ClipMeta
from lapel_companion.events import EventLog
from lapel_companion.incoming import Complaints, Incoming, Offered, Say, accept, make_room, same_press, to_its_end
from lapel_companion.wording import one_line
from lapel_wire import messages
from lapel_wire.clips import WINDOW_BYTES
from lapel_wire.packets import RECORD_MAX_BYTES

BATCH_BYTES = 4096
BATCH_S = 0.1
# One window that is being written, one that comes meanwhile; its last record may reach beyond it.
PENDING_MAX_BYTES = 2 * WINDOW_BYTES + RECORD_MAX_BYTES
RETRY_S = (1.0, 2.0, 5.0, 10.0)
_CONFLICTS_A_RUN = 3


class Intake:
    """Owns the clips that are coming in. `start`, then `run` as a task; both directions are sync calls."""

    def __init__(
        self,
        log: EventLog,
        files: ClipFiles,
        *,
        submit: Callable[[str], Awaitable[None]],
        report: Callable[[str], None],
    ) -> None:
        self._log = log
        self._files = files
        self._submit = submit
        self._report = report
        self.allowance = allowance.Allowance(report)
        self._say: Say | None = None
        self._incoming: dict[str, Incoming] = {}
        self._offered = Offered()
        self._dirty = asyncio.Event()
        self._urgent = asyncio.Event()
        self._finished: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._failures = 0
        self._complaints = Complaints(report)
        self.trouble: str | None = None
        self.refused = 0

    async def start(self) -> None:
        """Take up what an earlier run left. Raises OSError."""
        partials = await asyncio.to_thread(self._files.recover, self.accepted)
        for partial in partials:
            await asyncio.to_thread(partial.open)
            partial.close()
            self._incoming[partial.meta.id] = Incoming(partial)

    async def run(self) -> None:
        """Write, acknowledge, accept, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write())
            group.create_task(self._finish())

    async def close(self) -> None:
        """Write what is held, as far as the disk takes it."""
        for incoming in list(self._incoming.values()):
            if incoming.pending and not self.trouble:
                await self._flush(incoming)
            incoming.partial.close()

    def accepted(self, clip_id: str) -> bool:
        """Whether the clip is a dispatch already."""
        return self._log.find("clip", "id", clip_id) is not None

    def attach(self, say: Say) -> None:
        """A pin is linked; `say` takes the answers. Clip numbers mean nothing until it offers them."""
        self._say = say
        self._offered.clear()

    def detach(self) -> None:
        """The pin is gone. What it sent is kept."""
        self._say = None
        self._offered.clear()

    def coming(self) -> set[str]:
        """The ids of the clips that are coming in."""
        return set(self._incoming)

    def highest(self, epoch: str) -> int:
        """The highest clip number known of a clip epoch, among those still coming in; 0 for none."""
        numbers = [i.partial.meta.number for i in self._incoming.values() if i.partial.meta.epoch == epoch]
        return max(numbers, default=0)

    def offer(self, meta: ClipMeta) -> None:
        """CLIP: answer with what is held of it."""
        self._offered.add(meta.number, meta.id)
        known = self._log.find("clip", "id", meta.id)
        if known is not None:
            if same_press(known, meta):
                self._answer(messages.ACCEPTED, {"n": meta.number, "d": known.dispatch})
            else:
                # Another press under a known id: never merged; unanswered, the pin keeps it.
                self._contradiction(meta.id, {"boot": meta.boot, "press_ms": meta.press_ms})
            return
        incoming = self._incoming.get(meta.id)
        if incoming is None:
            is_known = meta.codec in audio.SUFFIXES and meta.rate_hz == audio.RATE_HZ
            if not is_known or not make_room(self._incoming, self._offered.ids()):
                self._refuse(meta)
                return
            if not self.allowance.take(allowance.RECORDINGS):
                return
            incoming = self._incoming[meta.id] = Incoming(self._files.begin(meta))
        if incoming.receiver.held:
            self._resume(incoming)
        else:
            self._answer(messages.ACK, incoming.told(0))

    def _refuse(self, meta: ClipMeta) -> None:
        self.refused += 1
        codec = f"{one_line(meta.codec)}, {meta.rate_hz} Hz"
        self._complaints.of(meta.id, f"the clip {meta.id} ({codec}) cannot be taken: the pin keeps it")

    def take(self, low: int, offset: int, data: memoryview, came_ms: int) -> None:
        """Audio of the clip whose number ends in `low`; it came at `came_ms` (monotonic)."""
        incoming = self._incoming.get(self._offered.id_by_low(low))
        if incoming is None or len(incoming.pending) + len(data) > PENDING_MAX_BYTES:
            return
        if offset + len(data) > MAX_CLIP_BYTES:
            self.refused += 1
            return
        if not self.allowance.take(allowance.SOUND, len(data)):
            return
        fresh = incoming.receiver.take(offset, data)
        if fresh is None:
            if incoming.must_ask(offset, came_ms):
                self._resume(incoming)
            else:
                self._progress(incoming)
            return
        incoming.crc = binascii.crc32(fresh, incoming.crc)
        incoming.pending += fresh
        self._dirty.set()
        if len(incoming.pending) >= BATCH_BYTES or incoming.complete:
            self._urgent.set()

    def end(self, body: dict[str, Any], came_ms: int) -> None:
        """END: accept the clip, or ask for what is missing of it."""
        number = int(body["n"])
        incoming = self._named(number)
        if incoming is None:
            self._end_of_known(number, body)
            return
        incoming.end = body
        if incoming.complete:
            self._dirty.set()
            self._urgent.set()
        elif incoming.must_ask(int(body["bytes"]), came_ms):
            self._resume(incoming)

    def conflict(self, body: dict[str, Any]) -> None:
        """CONFLICT: the pin's bytes are others than ours; it is right, ours are set aside."""
        incoming = self._named(int(body["n"]))
        if incoming is not None:
            # A digest that nothing has sends the writer down the same way as a clip that fails its check.
            incoming.end = {"n": body["n"], "bytes": 0, "ms": 0, "sha": "", "cut": True}
            self._dirty.set()
            self._urgent.set()

    def _end_of_known(self, number: int, body: dict[str, Any]) -> None:
        clip_id = self._offered.id_of(number)
        known = self._log.find("clip", "id", clip_id)
        if known is None:
            return
        if known.body.get("sha") == body["sha"]:
            self._answer(messages.ACCEPTED, {"n": number, "d": known.dispatch})
        else:
            self._contradiction(clip_id, {"sha": body["sha"]})

    def _contradiction(self, clip_id: str, said: dict[str, Any]) -> None:
        told = f"the pin offers another clip under the known id {clip_id}: it is not taken, the pin keeps it"
        if not self._complaints.of(clip_id, told):
            return
        try:
            self._log.append("conflict", {"id": clip_id, "kept": None, **said}, principal="pin")
        except sqlite3.OperationalError as error:
            self._report(f"that could not be written down: {error}")

    def _named(self, number: int) -> Incoming | None:
        return self._incoming.get(self._offered.id_of(number))

    def _resume(self, incoming: Incoming) -> None:
        # Without an answer the pin asks again; by then the disk has got further.
        if len(incoming.pending) <= WINDOW_BYTES:
            self._answer(messages.RESUME, {**incoming.told(incoming.receiver.held), "crc": incoming.crc})

    def _progress(self, incoming: Incoming) -> None:
        if incoming.is_news():
            self._answer(messages.ACK, incoming.told(incoming.partial.durable_bytes))

    def _answer(self, kind: int, body: dict[str, Any]) -> None:
        if self._say is not None:
            self._say(kind, body, (kind, body["n"]))

    async def _write(self) -> None:
        while True:
            await self._dirty.wait()
            if not self._urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BATCH_S):
                        await self._urgent.wait()
            self._dirty.clear()
            self._urgent.clear()
            for incoming in list(self._incoming.values()):
                if incoming.pending or incoming.complete:
                    await to_its_end(self._flush(incoming))
            if self.trouble:
                await asyncio.sleep(RETRY_S[min(self._failures, len(RETRY_S)) - 1])
                self._dirty.set()

    async def _flush(self, incoming: Incoming) -> None:
        data = bytes(incoming.pending)
        try:
            if data:
                await asyncio.to_thread(incoming.partial.append, data)
                del incoming.pending[: len(data)]
                if not incoming.complete:
                    self._progress(incoming)
            if incoming.complete and not incoming.pending:
                await self._settle(incoming)
        except (OSError, sqlite3.OperationalError) as error:
            self._failed(error)
        else:
            self._recovered()

    async def _settle(self, incoming: Incoming) -> None:
        meta, end = incoming.partial.meta, incoming.end
        assert end is not None
        same = (
            incoming.receiver.held == end["bytes"]
            and await asyncio.to_thread(incoming.partial.sha256) == end["sha"]
        )
        if not same:
            await self._set_aside(incoming)
            return
        dispatch = await asyncio.to_thread(accept, self._log, meta, end)
        self._answer(messages.ACCEPTED, {"n": meta.number, "d": dispatch})
        incoming.partial.close()
        self._incoming.pop(meta.id, None)
        self._finished.put_nowait((meta.id, dispatch))

    async def _set_aside(self, incoming: Incoming) -> None:
        with self.allowance.taking(allowance.CONFLICTS) as told:
            kept = await asyncio.to_thread(incoming.partial.set_aside, keep=told)
            incoming.restart()
            incoming.conflicts += 1
            if told:
                body = {"id": incoming.partial.meta.id, "kept": kept.name if kept else None}
                await asyncio.to_thread(self._log.append, "conflict", body, principal="pin")
        if incoming.conflicts <= _CONFLICTS_A_RUN:
            self._resume(incoming)

    async def _finish(self) -> None:
        while True:
            clip_id, dispatch = await self._finished.get()
            try:
                await asyncio.to_thread(self._files.finish, clip_id)
            except OSError as error:
                self._report(f"the sound of {clip_id} could not be saved: {error.strerror}")
            await self._submit(dispatch)

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        cause = error.strerror if isinstance(error, OSError) else str(error)
        trouble = f"a clip cannot be saved ({cause}): the pin keeps it, and it is tried again"
        if self.trouble != trouble:
            self._report(trouble)
        self.trouble = trouble

    def _recovered(self) -> None:
        if self.trouble:
            self._report("clips can be saved again")
        self._failures, self.trouble = 0, None
