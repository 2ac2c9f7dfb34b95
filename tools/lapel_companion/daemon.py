"""The daemon: every part put together on one state folder, run until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import __version__, channels, config, mistakes, phrases, pin_settings
from lapel_companion.api import Api, Backend
from lapel_companion.blobs import Blobs
from lapel_companion.clips import ClipFiles
from lapel_companion.clock import PinClock
from lapel_companion.engine import EngineError, Services
from lapel_companion.engine_dbos import DbosEngine
from lapel_companion.events import Event, EventLog, EventLogError
from lapel_companion.history import History
from lapel_companion.intake import Intake
from lapel_companion.keys import Keys
from lapel_companion.link import set_aside
from lapel_companion.link.desk import PinDesk
from lapel_companion.link.keeper import Keeper
from lapel_companion.link.radio import Radio, RadioError, radio_of
from lapel_companion.link.safe_mode import SafeModeWatch
from lapel_companion.notices import Outbox
from lapel_companion.retention import Retention
from lapel_companion.socket_path import SocketPathError
from lapel_companion.speech.apart import Apart
from lapel_companion.speech.base import SpeechError
from lapel_companion.state import StateError, StateFolder

_STOP_LIMIT_S = 8.0
# In reach, a pin is linked well within this time after a start.
_PIN_PATIENCE_S = 20.0
# A keyring that waits for its password has all the time it needs; the daemon asks again.
_KEYRING_PATIENCE_S = 10.0


class DaemonError(Exception):
    """It cannot start or go on; the text is a sentence for a person."""


@dataclass(frozen=True)
class Options:
    """`radio`: a spec, or one that is made already; None for no link (a test dispatch). `quiet_terminal`: what
    is printed is read already."""

    state: Path
    config: Path | None = None
    radio: str | Radio | None = "bleak"
    quiet_terminal: bool = False


class Daemon:
    """`on_event` sees each event as it is committed, `report` takes sentences. `run` once."""

    def __init__(
        self, options: Options, *, on_event: Callable[[Event], None], report: Callable[[str], None]
    ) -> None:
        self._options = options
        self._on_event = on_event
        self._say = report
        self._troubles: list[str] = []
        self._started = time.time()
        self._closing = contextlib.AsyncExitStack()
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` is set. Raises DaemonError."""
        try:
            async with self._closing:
                await self._open()
                self.ready.set()
                await self._serve()
        except (StateError, EventLogError, EngineError, RadioError, SpeechError, SocketPathError) as error:
            raise DaemonError(str(error)) from error
        except config.ConfigError as error:
            raise DaemonError(str(error)) from error
        except (sqlite3.Error, OSError) as error:
            raise DaemonError(f"the state in {self._options.state} cannot be used: {error}.") from error

    async def _open(self) -> None:
        options, closing = self._options, self._closing
        settings = config.load(options.config)
        self._radio = radio_of(options.radio) if isinstance(options.radio, str) else options.radio
        self.state = StateFolder.open(options.state)
        closing.callback(self.state.close)
        self.log = EventLog(self.state.events_path)
        closing.callback(self.log.close)
        self.clips = ClipFiles(self.state.clips_dir)
        self.blobs = Blobs(self.state.blobs_dir)
        self.outbox = Outbox(self.log, self.state.epoch)
        put_back = await asyncio.to_thread(History(self.state, self.log, self.outbox).check, self.clips)
        if put_back is not None:
            self._report(put_back)
        self.outbox.load()
        self._recogniser = Apart(settings.speech)
        closing.callback(self._recogniser.close)
        self.engine = DbosEngine(
            Services(
                state=self.state.path,
                config=settings,
                log=self.log,
                blobs=self.blobs,
                outbox=self.outbox,
                recogniser=self._recogniser,
                match=phrases.match,
                pcm=self.clips.pcm,
                report=self._report,
                pin_patience_s=_PIN_PATIENCE_S if self._radio is not None else 0.0,
            )
        )
        self.intake = Intake(self.log, self.clips, submit=self.engine.submit, report=self._report)
        self.desk = PinDesk(
            self.state,
            self.log,
            self.intake,
            self.outbox,
            PinClock(self.state.path / "clock.json"),
            settings=pin_settings.for_pin(settings.pin),
            cancel_clip=self.engine.cancel_clip,
            linked=self.engine.pin_linked,
            jobs_running=lambda: len(self.engine.status()["running"]),
            report=self._report,
        )
        shown_by = self._channels(settings.channel)
        self._reader = channels.Reader(self.log, self.outbox, shown_by, self._report, texts=settings.texts)
        self._retention = Retention(
            self.state.path,
            self.log,
            settings.keep,
            coming=self.intake.coming,
            busy=lambda: bool(self.engine.status()["running"]),
            report=self._report,
        )
        self._safe = SafeModeWatch(self.log)
        self._keys = Keys(self.state.path, _KEYRING_PATIENCE_S)
        self._keeper = None
        if self._radio is not None:
            self._keeper = Keeper(self._radio, self.desk, self._keys.load, self._safe, self._report)
        await self._start()

    async def _start(self) -> None:
        self._head = self.log.head()
        backend = Backend(
            self.log,
            self.engine,
            self.outbox,
            self.clips,
            self.blobs,
            status=self.status,
            read_flight=lambda: self.desk.read("flight"),
            report=self._report,
            look_at_key=self._look_at_key,
        )
        api = Api(backend)
        await self.intake.start()
        self._closing.push_async_callback(self.intake.close)
        await self.engine.start()
        self._closing.push_async_callback(self.engine.close)
        self._closing.push_async_callback(api.close)
        await api.start(self.state.path)
        if self._keeper is not None:
            self._closing.push_async_callback(self._keeper.close)

    async def _serve(self) -> None:
        parts: dict[str, Coroutine[Any, Any, Any]] = {
            "events": self._watch(),
            "clips": self.intake.run(),
            "notices": self._reader.run(),
            "old recordings": self._retention.run(),
            "recogniser": self._warm_up(),
            "stop": self.stop.wait(),
        }
        if self._keeper is not None:
            parts["link"] = self._keeper.run()
        tasks = {asyncio.create_task(part, name=name) for name, part in parts.items()}
        try:
            while not self.stop.is_set():
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._ended(task)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_STOP_LIMIT_S)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            raise DaemonError(f"the part '{task.get_name()}' of the daemon ended, and nobody had asked it to.")
        error = task.exception()
        if error is not None:
            # A mistake of ours: the service starts it again, and what was durable goes on.
            sys.stderr.write(mistakes.trace(error))
            raise DaemonError(f"the part '{task.get_name()}' of the daemon failed: {mistakes.named(error)}.") from error

    async def _watch(self) -> None:
        async for event in self.log.subscribe(self._head):
            self.desk.on_event(event)
            self._on_event(event)

    async def _warm_up(self) -> None:
        try:
            await asyncio.to_thread(self._recogniser.warm_up)
        except SpeechError as error:
            self._report(f"speech: {error}")

    def _channels(self, choice: str) -> Sequence[channels.Channel]:
        return channels.make(choice, _Nowhere() if self._options.quiet_terminal else None)

    def _report(self, sentence: str) -> None:
        self._troubles = [*self._troubles[-19:], sentence]
        self._say(sentence)

    async def _look_at_key(self) -> dict[str, Any]:
        if self._keeper is not None:
            self._keeper.look()
        return await asyncio.to_thread(self._keys.told)

    def status(self) -> dict[str, Any]:
        """What `lapel status` shows."""
        pin = self.desk.pin
        link: dict[str, Any] = {"radio": None if self._radio is None else self._radio.name, "state": "off"}
        if self._keeper is not None:
            link["state"] = self._keeper.state
            link["strangers"] = self._keeper.strangers
            link["refused"] = self._keeper.refused
            # What found no room, and is said again by whoever said it.
            link["dropped"] = {"packets": self._keeper.dropped, "messages": self.desk.wishes.dropped}
            link["advice"] = self._keeper.advice
        # What of a pin was beyond bounds: clips that cannot be taken, and by kind what no person says in a day.
        link["not_taken"] = {"clips": self.intake.refused, **self.intake.allowance.refused}
        if pin is not None:
            link |= {key: pin[key] for key in ("dev", "mtu", "interval_ms", "since")}
            link["battery_mv"] = self.desk.status.get("bat")
            link["set_aside"] = set_aside.sentence(self.desk.status)
        elif self._safe.cause is not None:
            link["safe_mode"] = self._safe.cause
        return {
            "version": __version__,
            "state": str(self.state.path),
            "epoch": self.state.epoch,
            "started": self._started,
            "head": self.log.head(),
            "link": link,
            "pairing": self._keys.told(),
            "engine": self.engine.status(),
            "unseen": len(self.outbox.unseen()),
            # Older ones, on the pin, of which nothing is followed any more.
            "forgotten": self.outbox.forgotten,
            "trouble": self.intake.trouble,
            "said": self._troubles,
        }


class _Nowhere(io.StringIO):
    """A terminal whose reader has the timeline before them."""

    def write(self, text: str) -> int:
        return len(text)


def quiet_libraries() -> None:
    """What the libraries log of a pin that walks away is no news; what they log as errors is."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    for name in ("bumble", "bleak", "dbos", "dbus_fast", "desktop_notifier", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
