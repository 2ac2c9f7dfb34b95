"""The companion's parts that a pin speaks to, on an empty folder and watched from outside: what is promised is on the
disk, what is kept is bounded, and nothing is done twice."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from lapel_companion import allowance, durable, timeline
from lapel_companion import intake as intake_module
from lapel_companion.clips import MAX_CLIP_BYTES, MAX_PARTIALS
from lapel_companion.incoming import COMPLAINTS_MAX
from lapel_companion.link import set_aside
from lapel_companion.link.peer import Peer
from lapel_companion.link.wishes import MAX_WISHES
from lapel_wire import messages
from tests.host.companion.companion_fakes import Rig

_SETTLES_S = 10.0
# So little may be written down that a short input comes to the end of it.
A_DAY = dict.fromkeys(allowance.A_DAY, 6) | {allowance.SOUND: 20_000}
# What one of each kind is written as, at most: a clip is two events, its dispatch's end another one here.
_EVENTS_EACH = 4


class World:
    """The companion's parts on an empty folder, watched from outside."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.folder = folder
        self.synced: dict[int, int] = {}
        self.busy = 0
        self.reads: list[asyncio.Task[bytes]] = []
        self.accepted: set[str] = set()
        desk, intake = self.rig.desk, self.rig.intake
        intake.allowance = desk._allowance = allowance.Allowance(self.rig.reports.append, a_day=A_DAY)
        received, put = desk.received, desk.wishes.put

        async def watched(kind: int, body: Any, came_ms: int) -> None:
            self.busy += 1
            try:
                await received(kind, body, came_ms)
            finally:
                self.busy -= 1

        def checked(kind: int, body: dict[str, Any], key: Any) -> None:
            self._promised(kind, body)
            put(kind, body, key)

        desk.received, desk.wishes.put = watched, checked  # type: ignore[method-assign]

    def _promised(self, kind: int, body: dict[str, Any]) -> None:
        """Nothing is acknowledged or accepted that is not on the disk."""
        if kind not in (messages.ACK, messages.ACCEPTED):
            return
        clip_id = self.rig.intake._offered.id_of(body["n"])
        if kind == messages.ACK:
            assert body["off"] == 0 or self._durable(clip_id) >= body["off"], "acknowledged and not synced"
            return
        self.accepted.add(body["d"])
        known = [event for event in self.rig.log.read(kinds=["clip"]) if event.dispatch == body["d"]]
        assert len(known) == 1 and self._durable(str(known[0].body["id"])) >= known[0].body["bytes"]

    def _durable(self, clip_id: str) -> int:
        for suffix in ("part", "adpcm"):
            with contextlib.suppress(FileNotFoundError):
                return self.synced.get((self.folder / "clips" / f"{clip_id}.{suffix}").stat().st_ino, -1)
        return -1

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Notes what is synced, and has the writer wait for nothing."""
        sync = durable.sync_file

        def noted(handle: int, what: str) -> None:
            sync(handle, what)
            found = os.fstat(handle)
            self.synced[found.st_ino] = found.st_size

        with mock.patch.object(durable, "sync_file", noted), mock.patch.object(intake_module, "BATCH_S", 0.0):
            yield

    async def settle(self, peer: Peer, talking: asyncio.Task[str]) -> None:
        """Until all that was said is taken, and what came in is on the disk."""
        intake, wishes = self.rig.intake, self.rig.desk.wishes
        until_s = time.monotonic() + _SETTLES_S
        while True:
            await asyncio.sleep(0)
            writing = any(one.pending or one.complete for one in intake._incoming.values())
            said = not talking.done() and (len(wishes) or len(peer._inbox) or self.busy)
            due = len(self.accepted) - len(self.rig.submitted)
            if not (said or writing or intake._dirty.is_set() or due > 0):
                return
            assert intake.trouble is None, intake.trouble
            assert time.monotonic() < until_s, f"it does not settle: {writing} {said} {due}"

    def check(self) -> None:
        """All that is kept is bounded, and what is told does nothing to a terminal."""
        rig, intake = self.rig, self.rig.intake
        assert not any(task.done() for task in rig._tasks), "a part of the daemon ended"
        assert len(intake._incoming) <= MAX_PARTIALS and len(intake._offered.ids()) <= 256
        assert len(intake._complaints._clips) <= COMPLAINTS_MAX and len(rig.desk.wishes) <= MAX_WISHES
        for sentence in [*rig.reports, set_aside.sentence(rig.desk.status) or ""]:
            assert sentence.isprintable(), sentence
        assert len(set(rig.submitted)) == len(rig.submitted)

    def verdict(self) -> str:
        """What was written down, after a look at all of it."""
        log, clips = self.rig.log, {}
        events = log.read(limit=10_000)
        for event in events:
            assert (timeline.line(event) or "").replace("\n", "").isprintable()
            if event.kind == "clip":
                assert event.body["id"] not in clips
                clips[event.body["id"]] = event.body
        for clip_id, body in clips.items():
            data = (self.folder / "clips" / f"{clip_id}.adpcm").read_bytes()
            assert len(data) == body["bytes"] <= MAX_CLIP_BYTES and hashlib.sha256(data).hexdigest() == body["sha"]
        assert len(self.rig.submitted) == len(clips) <= A_DAY[allowance.RECORDINGS]
        by_pin = [event for event in events if event.principal == "pin"]
        assert len(by_pin) <= _EVENTS_EACH * sum(most for kind, most in A_DAY.items() if kind != allowance.SOUND)
        files = list((self.folder / "clips").iterdir())
        kept = sum(file.stat().st_size for file in files if file.suffix in (".part", ".adpcm", ".conflict"))
        assert kept <= A_DAY[allowance.SOUND]
        assert len([file for file in files if file.suffix == ".conflict"]) <= A_DAY[allowance.CONFLICTS]
        return f"{len(clips)} clips, {len(files)} files, {[event.kind for event in by_pin]}"
