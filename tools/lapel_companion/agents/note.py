"""Writes a note into the notes file: one line each, durable, exactly once."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapel_companion import durable
from lapel_companion.agents.base import Context, Job, Request, Result, spoken
from lapel_companion.config import Phrase
from lapel_companion.dispatcher import Plan


class NoteAgent:
    """Appends to one file; notes wait for each other. Use it from one event loop."""

    name = "note"

    def __init__(self, file: Path) -> None:
        self._file = file
        self._turn = asyncio.Lock()

    def plan(self, phrase: Phrase, request: Request) -> Plan:
        said = request.press_unix_s if request.press_unix_s is not None else request.now_s
        text = spoken(request, "text")
        line = f"- [{time.strftime('%Y-%m-%d %H:%M', time.localtime(said))}] {text}"
        return {"text": text, "line": line, "file": str(self._file)}

    def reruns(self, plan: Plan) -> bool:
        # Each attempt says what the file was before it, so that a second one sees whether the first one
        # wrote.
        return True

    def repeats(self, plan: Plan) -> bool:
        return False

    async def run(self, job: Job, context: Context) -> Result:
        file, line = Path(str(job.plan["file"])), str(job.plan["line"])
        async with self._turn:
            if context.cancelled.is_set():
                return Result("cancelled", "cancelled before it was written")
            try:
                before = job.attempts[0] if job.attempts else None
                if before is None:
                    before = await asyncio.to_thread(_before, file, line)
                    await context.attempt({"job": job.id, "n": 1, **before})
                await asyncio.to_thread(_write, file, line, before)
            except OSError as error:
                cause = (error.strerror or str(error)).lower()
                return Result(
                    "failed", f"not noted, {cause}: {file}", f"{line}\ncould not be written to {file}"
                )
        return Result("done", "noted", f"{line}\nin {file}", facts={"file": str(file)})


def _before(file: Path, line: str) -> dict[str, Any]:
    """What the file is before a note is written: its size, and how often it has this very line."""
    try:
        _ordinary(file.stat().st_mode)
        data = file.read_bytes()
    except FileNotFoundError:
        return {"size_bytes": 0, "same_lines": 0}
    return {"size_bytes": len(data), "same_lines": _count(data, line)}


def _count(data: bytes, line: str) -> int:
    wanted = line.encode()
    return sum(1 for found in data.splitlines() if found == wanted)


def _write(file: Path, line: str, before: Mapping[str, Any]) -> None:
    """Append the line and make it durable, unless an earlier attempt has done so. Raises OSError."""
    created = not file.parent.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        _ordinary(os.fstat(handle).st_mode)
        data = _all(handle)
        if _count(data, line) <= int(before["same_lines"]):
            _append(handle, data, line, int(before["size_bytes"]))
        else:
            durable.sync_file(handle, "note")
    finally:
        os.close(handle)
    durable.sync_dir(file.parent, "note")
    if created:
        durable.sync_dir(file.parent.parent, "note.new")


def _ordinary(mode: int) -> None:
    # A pipe or a device would block, or swallow the note.
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "It is no ordinary file")


def _append(handle: int, data: bytes, line: str, start: int) -> None:
    written = line.encode() + b"\n"
    torn = data[start:].removeprefix(b"\n")
    if torn and written.startswith(torn):
        # A crash or a full disk cut this very note in half: the rest of it follows.
        written = written[len(torn) :]
    elif data and not data.endswith(b"\n"):
        written = b"\n" + written
    try:
        durable.write_all(handle, written)
        durable.sync_file(handle, "note")
    except OSError:
        # A half note is worse than none; nobody else has added anything since, or it stays.
        if _all(handle)[: len(data)] == data and written.startswith(_all(handle)[len(data) :]):
            os.ftruncate(handle, len(data))
        raise


def _all(handle: int) -> bytes:
    os.lseek(handle, 0, os.SEEK_SET)
    parts = []
    while part := os.read(handle, 1 << 20):
        parts.append(part)
    return b"".join(parts)
