"""Whether this state is the one that ran last, or an older one that was put back in its place.

The pin's high-water marks tell it, and files that the table of events does not know. Then a new epoch
begins: what nobody has seen is numbered and felt anew, what the pin still has may have been done in the
history that is lost and is asked about, and the person is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from lapel_companion import audio
from lapel_companion.clips import ClipFiles
from lapel_companion.events import EventLog
from lapel_companion.incoming import accept
from lapel_companion.notices import Outbox
from lapel_companion.paths import engine_database
from lapel_companion.state import StateFolder

# So many recordings that nobody knows are asked about; the others stay where they are.
ASKED_MAX = 20


class History:
    """Of one state folder. All methods block on the disk."""

    def __init__(self, state: StateFolder, log: EventLog, outbox: Outbox) -> None:
        self._state = state
        self._log = log
        self._outbox = outbox

    def check(self, clips: ClipFiles) -> str | None:
        """Before the outbox is loaded: whether the files of the folder belong together; a sentence when not."""
        left = {clip_id for event in self._log.read(kinds=["clips_left"]) for clip_id in event.body["ids"]}
        strange = [one for one in clips.whole() if one not in left and self._log.find("clip", "id", one) is None]
        emptied = self._log.head() == 0 and engine_database(self._state.path).exists()
        if strange or emptied or self._other_epoch():
            return self._begin_anew("files", {"clips": len(strange)}, clips, strange)
        return None

    def behind(self, hello: Mapping[str, Any]) -> bool:
        """Whether the pin knows a notice of this epoch that it was never sent by this history, or a new beginning
        was broken off by a full disk."""
        if self._outbox.epoch != self._state.epoch:
            return True
        return bool(hello["ne"] == self._state.epoch and hello["nh"] > self._outbox.highest_sent())

    def begin_anew(self, hello: Mapping[str, Any]) -> str:
        """The pin remembers more than we do; a sentence on what happened. Raises OSError, sqlite3.Error."""
        return self._begin_anew("pin", {"pin_knows": hello["nh"], "we_know": self._outbox.highest()}, None, [])

    def linked(self, hello: Mapping[str, Any]) -> None:
        """The pin is linked: after a new beginning, what it recorded before is what may have been done."""
        began, marked = self._log.last("epoch"), self._log.last("restored")
        if began is not None and (marked is None or marked.seq < began.seq):
            self._log.append("restored", {"ep": hello["ep"], "high": hello["hw"]}, principal="pin")

    def _other_epoch(self) -> bool:
        notice, began = self._log.last("notice"), self._log.last("epoch")
        known = [event.body[key] for event, key in ((notice, "ep"), (began, "new")) if event is not None]
        return bool(known) and self._state.epoch not in known

    def _begin_anew(
        self, why: str, facts: Mapping[str, Any], clips: ClipFiles | None, strange: list[str]
    ) -> str:
        old = self._outbox.epoch
        new = self._state.new_epoch() if old == self._state.epoch else self._state.epoch
        text = "The state of Lapel on this computer was put back or lost a part: what was done since is not known here"
        began = self._log.last("epoch")
        if began is None or began.body["new"] != new:
            with self._log.transaction():
                self._log.append("epoch", {"old": old, "new": new, "why": why, **facts}, principal="companion")
                self._tell(new, text, strange, self._take_in(strange, clips))
        self._outbox.start_epoch(new)
        return f"{text}; a new history begins."

    def _take_in(self, strange: list[str], clips: ClipFiles | None) -> list[str]:
        asked: list[str] = []
        for clip_id in strange[-ASKED_MAX:] if clips is not None else []:
            asked += self._recover(clip_id, clips) if clips is not None else []
        if strange:
            self._log.append("clips_left", {"ids": strange}, principal="companion")
        return asked

    def _tell(self, epoch: str, text: str, strange: list[str], asked: list[str]) -> None:
        detail = "What the pin recorded before and still has is held, so that nothing is done twice: lapel status"
        if asked:
            detail += f"\nRecordings found without a record are held as {asked[0]} to {asked[-1]}"
        if len(strange) > len(asked):
            detail += f"; {len(strange) - len(asked)} more are left in the folder clips"
        self._outbox.record("failed", dispatch="", text=text, detail=detail, principal="companion", epoch=epoch)

    def _recover(self, clip_id: str, clips: ClipFiles) -> list[str]:
        """A whole recording that no event knows becomes a dispatch, which is held."""
        found = clips.described(clip_id)
        if found is None:
            return []
        meta, data = found
        end = {
            "ms": audio.length_ms(data, meta.codec),
            "bytes": len(data),
            "sha": hashlib.sha256(data).hexdigest(),
            "cut": False,
        }
        return [accept(self._log, meta, end, recovered=True)]


def lost_since(log: EventLog, seq: int) -> bool:
    """Whether a new history began after that event: what it led to in the lost one is not known here."""
    began = log.last("epoch")
    return began is not None and seq < began.seq


def may_have_been_done(log: EventLog, clip: Mapping[str, Any]) -> bool:
    """Whether a clip (its event's body) was recorded before a new beginning, as far as anybody knows."""
    if clip.get("recovered"):
        return True
    parts = str(clip.get("id", "")).split("-")
    if len(parts) != 3:
        return False
    _, epoch, number = parts
    marks = log.read(kinds=["restored"])
    return any(mark.body["ep"] == epoch and int(number) <= mark.body["high"] for mark in marks)

