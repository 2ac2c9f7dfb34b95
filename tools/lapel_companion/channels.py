"""Where a person reads results: desktop notifications, or a line on the terminal. Neither can block the
daemon. What leaves this computer is a title, unless its owner wants more: see `words`."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from lapel_companion import durable, processes
from lapel_companion.events import EventLog
from lapel_companion.link import safe_mode, set_aside
from lapel_companion.notices import Outbox

_SEND_LIMIT_S = 5.0
_DESKTOP_AGAIN_S = 60.0
_AGAIN_S = 30.0
_CATCH_UP_MAX = 20
_TITLES = {
    "done": "Done",
    "failed": "Failed",
    "question": "Question",
    "reminder": "Reminder",
    "held": "Held",
    "cancelled": "Cancelled",
    "unheard": "Not heard",
}
HOW_TO_READ = "lapel notices shows what it says."


class Channel(Protocol):
    """One place to read. `show` returns None when it has taken the notice, else a sentence that says why
    not. `outside`: what it takes leaves this computer, or is kept by somebody else (a service, a phone, a log);
    each channel says so for itself."""

    @property
    def name(self) -> str: ...

    @property
    def outside(self) -> bool: ...

    async def show(self, title: str, text: str, *, urgent: bool) -> str | None: ...


def words(text: str, *, outside: bool, texts: str) -> str:
    """What a channel shows below the title: the text, or how to read it. `texts` is the configuration's choice.

    The one place where that is decided. Titles are Lapel's own words and never hold anybody's.
    """
    whole = texts == "everywhere" or (texts == "here" and not outside)
    return text if whole or not text else HOW_TO_READ


class Terminal:
    """A line, and the detail below it, on a stream (standard error when none is given). A stream that nobody
    looks at is a log, like that of a service."""

    name = "terminal"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    @property
    def outside(self) -> bool:
        try:
            return not (self._stream or sys.stderr).isatty()
        except ValueError:
            return True

    async def show(self, title: str, text: str, *, urgent: bool) -> str | None:
        stream = self._stream or sys.stderr
        first, *rest = text.split("\n")
        try:
            stream.write("\n    ".join([f"{title}: {first}", *rest]) + "\n")
            stream.flush()
        except (OSError, ValueError) as error:
            return f"the terminal does not take notices: {error}"
        return None


class Desktop:
    """Notifications of the desktop. Where there is none (no session bus, a bare terminal), `show` says so."""

    name = "desktop"
    outside = False

    def __init__(self) -> None:
        self._notifier: object | None = None

    async def show(self, title: str, text: str, *, urgent: bool) -> str | None:
        if platform.system() == "Linux" and not _session_bus():
            return "there is no desktop session (no D-Bus session bus)"
        try:
            async with asyncio.timeout(_SEND_LIMIT_S):
                if platform.system() == "Darwin" and not _in_a_bundle():
                    return await _by_script(title, text)
                return await self._send(title, text, urgent)
        except TimeoutError:
            return "the desktop did not take a notification in time"

    async def _send(self, title: str, text: str, urgent: bool) -> str | None:
        from desktop_notifier import DesktopNotifier, Urgency

        # The library only logs what fails, with its traceback; whether it worked is asked by its own
        # callback.
        logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
        if self._notifier is None:
            self._notifier = DesktopNotifier(app_name="Lapel")
        assert isinstance(self._notifier, DesktopNotifier)
        text = await _as_body(self._notifier, text)
        taken: list[bool] = []
        urgency = Urgency.Critical if urgent else Urgency.Normal
        await self._notifier.send(title, text, urgency=urgency, on_dispatched=lambda: taken.append(True))
        if taken:
            return None
        # A connection that broke is not mended by the library: the next notification begins anew.
        self._notifier = None
        return "no notification service answers on this desktop"


def make(choice: str, stream: TextIO | None = None) -> Sequence[Channel]:
    """The channels for a choice of the configuration, first the one that is tried first."""
    terminal = Terminal(stream)
    return (terminal,) if choice == "terminal" else (Desktop(), terminal)


class Reader:
    """Shows every notice at the moment it is recorded, and what an earlier run did not get to. `run` as a
    task."""

    def __init__(
        self,
        log: EventLog,
        outbox: Outbox,
        channels: Sequence[Channel],
        report: Callable[[str], None] = print,
        *,
        texts: str = "here",
    ) -> None:
        self._log = log
        self._outbox = outbox
        self._channels = [(channel, channel.outside) for channel in channels]
        self._texts = texts
        self._report = report
        self._complained: set[str] = set()
        self._rest_until = 0.0
        self._turn = asyncio.Lock()
        self._unmarked: dict[int, str] = {}

    async def run(self) -> None:
        """Until cancelled, or until the table of events is closed."""
        head = self._log.head()
        await self._show_what_waits()
        again = asyncio.create_task(self._again())
        try:
            async with contextlib.aclosing(self._log.subscribe(head)) as events:  # type: ignore[type-var]
                async for event in events:
                    if event.kind == "notice":
                        await self._show_what_waits()
                    elif event.kind == "safe_mode":
                        # No notice: it is not for the pin, which cannot feel anything now.
                        text = f"{safe_mode.sentence(event.body['cause'])}\n{safe_mode.WAY_ON}"
                        await self._show("Safe mode", text, urgent=True, ours=True)
                    elif event.kind == "set_aside":
                        text = f"{set_aside.sentence(event.body)}\n{set_aside.WAY_ON}"
                        await self._show("Damaged on the pin", text, urgent=False, ours=True)
        finally:
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    async def _again(self) -> None:
        """What no channel took waits for one to come back, and a question waits with it."""
        while True:
            await asyncio.sleep(_AGAIN_S)
            await self._show_what_waits()

    async def _show_what_waits(self) -> None:
        async with self._turn:
            for seq, channel in list(self._unmarked.items()):
                await self._mark(seq, channel)
            notices = [one for one in await asyncio.to_thread(self._outbox.unshown) if one.seq not in self._unmarked]
            old, notices = notices[:-_CATCH_UP_MAX], notices[-_CATCH_UP_MAX:]
            if old and await self._show(_summary(len(old)), "", urgent=False) is not None:
                for notice in old:
                    await self._mark(notice.seq, "summary")
            for notice in notices:
                text = f"{notice.text}\n{notice.detail}" if notice.detail else notice.text
                urgent = notice.kind in ("question", "reminder")
                taken_by = await self._show(_TITLES.get(notice.kind, notice.kind), text, urgent=urgent)
                if taken_by is not None:
                    await self._mark(notice.seq, taken_by)

    async def _mark(self, seq: int, channel: str) -> None:
        """A channel has taken it. What a full disk does not take is shown once all the same, and noted later."""
        try:
            await asyncio.to_thread(self._outbox.shown, seq, channel)
        except sqlite3.OperationalError:
            self._unmarked[seq] = channel
        else:
            self._unmarked.pop(seq, None)

    async def _show(self, title: str, text: str, *, urgent: bool, ours: bool = False) -> str | None:
        """The name of the channel that took it. `ours`: the text is Lapel's own words too, and nobody's secret."""
        now = asyncio.get_running_loop().time()
        final = self._channels[-1][0]
        for channel, outside in self._channels:
            last = channel is final
            if not last and now < self._rest_until:
                continue
            with durable.step(f"channel.show[{channel.name}]"):
                shown = text if ours else words(text, outside=outside, texts=self._texts)
                trouble = await channel.show(f"Lapel: {title}", shown, urgent=urgent)
            if trouble is None:
                return channel.name
            if not last:
                self._rest_until = now + _DESKTOP_AGAIN_S
            if trouble not in self._complained:
                self._complained.add(trouble)
                instead = "" if last else f"; notices are shown by the {final.name} instead"
                self._report(f"{trouble}{instead}")
        return None


def _summary(many: int) -> str:
    return f"{many} older notices: lapel notices lists them"


async def _as_body(notifier: Any, text: str) -> str:
    """The text as this desktop shows it letter by letter: many read markup in it (`body-markup` of freedesktop's
    notification specification), and what a program printed must not become a link, or a picture that is fetched."""
    if platform.system() != "Linux":
        return text
    try:
        # It connects to the bus; what is asked then it does not tell.
        await notifier.get_capabilities()
        reads_markup = "body-markup" in await notifier._backend.interface.call_get_capabilities()
    except Exception:  # noqa: BLE001 - what is wrong with the bus is said when the text is sent
        reads_markup = True
    return html.escape(text, quote=False) if reads_markup else text


def _session_bus() -> bool:
    if os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return bool(runtime) and Path(str(runtime), "bus").exists()


def _in_a_bundle() -> bool:
    return ".app/Contents/" in sys.executable and "Python.app" not in sys.executable


async def _by_script(title: str, text: str) -> str | None:
    """macOS lets only apps notify; a plain Python asks the system's own script runner. The words go in through
    a pipe: arguments of a process are for everybody to see."""
    program = shutil.which("osascript")
    if program is None:
        return "this Mac has no osascript, and only apps may notify directly"
    process = await asyncio.create_subprocess_exec(
        program,
        "-",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=processes.clean_environment(),
    )
    script = f"display notification {_quoted(text)} with title {_quoted(title)}\n"
    try:
        await process.communicate(script.encode())
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    return None if process.returncode == 0 else "macOS did not take the notification"


def _quoted(text: str) -> str:
    """A text of AppleScript: a backslash takes the meaning of a quote and of itself, nothing else has one."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
