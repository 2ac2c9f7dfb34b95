"""What strace does to the companion: it is killed as it enters a call, or its calls fail, come late, are only seen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence

from tests.torture.whole import calls, written
from tests.torture.whole.fault import Fault


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

    @property
    def commits(self) -> int:
        """How many commits were begun."""
        return self._watch.commits if self._watch else 0

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
        return [*look.left(), *look.never()]


class SyncKill(Fault):
    """kill -9 of the companion as it enters its `at`-th sync, rename or unlink; and once more at the `again`-th after
    its next start; with `power` the pin loses its power in the same moment.

    commits: the `at`-th commit is meant, before it is made.
    """

    needs_strace = True
    interrupts = True

    def __init__(self, strace: str, at: int, again: int = 0, power: bool = False, commits: bool = False) -> None:
        super().__init__()
        self.kind = "kill -9 at a sync" if not again else "kill -9 at a sync, and while recovering"
        if power:
            self.kind = "kill -9 at a sync, and power cut of the pin"
        if commits:
            self.kind = "kill -9 before a commit"
        self._commits = commits
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
            self._strace, self._folder, lambda: self.stage.sim.companion_pid, lambda call: self._call(call, start),
            commits=self._commits,
        )  # fmt: skip
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


def _nothing(call: calls.Call) -> None:
    """It only counts."""
