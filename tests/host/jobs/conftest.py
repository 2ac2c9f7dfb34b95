"""An engine on a folder of its own, with a recogniser that hears what the test tells it."""

import asyncio
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import config
from lapel_companion.blobs import Blobs
from lapel_companion.config import Phrase
from lapel_companion.engine import Matcher, Services
from lapel_companion.engine_dbos import DbosEngine
from lapel_companion.events import Event, EventLog
from lapel_companion.notices import Outbox
from lapel_companion.speech.base import SpeechError, Transcript

# The helpers beside these tests are imported as tests.host.jobs.<name>, for the type checker too.
if str(Path(__file__).parents[3]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parents[3]))

EPOCH = "0123456789abcdef"
PHRASES = """
[notes]
file = "{state}/notes.md"
[speech]
timeout_s = 5
[[phrase]]
say = "say hello"
run = ["printf", "hello"]
harmless = true
[[phrase]]
say = "write {text} down"
run = ["sh", "-c", "echo \\"$1\\" >> {state}/ledger", "--", "{text}"]
[[phrase]]
say = "fail now"
run = ["false"]
harmless = true
[[phrase]]
say = "wait for it"
run = ["sh", "-c", "echo ran >> {state}/ledger; exec sleep 60"]
harmless = true
[[phrase]]
say = "wait again"
run = ["sh", "-c", "echo ran >> {state}/ledger; test $(wc -l < {state}/ledger) -ge 2 || exec sleep 60"]
harmless = true
idempotent = true
[[phrase]]
say = "make a note {text}"
agent = "note"
[[phrase]]
say = "remind me in {when} to {text}"
agent = "reminder"
[[phrase]]
say = "wait in silence"
run = ["sleep", "60"]
harmless = true
"""


@dataclass
class Match:
    phrase: Phrase
    slots: Mapping[str, str]


def match(transcript: Transcript, phrases: Sequence[Phrase], trusted: bool) -> Match | None:
    """Word for word; the real one is somebody else's to test."""
    for phrase in phrases:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(phrase.say))
        found = re.fullmatch(pattern, transcript.text)
        if found:
            return Match(phrase, found.groupdict())
    return None


@dataclass
class Ears:
    """A recogniser: a clip's sound is the text itself."""

    name: str = "ears"
    trusted: bool = False
    heard: list[str] = field(default_factory=list)
    hints: Sequence[str] = ()
    confirms: tuple[str, ...] = ()
    fails: Exception | None = None
    listening: threading.Event = field(default_factory=threading.Event)
    may_hear: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_hear.set()

    def warm_up(self) -> None:
        return None

    def check_phrase(self, phrase: str) -> str | None:
        return None

    def transcribe(self, pcm: bytes, language: str = "en", hints: Sequence[str] = ()) -> Transcript:
        if self.fails:
            raise self.fails
        text = pcm.decode()
        self.heard.append(text)
        self.hints = hints
        self.listening.set()
        self.may_hear.wait(10)
        return Transcript(text, no_speech=not text, engine=self.name, confirmed=self.confirms)


class Bench:
    """One state folder, and an engine on it that can be stopped and started again."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ears = Ears()
        self.sounds: dict[str, bytes] = {}
        self.reports: list[str] = []
        self.now: Callable[[], float] | None = None
        self.pin_patience_s = 0.0
        self.match: Matcher = match
        text = PHRASES.replace("{state}", str(state))
        self.config = config.parse(text, Path("test.toml"))
        self.log = EventLog(state / "events.db")
        self.outbox = Outbox(self.log, EPOCH)
        self.outbox.load()
        self.engine = self.make()

    def make(self) -> DbosEngine:
        services = Services(
            self.state,
            self.config,
            self.log,
            Blobs(self.state / "blobs"),
            self.outbox,
            self.ears,
            lambda transcript, phrases, trusted: self.match(transcript, phrases, trusted),
            self.pcm,
            report=self.reports.append,
            pin_patience_s=self.pin_patience_s,
        )
        if self.now:
            services.clock = self.now
        return DbosEngine(services)

    def pcm(self, clip_id: str) -> bytes:
        if clip_id not in self.sounds:
            raise FileNotFoundError(clip_id)
        return self.sounds[clip_id]

    @staticmethod
    def now_ms(ago_s: float = 0) -> int:
        """The wall time of a press."""
        return int((time.time() - ago_s) * 1000)

    def accept(self, text: str, **facts: Any) -> str:
        """What the intake does with a whole clip; the sound of it is its text."""
        with self.log.transaction():
            dispatch = self.log.next_dispatch()
            clip_id = facts.pop("clip_id", f"clip-{dispatch}")
            body = {"id": clip_id, "cut": False, "press_unix_ms": None, "reply_to": None} | facts
            self.log.append("clip", body, principal="pin", dispatch=dispatch)
            accepted = {"id": dispatch, "clip": clip_id, "source": "pin", "outcome": "accepted"}
            self.log.append("dispatch", accepted, principal="pin", dispatch=dispatch)
        self.sounds[clip_id] = text.encode()
        return dispatch

    async def hear(self, text: str, **facts: Any) -> str:
        dispatch = self.accept(text, **facts)
        await self.engine.submit(dispatch)
        return dispatch

    async def until(self, kind: str, dispatch: str, /, **facts: Any) -> Event:
        """The first event of that kind whose body has those facts, also one that was there before."""
        async with asyncio.timeout(60):
            async for event in self.log.subscribe(0):
                if (event.kind, event.dispatch) == (kind, dispatch) and facts.items() <= event.body.items():
                    return event
        raise AssertionError("the table was closed")

    def on_the_pin(self, notice: Event) -> str:
        """A notice is sent to the pin; the id by which a reply names it."""
        seq = notice.body["seq"]
        self.log.append("notice_sent", {"seq": seq}, principal="companion", dispatch=notice.dispatch)
        return f"{notice.body['ep']}-{seq}"

    async def idle(self) -> None:
        """Until nothing is open."""
        async with asyncio.timeout(60):
            while self.engine.status()["open"]:
                await asyncio.sleep(0.01)

    def kinds(self, dispatch: str, kind: str, key: str) -> list[Any]:
        return [event.body[key] for event in self.log.read(kinds=[kind], dispatch=dispatch)]

    def ledger(self) -> list[str]:
        """What commands wrote down themselves."""
        file = self.state / "ledger"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, work: Callable[["Bench"], Any]) -> None:
        """Run a test's coroutine with the engine started, and stop it again."""

        async def main() -> None:
            await self.engine.start()
            try:
                await work(self)
            finally:
                await self.engine.close()

        asyncio.run(main())


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Bench(tmp_path)
    yield made
    made.log.close()


@pytest.fixture
def speech_error() -> type[SpeechError]:
    return SpeechError
