"""One run of the whole: pin, radio and companion as processes, a person, and who starts again what died."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion.client import ApiError, Client, NoDaemon, follow
from simulator.events import Event, Pattern
from simulator.measured import Measured
from simulator.simulation import Options, Simulation
from tests.torture.agent import recordings, scene
from tests.torture.agent.recogniser import Recogniser
from tests.torture.whole.ear import Ear

# Patterns that gather wait 2 s; who is quiet for longer has nothing left to say.
QUIET_S = 2.3
REST_LIMIT_S = 90.0
STARTS_MAX = 8
_ANSWER_S = 4.0
_POLL_S = 0.05
_AGAIN_S = 0.3
_ENDS = ("captured", "kept", "full", "error", "unpaired")
# What is told of these changes nothing any more.
_IDLE = ("print", "heap", "well", "led", "state", "console", "status", "advertising")


@dataclass
class Press:
    """A hold that speaks recording `number`."""

    number: int
    pressed_s: float
    let_go_s: float = 0.0


@dataclass
class Typed:
    """One `lapel say`. answered: the daemon took it."""

    number: int
    answered: bool


class Stage:
    """`open`, act, `rest`, `close`. `under` is asked at each start of the companion what it runs under."""

    def __init__(self, folder: Path, recogniser: Recogniser, under: Callable[[], Sequence[str]] = tuple) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        self.recogniser = recogniser
        self.presses: list[Press] = []
        self.typed: list[Typed] = []
        # When the fault was over: everything is in its place soon after.
        self.over_s: float | None = None
        self.starts = 1
        options = Options(
            state=self.state,
            config=scene.write_config(folder, recogniser.url),
            companion=follow,
            companion_under=under,
            companion_may_end=True,
            # Contacts that bounce for as long as a busy computer makes it would be another press.
            measured=Measured(bounce_us=(0,)),
        )
        self.sim = Simulation(options)
        self.ear = Ear(self.sim)
        self.client = Client(self.state)
        # While it is set nobody starts the companion again.
        self.hands_off = False
        self._service: asyncio.Task[None] | None = None
        self._operations_before = 0

    @property
    def flash_operations(self) -> int:
        """Programs and erases of the pin since it was linked."""
        return self.sim.flash.operations - self._operations_before

    @property
    def now_s(self) -> float:
        return self.sim.timeline.now_s()

    @property
    def events(self) -> list[Event]:
        return self.sim.timeline.events

    async def open(self) -> None:
        """Everything on; whoever ends by itself is started again from here on."""
        self._service = asyncio.create_task(self._serve())
        await self.sim.open()
        self._operations_before = self.sim.flash.operations

    async def close(self) -> None:
        """Everything off."""
        self.hands_off = True
        if self._service:
            self._service.cancel()
            await asyncio.gather(self._service, return_exceptions=True)
        await self.sim.close()

    # what the person does

    async def hold(self, number: int) -> None:
        """Speak a recording, and wait for what is felt then."""
        begun = len(self.events)
        press = Press(number, self.now_s)
        self.presses.append(press)
        await self.sim.person.hold(recordings.samples(number), str(number))
        press.let_go_s = self.now_s
        await self.until(lambda: self._ended(begun), _ANSWER_S)

    def _ended(self, begun: int) -> bool:
        return any(e.name == "haptic_end" and str(e.fields.get("pattern")) in _ENDS for e in self.events[begun:])

    async def say(self, number: int, tries: int = 12) -> None:
        """`lapel say`; who gets no answer says it again, with another number: the first may have come through."""
        for i in range(tries):
            try:
                await self._ask("/v1/say", {"text": scene.text(number + i)})
            except (NoDaemon, ApiError):
                self.typed.append(Typed(number + i, answered=False))
                await self.until(lambda: False, _AGAIN_S)
                continue
            self.typed.append(Typed(number + i, answered=True))
            return

    async def see(self, seq: int) -> None:
        """Mark a notice seen on the computer; returns when the pin knows."""
        with contextlib.suppress(NoDaemon, ApiError):
            await self._ask(f"/v1/notices/{seq}/seen", {})
            await self.until(lambda: self._told(seq), _ANSWER_S)

    def _told(self, seq: int) -> bool:
        # once by the person here, once as the pin's answer
        return len([e for e in self.events if e.name == "notice_seen" and e.fields.get("seq") == seq]) >= 2

    async def unseen_by_touch(self) -> int | None:
        """A tap: how many unseen notices the pin shows; None when it shows nothing at all."""
        begun = len(self.events)
        await self.sim.person.tap(1)
        pattern = Pattern("haptic_end", {"who": "pin"})
        if await self.sim.timeline.find(pattern, begun, set(), _ANSWER_S) is None:
            return None
        shown = next(e for e in self.events[begun:] if e.who == "pin" and e.name == "haptic")
        return 0 if shown.fields["pattern"] in ("none_long", "pulse") else int(shown.fields.get("count", 0))

    # who looks after it

    async def _serve(self) -> None:
        """As a service manager: what ended is started again."""
        seen = 0
        while True:
            await self.until(lambda: any(e.name == "exited" for e in self.events[seen:]), None)
            seen = len(self.events)
            if self.hands_off or self.starts > STARTS_MAX:
                continue
            self.starts += 1
            await self.sim.companion_start()
            self.over_s = self.now_s

    async def until(self, true: Callable[[], bool], limit_s: float | None) -> bool:
        """Whether it came true in that time. Looks at every event, and 20 times a second."""
        end_s = float("inf") if limit_s is None else self.now_s + limit_s
        while not true():
            left_s = end_s - self.now_s
            if left_s <= 0:
                return False
            # Not wait_for: of a cancel that comes together with an event it makes nothing.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_POLL_S, left_s)):
                    await self.sim.timeline.changed()
        return True

    async def rest(self, limit_s: float = REST_LIMIT_S) -> str:
        """Wait until there is nothing left to do; else a sentence on what is not at rest."""
        end_s = self.now_s + limit_s
        why = "it was never looked at"
        while self.now_s < end_s:
            last_s = self.last_s()
            if self.now_s - last_s >= QUIET_S:
                why = await self._restless()
                if not why and self.last_s() == last_s:
                    return ""
            await asyncio.sleep(_POLL_S)
        return f"not at rest {limit_s:g} s later: {why or 'something goes on and on'}"

    def last_s(self) -> float:
        """When something happened last."""
        return next((e.t_s for e in reversed(self.events) if e.name not in _IDLE), 0.0)

    async def _restless(self) -> str:
        if not self.sim.pin.running:
            return "the pin has no power"
        try:
            status = await self._get("/v1/status")
            notices = await self.notices()
        except (NoDaemon, ApiError) as error:
            return str(error)
        engine = status["engine"]
        if "dev" not in status["link"]:
            return "the companion is not linked"
        if engine["open"] or engine["running"] or engine["waiting_to_retry"]:
            return f"the companion works: {engine}"
        waiting = [n["seq"] for n in notices if not (n["on_pin"] or n["seen"] or n["retracted"])]
        if waiting:
            return f"the notices {waiting} are not on the pin"
        captured = {e.fields["clip"] for e in self.events if e.who == "pin" and e.name == "captured"}
        accepted = {e.fields["clip"] for e in self.events if e.who == "pin" and e.name == "accepted"}
        return f"the clips {sorted(captured - accepted)} are on the pin" if captured - accepted else ""

    async def notices(self) -> list[Mapping[str, Any]]:
        """What the companion has recorded. Raises NoDaemon, ApiError."""
        return list((await self._get("/v1/notices"))["notices"])

    async def _get(self, path: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.client.get, path)

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(self.client.post, path, body)
