"""The companion's system calls: seen as they begin, held for a moment there, or made to fail. By strace.

strace counts an injection for each thread by itself, so `when=K` alone would not reach every call of a run. Here each
call is held at its entry for a moment (delay_enter), its line is read meanwhile, and who counts over all threads can
kill the process while the call has not been made yet.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from get_tools.strace import problem

ROOT = Path(__file__).resolve().parents[3]
# Where something becomes durable, gets its name or goes. Not every machine has every one: ? is strace's word.
SYNCS = ("fsync", "fdatasync", "sync_file_range", "rename", "renameat", "renameat2", "unlink", "unlinkat")
# What is made to fail.
FAILING = ("fsync", "fdatasync", "rename", "pwrite64", "write")
HELD_US = 12_000
_JOURNAL = b"/events.db-wal>"
_BEGIN = re.compile(rb"^(\d+)\s+(\w+)\(([^\n]*)")


class NoStrace(Exception):
    """There is none, or it may not trace; the text says what to do."""


def find_strace() -> str:
    """A strace that works here: the one that was fetched, else the system's. Raises NoStrace."""
    own = ROOT / ".tools" / "strace"
    found = str(own) if own.exists() else shutil.which("strace")
    if not found:
        raise NoStrace("there is no strace here: `python -m get_tools strace` fetches one (Linux)")
    why = problem([found])
    if why:
        raise NoStrace(f"{found} cannot inject here ({why})")
    return found


def tracer(strace: str, output: Path, *expressions: str) -> list[str]:
    """strace as a prefix of a command. The command stays the process that was started (-D)."""
    options = ["-D", "-f", "-qq", "-y", "--seccomp-bpf", "-o", str(output)]
    return [strace, *options, *(word for each in expressions for word in ("-e", each))]


def one_of(names: Sequence[str]) -> str:
    """A set of system calls as strace takes it."""
    return ",".join(f"?{name}" for name in names)


@dataclass(frozen=True)
class Call:
    """One call of the process that is watched, over all its threads from 1 on."""

    number: int
    thread: int
    name: str
    arguments: str


class Watch:
    """Hears of the calls in `held` (of SYNCS) as they begin; `on_call` is called in a thread of its own, while the call
    is held. Calls of the process's children are not counted; `also` are only listed. `pid()` is the process.

    commits: not the syncs are counted but the first write of each commit to the journal of the table of events: at its
    sync a commit is complete already for everyone who outlives the process.
    """

    def __init__(
        self,
        strace: str,
        folder: Path,
        pid: Callable[[], int],
        on_call: Callable[[Call], None],
        also: Sequence[str] = (),
        commits: bool = False,
    ) -> None:
        self.calls: list[Call] = []
        # How many commits of the table of events were begun (seen if "pwrite64" is in `also`, or with `commits`).
        self.commits = 0
        # How often a thread made a call, the most of all threads: as far as strace's own `when` reaches.
        self.by_thread: Counter[tuple[int, str]] = Counter()
        self._pid = pid
        self._on_call = on_call
        self._ended = False
        self._fifo = folder / f"calls-{id(self):x}"
        os.mkfifo(self._fifo)
        self._commits = commits
        self._writing = False
        held = one_of([*SYNCS, "pwrite64"] if commits else SYNCS)
        names = one_of([*SYNCS, *also, *(["pwrite64"] if commits else [])])
        self.command = tracer(strace, self._fifo, f"trace={names}", f"inject={held}:delay_enter={HELD_US}")
        # Both ends: neither strace nor this thread waits for the other to begin or to end.
        self._handle = os.open(self._fifo, os.O_RDWR)
        self._thread = threading.Thread(target=self._read, name="calls", daemon=True)

    def start(self) -> None:
        """Begin to read; before the command is started."""
        self._thread.start()

    def close(self) -> None:
        """The thread ends; what still writes there is on its own."""
        self._ended = True
        os.write(self._handle, b"\n")
        self._thread.join()
        os.close(self._handle)
        self._fifo.unlink(missing_ok=True)

    def most_by_one_thread(self, name: str) -> int:
        """How often the busiest thread made that call."""
        return max((count for (_, made), count in self.by_thread.items() if made == name), default=0)

    def _read(self) -> None:
        rest, known = b"", False
        while not self._ended:
            rest += os.read(self._handle, 65_536)
            *lines, rest = rest.split(b"\n")
            for line in lines:
                if not known:
                    self._line(line)
                known = False
            # What is held has no end of its line yet.
            if rest and not known:
                known = self._line(rest)

    def _line(self, line: bytes) -> bool:
        found = _BEGIN.match(line)
        if not found:
            return False
        thread, name = int(found[1]), found[2].decode()
        if Path(f"/proc/{self._pid()}/task/{thread}").exists():
            self.by_thread[thread, name] += 1
            begins = self._begins_commit(name, found[3])
            if begins if self._commits else name in SYNCS:
                call = Call(len(self.calls) + 1, thread, name, found[3].decode(errors="replace"))
                self.calls.append(call)
                self._on_call(call)
        return True

    def _begins_commit(self, name: str, arguments: bytes) -> bool:
        if _JOURNAL not in arguments or name not in ("pwrite64", "fdatasync"):
            return False
        begins = name == "pwrite64" and not self._writing
        self._writing = name == "pwrite64"
        self.commits += begins
        return begins
