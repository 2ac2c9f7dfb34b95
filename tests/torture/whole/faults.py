"""What goes wrong in a run of the whole. A fault is made from the name of its case."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.torture.agent import scene
from tests.torture.agent.recogniser import Recogniser
from tests.torture.whole import calls, written
from tests.torture.whole.stage import REST_LIMIT_S, Stage


class Fault:
    """One thing that goes wrong. Hooks, in the order of a run; `came` says that it happened.

    interrupts: a command that may be repeated may have been. restores: an older state was put back.
    """

    kind = "nothing"
    needs_strace = False
    interrupts = False
    restores = False
    # How long it may take until everything is at rest again.
    rest_s = REST_LIMIT_S

    def __init__(self) -> None:
        self.stage: Stage
        self.came = False
        self.opened = asyncio.Event()
        self._folder = Path()
        self._starts = 0

    def prepare(self, folder: Path, recogniser: Recogniser) -> None:
        """The folder of the case is there, and the recogniser."""
        self._folder = folder

    def under(self) -> Sequence[str]:
        """What the companion runs under, at each of its starts."""
        self._starts += 1
        return self.start_under(self._starts)

    def start_under(self, start: int) -> Sequence[str]:
        """The same for the start of that number, from 1 on."""
        return ()

    async def play(self) -> None:
        """Beside the person's acts."""

    async def acted(self) -> None:
        """The person has done everything."""

    async def rested(self) -> None:
        """Everything is at rest."""

    def found(self) -> list[str]:
        """What this fault itself saw go wrong, at the end."""
        return []

    def close(self) -> None:
        """The run is over."""


class Clean(Fault):
    """Nothing goes wrong; with a watch it counts the calls."""

    kind = "nothing (all must be well)"

    def __init__(self, strace: str = "") -> None:
        super().__init__()
        self.came = True
        self._strace = strace
        self._watch: calls.Watch | None = None

    @property
    def calls(self) -> Sequence[calls.Call]:
        """What was counted so far."""
        return self._watch.calls if self._watch else []

    def most_by_one_thread(self, name: str) -> int:
        """How often the busiest thread made that call."""
        return self._watch.most_by_one_thread(name) if self._watch else 0

    def start_under(self, start: int) -> Sequence[str]:
        if not self._strace:
            return ()
        also = ("write", "pwrite64")
        self._watch = calls.Watch(self._strace, self._folder, lambda: self.stage.sim.companion_pid, _nothing, also)
        self._watch.start()
        return self._watch.command

    def close(self) -> None:
        if self._watch:
            self._watch.close()


class Written(Fault):
    """Nothing goes wrong, and what was written is looked at: all of it must have been synced."""

    kind = "written and not synced"
    needs_strace = True

    def __init__(self, strace: str) -> None:
        super().__init__()
        self.came = True
        self._strace = strace

    def start_under(self, start: int) -> Sequence[str]:
        return calls.tracer(self._strace, self._folder / "written", f"trace={calls.one_of(written.CALLS)}")

    def found(self) -> list[str]:
        look = written.Written(str(self._folder))
        look.feed((self._folder / "written").read_text(errors="replace").splitlines())
        return look.left()


class SyncKill(Fault):
    """kill -9 of the companion as it enters its `at`-th sync, rename or unlink; and once more at the `again`-th after
    its next start; with `power` the pin loses its power in the same moment."""

    needs_strace = True
    interrupts = True

    def __init__(self, strace: str, at: int, again: int = 0, power: bool = False) -> None:
        super().__init__()
        self.kind = "kill -9 at a sync" if not again else "kill -9 at a sync, and while recovering"
        if power:
            self.kind = "kill -9 at a sync, and power cut of the pin"
        self._strace = strace
        self._at = [at, *([again] if again else [])]
        self._power = power
        self._watches: list[calls.Watch] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cut = asyncio.Event()

    def start_under(self, start: int) -> Sequence[str]:
        self._loop = asyncio.get_running_loop()
        if start > len(self._at):
            return ()
        watch = calls.Watch(
            self._strace, self._folder, lambda: self.stage.sim.companion_pid, lambda call: self._call(call, start)
        )
        watch.start()
        self._watches.append(watch)
        return watch.command

    def _call(self, call: calls.Call, start: int) -> None:
        if call.number != self._at[start - 1]:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.stage.sim.companion_pid, signal.SIGKILL)
        self.came = self.came or start == len(self._at)
        if self._loop and self._power:
            self._loop.call_soon_threadsafe(self._cut.set)

    async def play(self) -> None:
        if not self._power:
            return
        await self._cut.wait()
        # Not before it has begun to live: a pin without power cannot lose it.
        await self.stage.until(lambda: self.stage.sim.pin.running, None)
        await self.stage.sim.power_cut()
        await self.stage.sim.power_on()
        self.stage.over_s = self.stage.now_s

    def close(self) -> None:
        for watch in self._watches:
            watch.close()


class LastWords(SyncKill):
    """The companion is asked to end while it works, and killed at the `at`-th call that it makes then."""

    def __init__(self, strace: str, at: int) -> None:
        super().__init__(strace, 0)
        self.kind = "kill -9 while it ends"
        self._place = at

    async def acted(self) -> None:
        self._at[0] = len(self._watches[0].calls) + self._place
        os.kill(self.stage.sim.companion_pid, signal.SIGTERM)
        await self.stage.until(lambda: self.stage.starts > 1, None)


class Failing(Fault):
    """A few calls of the companion fail, or are late, in its first life: the `first` and the next of each thread."""

    needs_strace = True
    interrupts = True
    # Its threads come to them one after the other, and the longer a disk fails the later it is tried again.
    rest_s = 120.0

    def __init__(self, strace: str, names: Sequence[str], effect: str, first: int = 0) -> None:
        super().__init__()
        self.kind = "late sync" if effect.startswith("delay") else effect.removeprefix("error=") + " of a call"
        self._strace = strace
        self._names = names
        self._effect = effect + (f":when={first}..{first + 1}" if first else "")

    def start_under(self, start: int) -> Sequence[str]:
        if start > 1:
            return ()
        names = calls.one_of(self._names)
        trace, inject = f"trace={names}", f"inject={names}:{self._effect}"
        return calls.tracer(self._strace, self._folder / "injected", trace, inject)

    async def acted(self) -> None:
        said = (self._folder / "injected").read_text(errors="replace")
        self.came = "(INJECTED)" in said or "(DELAYED)" in said
        self.stage.over_s = self.stage.now_s


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
    """The companion's state is put back to what it was: when the pin was linked, or when the first task was done."""

    kind = "older state put back"
    interrupts = True
    restores = True

    def __init__(self, when: str) -> None:
        super().__init__()
        self._when = when

    async def play(self) -> None:
        stage = self.stage
        await self.opened.wait()
        if self._when == "done":
            await stage.until(lambda: any(e.name == "notice_stored" for e in stage.events), None)
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


def _nothing(call: calls.Call) -> None:
    """It only counts."""


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
        case "backup", ("linked" | "done"):
            return Restored(how)
    raise ValueError(f"no case is called {name}")
