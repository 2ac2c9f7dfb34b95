"""Old recordings and logs go, within the bounds of the configuration. Events stay for ever, and nothing is
touched that waits: for its decision, its job or a person."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from lapel_companion import audio, durable, ledger
from lapel_companion.clips import clip_of
from lapel_companion.config import Keep
from lapel_companion.events import EventLog

_FIRST_S = 600.0
_EVERY_S = 6 * 3600.0
_BUSY_S = 60.0
_DAY_S = 86_400.0
_MB = 1_000_000
_RECORDED = (*(f".{suffix}" for suffix in audio.SUFFIXES.values()), ".part")
# Held dispatches wait for a person, who may want to listen.
_WAITING = ("accepted", "running", "held")


@dataclass
class Item:
    """Files that go together: one recording with what belongs to it, or one log."""

    name: str
    is_clip: bool
    files: list[Path]
    bytes: int
    changed_s: float


class Retention:
    """Of one state folder. `coming` are the ids of clips on their way in, `busy` says that now is no time."""

    def __init__(
        self,
        state: Path,
        log: EventLog,
        keep: Keep,
        *,
        coming: Callable[[], Collection[str]] = lambda: (),
        busy: Callable[[], bool] = lambda: False,
        report: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._state = state
        self._log = log
        self._keep = keep
        self._coming = coming
        self._busy = busy
        self._report = report

    async def run(self) -> None:
        """Sweep now and then, when nothing else is to be done; until cancelled."""
        rest_s = _FIRST_S
        while True:
            await asyncio.sleep(rest_s)
            rest_s = _BUSY_S if self._busy() else _EVERY_S
            if rest_s == _BUSY_S:
                continue
            try:
                await asyncio.to_thread(self.sweep)
            except (OSError, sqlite3.Error) as error:
                self._report(f"old recordings could not be removed: {error}")

    def sweep(self, now_s: float | None = None) -> int:
        """Remove what is too old, then the oldest of what is too much; how many bytes that freed. Raises OSError."""
        now_s = time.time() if now_s is None else now_s
        self._remove_remains(now_s)
        items = sorted([*self._clips(), *self._logs()], key=lambda item: item.changed_s)
        total, freed = sum(item.bytes for item in items), 0
        for item in items:
            age_s = now_s - item.changed_s
            if age_s <= self._keep.days * _DAY_S and total - freed <= self._keep.mb * _MB:
                continue
            # A log is written a moment before the event that names it.
            if self._waits(item, age_s) if item.is_clip else age_s < _DAY_S:
                continue
            for file in item.files:
                durable.remove(file, "old")
            freed += item.bytes
        if freed:
            self._report(f"{freed / _MB:.1f} MB of old recordings and logs were removed ([keep] in the configuration)")
        return freed

    def _waits(self, item: Item, age_s: float) -> bool:
        if item.name in self._coming():
            return True
        clip = self._log.find("clip", "id", item.name)
        if clip is None or clip.dispatch is None:
            # Known to no event: the remains of a clip that the pin never finished.
            return age_s <= self._keep.days * _DAY_S
        found = ledger.load(self._log, clip.dispatch)
        return found is not None and (not found.settled or found.status in _WAITING)

    def _clips(self) -> list[Item]:
        items: dict[str, Item] = {}
        for file in sorted((self._state / "clips").iterdir()):
            clip_id = clip_of(file.name)
            if clip_id is not None:
                _add(items, clip_id, file, is_clip=True)
        for item in items.values():
            # The recording first: what a crash leaves of it is only what describes it.
            item.files.sort(key=lambda file: file.suffix not in _RECORDED)
        return list(items.values())

    def _logs(self) -> list[Item]:
        items: dict[str, Item] = {}
        for file in sorted((self._state / "blobs").glob("??/*")):
            if not file.name.startswith("."):
                _add(items, file.name, file, is_clip=False)
        return list(items.values())

    def _remove_remains(self, now_s: float) -> None:
        """Files that a crash left half written, and databases that were set aside."""
        for pattern, days in ((".*.tmp", 1), ("*/.*.tmp", 1), ("blobs/*/.*.tmp", 1), ("*.damaged-*", self._keep.days)):
            for file in self._state.glob(pattern):
                with contextlib.suppress(FileNotFoundError):
                    if now_s - file.stat().st_mtime > days * _DAY_S:
                        durable.remove(file, "old")


def sizes(state: Path) -> dict[str, int]:
    """Bytes of recordings, logs and events in a state folder, as far as they can be read."""
    found = {"recordings": 0, "logs": 0, "events": 0}
    for folder, _, names in os.walk(state):
        top = (Path(folder).relative_to(state).parts or ("",))[0]
        kind = {"clips": "recordings", "blobs": "logs"}.get(top, "events")
        for name in names:
            with contextlib.suppress(OSError):
                found[kind] += os.lstat(Path(folder, name)).st_size
    return found


def _add(items: dict[str, Item], name: str, file: Path, *, is_clip: bool) -> None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return
    item = items.setdefault(name, Item(name, is_clip, [], 0, 0.0))
    item.files.append(file)
    item.bytes += found.st_size
    # The recording's own time: what is played is written anew whenever somebody listens.
    if file.suffix not in (".wav", ".opus"):
        item.changed_s = max(item.changed_s, found.st_mtime)
