"""What goes wrong in a run of the whole. A fault is made from the name of its case."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.torture.agent import scene
from tests.torture.agent.recogniser import Recogniser
from tests.torture.whole.fault import Fault
from tests.torture.whole.traced import Clean, Failing, LastWords, SyncKill, Written


class PinCut(Fault):
    """The pin's interpreter is killed in its `at`-th flash operation after it was linked."""

    kind = "power cut of the pin"
    interrupts = True

    def __init__(self, at: int, torn: bool) -> None:
        super().__init__()
        self._at, self._torn = at, torn

    async def play(self) -> None:
        stage = self.stage
        await self.opened.wait()
        await stage.sim.power_cut(self._at, self._torn)
        await stage.until(lambda: not stage.sim.pin.running, None)
        self.came = True
        await stage.sim.pin.ended()
        await stage.sim.power_on()
        stage.over_s = stage.now_s


class Stopped(Fault):
    """The companion stands still for `for_s`: the link is half open."""

    kind = "companion stopped, half-open link"

    def __init__(self, when: str, for_s: float = 20.0) -> None:
        super().__init__()
        self._when, self._for_s = when, for_s

    async def play(self) -> None:
        stage = self.stage
        await self.opened.wait()
        if self._when == "speaking":
            await stage.until(lambda: any(e.name == "speak" for e in stage.events), None)
        elif self._when == "working":
            await stage.until(lambda: bool(scene.read_books(stage.folder).begun), None)
        pid = stage.sim.companion_pid
        os.kill(pid, signal.SIGSTOP)
        self.came = True
        try:
            await stage.until(lambda: False, self._for_s)
        finally:
            os.kill(pid, signal.SIGCONT)
        stage.over_s = stage.now_s

    async def acted(self) -> None:
        await self.stage.until(lambda: self.stage.over_s is not None, None)


class AgentKilled(Fault):
    """The agent is killed while it works: the process alone, or its group."""

    kind = "agent killed"

    def __init__(self, group: bool) -> None:
        super().__init__()
        self._kill: Callable[[int, int], None] = os.killpg if group else os.kill

    async def play(self) -> None:
        stage = self.stage
        ledger = stage.folder / "ledger"
        await stage.until(lambda: ledger.exists() and ledger.read_text().endswith("\n"), None)
        self._kill(int(ledger.read_text().split("\t")[1]), signal.SIGKILL)
        self.came = True
        stage.over_s = stage.now_s


class Deaf(Fault):
    """The recogniser refuses everything, or the first request alone."""

    kind = "recogniser refuses"

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times
        self._recogniser: Recogniser

    def prepare(self, folder: Path, recogniser: Recogniser) -> None:
        super().prepare(folder, recogniser)
        self._recogniser = recogniser
        recogniser.refuse = self._times

    async def acted(self) -> None:
        await self.stage.until(lambda: self._recogniser.refuse < self._times, 10.0)
        self.came = self._recogniser.refuse < self._times


class Restored(Fault):
    """The companion's state is put back to what it was: when the pin was linked, when the first task was accepted and
    nothing had come of it yet, or when it was done."""

    kind = "older state put back"
    interrupts = True
    restores = True

    def __init__(self, when: str) -> None:
        super().__init__()
        self._when = when

    def prepare(self, folder: Path, recogniser: Recogniser) -> None:
        super().prepare(folder, recogniser)
        if self._when == "accepted":
            recogniser.delay_s = 1.0

    async def play(self) -> None:
        stage = self.stage
        await self.opened.wait()
        last = {"linked": "linked", "accepted": "clip", "done": "notice_stored"}[self._when]
        await stage.until(lambda: any(e.name == last for e in stage.events), None)
        pid = stage.sim.companion_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            shutil.copytree(stage.state, self._folder / "backup", ignore=_LEFT_OUT)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def rested(self) -> None:
        stage = self.stage
        stage.hands_off = True
        await stage.sim.companion_kill()
        for path in stage.state.iterdir():
            if path.name != "simulated-pin":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self._folder / "backup", stage.state, dirs_exist_ok=True)
        stage.hands_off = False
        await stage.sim.companion_start()
        self.came = True
        stage.over_s = stage.now_s


_LEFT_OUT = shutil.ignore_patterns("simulated-pin", "*.sock", "lock")


def made(name: str, strace: str) -> Fault:
    """The fault of a case: `c/sync-17/kill`, `c/sync-17/kill-4`, `c/sync-17/both`, `c/fsync-3/eio`, ... Raises
    ValueError for a name that is none."""
    _, what, how = name.split("/")
    what, _, number = what.partition("-")
    how, _, more = how.partition("-")
    match what, how:
        case "clean", "run":
            return Clean()
        case "clean", "written":
            return Written(strace)
        case "bye", "kill":
            return LastWords(strace, int(number))
        case "sync", "kill":
            return SyncKill(strace, int(number), int(more or 0))
        case "commit", "kill":
            return SyncKill(strace, int(number), commits=True)
        case "sync", "both":
            return SyncKill(strace, int(number), power=True)
        case (("fsync" | "fdatasync" | "pwrite64" | "write" | "rename"), ("eio" | "enospc")):
            return Failing(strace, [what], f"error={how.upper()}", int(number))
        case (("fsync" | "fdatasync"), "late"):
            return Failing(strace, [what], f"delay_enter={int(more) * 1000}")
        case "op", ("cut" | "torn"):
            return PinCut(int(number), how == "torn")
        case "stop", ("idle" | "speaking" | "working"):
            return Stopped(how)
        case "agent", ("process" | "group"):
            return AgentKilled(how == "group")
        case "recogniser", "refuses":
            return Deaf(int(number or 1))
        case "backup", ("linked" | "accepted" | "done"):
            return Restored(how)
    raise ValueError(f"no case is called {name}")
