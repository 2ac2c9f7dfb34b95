"""Mistakes as somebody might make them. Each is one place in the source, and the cases that must catch it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """`wrong` stands where `right` stood in `file`; `cases` are beginnings of names of cases, tried in turn, with
    at most `sample` of each kind and `n` mixtures to draw from."""

    name: str
    file: str
    right: str
    wrong: str
    cases: tuple[str, ...]
    sample: int = 250
    n: int = 400


_FEED = "firmware/lapel/services/clip_feed.py"
_WRITER = "firmware/lapel/services/clip_writer.py"
_RECOVERY = "firmware/lapel/services/clip_recovery.py"
_IDS = "firmware/lapel/services/store_ids.py"
_NOTICES = "firmware/lapel/services/store_notices.py"
_OBJECTS = "firmware/lapel/services/store_objects.py"
_FILES = "firmware/lapel/services/store_files.py"
_DESK = "firmware/lapel/services/desk.py"
_RECORDER = "firmware/lapel/services/recorder.py"
_INTAKE = "tools/lapel_companion/intake.py"
_STEPS = "tools/lapel_companion/steps.py"
_ENGINE = "tools/lapel_companion/engine_dbos.py"
_COMMAND = "tools/lapel_companion/agents/command.py"
_DURABLE = "tools/lapel_companion/durable.py"

_ATTEMPT = "    await context.attempt(facts)\n"
_GATE = (
    "    with durable.step(\"job.gate\"), contextlib.suppress(BrokenPipeError, ConnectionResetError):\n"
    "        await asyncio.get_running_loop().sock_sendall(ours, b\"!\")\n"
)

PIN = (
    Defect(
        "delete before accepted",
        _FEED,
        "            sender.finished(now_ms)\n",
        "            sender.finished(now_ms)\n            self._accepted(sender.number, \"\")\n",
        ("a/packet",),
    ),
    Defect(
        "captured although the flash failed",
        _RECORDER,
        "        except StoreError as error:\n            self._fail(take, error)\n            return\n        clip",
        "        except StoreError:\n            self._feedback.show(\"captured\")\n"
        "            self._over(take, \"discarded\")\n            return\n        clip",
        ("a/flash/busy", "a/flash/many", "a/full"),
    ),
    Defect(
        "no sync while it is spoken",
        _WRITER,
        "        self._file.flush()\n        self.synced = clip_layout",
        "        self.synced = clip_layout",
        ("a/cut/many", "a/cut"),
    ),
    Defect(
        "a sync at the end of a block alone, in Opus",
        _WRITER,
        "        self._file.flush()\n        self.synced = clip_layout",
        "        if not page % self._parts:\n            self._file.flush()\n        self.synced = clip_layout",
        ("a/cut/opus",),
    ),
    Defect(
        "pages of Opus looked for where those of ADPCM are",
        _RECOVERY,
        "    parts = clip_layout.parts(meta)\n",
        "    parts = 1\n",
        ("a/cut/opus",),
    ),
    Defect(
        "a cut clip looks whole",
        _RECOVERY,
        "pack_end(good_bytes, ms, digest, True)",
        "pack_end(good_bytes, ms, digest, False)",
        ("a/flash",),
    ),
    Defect(
        "ids come again",
        _IDS,
        "        number = self._next\n",
        "        number = 1 + self._next % 2\n",
        ("a/cut",),
    ),
    Defect(
        "no dedupe of notices",
        _DESK,
        "        if not self._store.has_notice(*key) and key not in self._felt:\n",
        "        if True:\n",
        ("a/packet",),
    ),
    Defect(
        "stored before it is durable",
        _DESK,
        "        if self._store.put(body):\n",
        "        if self._store.put(body) or True:\n",
        ("a/flash/many", "a/flash"),
    ),
    Defect(
        "what was seen is not written down",
        _NOTICES,
        "        if self._marks_dirty or self._marks.pack() != before:\n            self._save_marks()\n",
        "        if self._marks_dirty:\n            self._save_marks()\n",
        ("a/cut/many", "a/cut"),
    ),
    Defect(
        "a record without its checksum",
        "firmware/lapel/core/records.py",
        "    if crc32(body, crc32(view[:4])) != crc:\n",
        "    if crc == 0xFFFFFFFF:\n",
        ("a/file/plain/t12100-state.marks-flip1", "a/file/plain"),
    ),
    Defect(
        "what was seen is said once",
        _DESK,
        "            self._repeat_ms = now_ms + RETRY_MS\n            epoch, seqs",
        "            self._repeat_ms = now_ms + (1 << 28)\n            epoch, seqs",
        ("a/packet/busy/up100-lost", "a/packet/busy"),
    ),
    Defect(
        "accepted removes what is being sent",
        _FEED,
        "        if number == self._live.number or number not in self._store.waiting():\n            return\n"
        "        if self._sender is None or self._sender.number != number:\n            return\n",
        "        if self._sender is None or self._sender.number == self._live.number:\n            return\n"
        "        number = self._sender.number\n",
        ("a/packet/plain/up149-lost", "a/packet/plain/up142-delayed", "a/packet/plain"),
    ),
    Defect(
        "ticks subtracted without their wrap",
        "firmware/lapel/core/clock.py",
        "        step = self._diff(now, self._last)\n",
        "        step = now - self._last\n",
        ("a/cut/plain/none", "a/cut/busy/none", "a/cut/many/none"),
    ),
)

COMPANION = (
    Defect(
        "acknowledged from RAM",
        _INTAKE,
        "        incoming.end = body\n        if incoming.complete:\n",
        "        incoming.end = body\n        if incoming.complete:\n"
        "            self._answer(messages.ACCEPTED, {\"n\": number, \"d\": \"d0\"})\n",
        ("b/clips/events.commit[clip+dispatch].before/1/kill", "b/clips"),
    ),
    Defect(
        "accepted before the commit",
        _INTAKE,
        "        dispatch = await asyncio.to_thread(accept, self._log, meta, end)\n",
        "        self._answer(messages.ACCEPTED, {\"n\": meta.number, \"d\": \"d0\"})\n"
        "        await asyncio.sleep(0.05)\n"
        "        dispatch = await asyncio.to_thread(accept, self._log, meta, end)\n",
        ("b/clips/events.commit[clip+dispatch].before/1/kill", "b/clips"),
    ),
    Defect(
        "run first, written down later",
        _COMMAND,
        f"{_ATTEMPT}{_GATE}",
        f"{_GATE}{_ATTEMPT}",
        ("b/jobs/job.gate.after/1/kill", "b/jobs"),
    ),
    Defect(
        "what may have run is run again",
        _STEPS,
        "        again = self._services.agents[job.agent].reruns(job.plan) and len(job.attempts) < _ATTEMPTS_MAX\n",
        "        again = len(job.attempts) < _ATTEMPTS_MAX\n",
        ("b/jobs/job.rest.end.before/1/kill", "b/jobs"),
    ),
    Defect(
        "a notice counts as stored when it was sent",
        "tools/lapel_companion/notices.py",
        "            if not notice.stored and not notice.seen:\n",
        "            if not notice.reached and not notice.seen:\n",
        ("b/jobs/link.send[notice].before/1/kill", "b/jobs"),
    ),
    Defect(
        "a recording is not synced",
        "tools/lapel_companion/clips.py",
        "            durable.sync_file(self._handle, \"clip.part\")\n",
        "            with durable.step(\"clip.part.sync\"):\n                pass\n",
        ("b/clips/link.send[accepted].after/1/power", "b/clips"),
    ),
    Defect(
        "a folder is not synced",
        _DURABLE,
        "            os.fsync(handle)\n        except OSError as error:\n",
        "            pass\n        except OSError as error:\n",
        ("b/clips/link.send[accepted].after/1/power", "b/clips"),
    ),
    Defect(
        "the table of events is not synced",
        "tools/lapel_companion/events_file.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=OFF",
        ("b/clips/link.send[accepted].after/1/power", "b/clips"),
    ),
)

DEFECTS: tuple[Defect, ...] = PIN + COMPANION
