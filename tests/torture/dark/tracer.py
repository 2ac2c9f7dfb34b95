"""strace, which only looks on: who did what to which folder, line by line and in its order.

One strace for a process and all that it starts, for as long as it lives; each case asks for the lines of its folder.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.torture.dark.heard import CALLS, Line

# Longer than anything that is written at once.
_WHOLE_BYTES = 1 << 22
_LINE = re.compile(rb"(\d+)\s+(.*)")
_RESUMED = re.compile(rb"<\.\.\. \w+ resumed>(.*)")
_BEGUN = b" <unfinished ...>"
_LOOK_S = 0.005
_LAST_S = 2.0


class Ear:
    """The lines about one folder, from when it was asked for. `programs`: what was started with its path."""

    def __init__(self, folder: Path) -> None:
        self.path = os.fsencode(folder)
        self.lines: list[Line] = []
        self.programs: list[int] = []


class Tracer:
    """Start `command` before what it shall look at (`start` first), and `close` when that has ended."""

    def __init__(self, strace: str, folder: Path) -> None:
        self._fifo = folder / "calls"
        os.mkfifo(self._fifo)
        # Both ends: neither strace nor this thread waits for the other to begin or to end.
        self._handle = os.open(self._fifo, os.O_RDWR)
        calls = ",".join(f"?{name}" for name in (*CALLS, "execve", "execveat"))
        self.command: Sequence[str] = [
            strace, "-D", "-f", "-q", "-y", "-x", "-s", str(_WHOLE_BYTES), "--seccomp-bpf",
            "-o", str(self._fifo), "-e", f"trace={calls}", "-e", "signal=kill",
        ]  # fmt: skip
        self._ears: list[Ear] = []
        # What runs a program of its own is not the companion any more.
        self._others: set[int] = set()
        self._alive: set[int] = set()
        self._gone: set[int] = set()
        self._begun: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._read, name="strace", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """The thread ends, when strace has told the last of all that ended."""
        end_s = time.monotonic() + _LAST_S
        while self._alive and time.monotonic() < end_s:
            time.sleep(_LOOK_S)
        self._ended = True
        os.write(self._handle, b"\n")
        self._thread.join()
        os.close(self._handle)
        self._fifo.unlink(missing_ok=True)

    def listen(self, folder: Path) -> Ear:
        """The lines about a folder from now on, until `ignore`."""
        ear = Ear(folder)
        with self._lock:
            self._ears.append(ear)
        return ear

    def ignore(self, ear: Ear) -> None:
        """Not any more."""
        with self._lock:
            if ear in self._ears:
                self._ears.remove(ear)

    def gone(self, pid: int, limit_s: float = 10.0) -> bool:
        """Wait until everything that a process did, has been told. Blocks; False when that took too long."""
        end_s = time.monotonic() + limit_s
        while pid not in self._gone and time.monotonic() < end_s:
            time.sleep(_LOOK_S)
        return pid in self._gone

    def settle(self, ear: Ear, limit_s: float = 30.0) -> None:
        """Wait until everybody who touched the folder has ended: of a killed process the leader may be told of before
        the last call of another thread. Blocks, no longer than that."""
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            with self._lock:
                if not any(line.thread in self._alive for line in ear.lines):
                    return
            time.sleep(_LOOK_S)

    def _read(self) -> None:
        parts: list[bytes] = []
        while not self._ended:
            *whole, rest = os.read(self._handle, 1 << 16).split(b"\n")
            if whole:
                whole[0] = b"".join([*parts, whole[0]])
                parts = []
            parts.append(rest)
            with self._lock:
                for line in whole:
                    self._line(line)

    def _line(self, line: bytes) -> None:
        found = _LINE.match(line)
        if not found:
            return
        thread, text = int(found[1]), found[2]
        if text.startswith(b"+++ "):
            self._gone.add(thread)
            self._alive.discard(thread)
            self._others.discard(thread)
            self._begun.pop(thread, None)
            return
        self._gone.discard(thread)
        self._alive.add(thread)
        resumed = _RESUMED.match(text)
        if resumed:
            text = self._begun.pop(thread, b"") + resumed[1]
        begun = text.endswith(_BEGUN)
        if begun:
            text = self._begun[thread] = text.removesuffix(_BEGUN)
        for ear in self._ears:
            if ear.path in text:
                self._of(ear, thread, text, begun)
        if text.startswith(b"execve"):
            self._others.add(thread)

    def _of(self, ear: Ear, thread: int, text: bytes, begun: bool) -> None:
        if text.startswith(b"execve"):
            ear.programs.append(thread)
        elif thread not in self._others:
            ear.lines.append(Line(thread, text.decode("latin-1"), begun))
