"""The whole desk: a pin with its hardware and flash, the air, a companion, as one world that a script acts on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bumble import hci

from simulator import flash as nor
from simulator.air import Air, Pace
from simulator.bus import Bus
from simulator.companion import Companion, CompanionSpec, Follow
from simulator.engine import CannotDo
from simulator.events import Event, Pattern, Timeline
from simulator.folder import NAME as FOLDER
from simulator.folder import PinFolder
from simulator.hardware import Hardware, printed
from simulator.hci_port import HciPort
from simulator.life import Life
from simulator.measured import Measured
from simulator.mic import Microphone
from simulator.pairing import pair
from simulator.person import Person
from simulator.pin import Pin, PinSpec
from simulator.pin_radio import PinRadio
from simulator.relay import Relay

READY_S = 15.0
LINKED_S = 30.0


@dataclass(frozen=True)
class Options:
    """`companion` None leaves the companion out (tests bring their own). `paired`: both sides have a key."""

    state: Path
    config: Path = Path()
    virtual_radio: bool = True
    companion_radio: str = ""
    companion: Follow | None = None
    seed: int = 1
    pace: Pace = field(default_factory=Pace)
    flash_blocks: int = nor.BLOCKS
    flash_timed: bool = True
    pin: PinSpec | None = None
    paired: bool = True
    measured: Measured = field(default_factory=Measured)
    # the pin's event that says that it can be used
    ready: str = "advertising"
    # the interpreter is behind a port (serial_pin), and not started here
    usb: bool = False
    # an exception out of the firmware, or a soft reset, is what this run is about
    may_die: bool = False
    # a companion that ends by itself is
    companion_may_end: bool = False
    # asked at each start of the companion: the command that it runs under
    companion_under: Callable[[], Sequence[str]] = tuple


class Simulation:
    """`open`, act, `close`. All that is done and that happens is in `timeline`."""

    def __init__(self, options: Options) -> None:
        self.timeline = Timeline()
        self.failure = ""
        # what was said before something ended by itself, for a person
        self.last_words: list[str] = []
        self._options = options
        self._folder: PinFolder | None = None
        self._identity = ""
        self._address = ""
        seed = options.seed
        self.bus = Bus()
        self.hardware = Hardware(self.bus, seed, self.timeline.now_s, options.measured)
        self.mic = Microphone(self.bus, seed, options.measured)
        self.air = Air(options.pace, seed)
        self._flash: nor.NorFlash | None = None
        self.relay = Relay(seed, options.virtual_radio, self.timeline.add)
        self._radio = PinRadio(self.bus, self.air, seed, self._on_air, self.relay) if options.virtual_radio else None
        address = hci.Address(random.Random(seed).randbytes(6), hci.Address.PUBLIC_DEVICE_ADDRESS)
        self._port = HciPort(self.air, "companion", address) if options.virtual_radio else None
        self._others: list[HciPort] = []
        # where a companion finds its radio, as a Bumble transport
        self.companion_spec = ""
        self._companion: Companion | None = None
        self._spec = options.pin or PinSpec(virtual_radio=options.virtual_radio)
        tell, may_die = self.timeline.add, options.may_die
        self._life = Life(self.hardware, self.env, tell, self._gone, self._pin_failed, may_die)
        self._life.pin = self.pin = Pin(self._spec, options.state / FOLDER, self._on_line, self._life.died)
        self.person = Person(self.timeline, self.hardware.button, self.mic, lambda: self.pin.running, self._seen)
        self.hardware.on_trace = self._on_trace
        self.hardware.on_lost = lambda frames: self._fail(f"the simulated board lost {frames} frames")
        self.hardware.on_misuse = lambda sentence: self._fail(f"a part was misused: {sentence}")
        self.mic.on_open = lambda is_open: self._sim("mic", on=is_open)
        self.mic.on_overrun = lambda blocks: self._sim("overrun", blocks=blocks)

    @property
    def flash(self) -> nor.NorFlash:
        """The pin's flash; there once the simulation is open."""
        assert self._flash
        return self._flash

    @property
    def companion_pid(self) -> int:
        """Process of the daemon; 0 without one."""
        return self._companion.pid if self._companion else 0

    async def open(self) -> None:
        """Switch everything on; returns when the pin is ready and the companion linked, or that took too long.

        Raises Busy, NoInterpreter, CannotPair, PairingError, OSError, ValueError (a state that holds no flash image).
        """
        options = self._options
        self._folder = PinFolder(options.state)
        self._identity = self._folder.unique_id()
        for text in options.measured.said:
            self._sim("note", text=text)
        blocks, seed, timed, measured = options.flash_blocks, options.seed, options.flash_timed, options.measured
        self._flash = nor.NorFlash(self._folder.flash, blocks=blocks, seed=seed, timed=timed, measured=measured)
        self._flash.attach(self.bus)
        if options.paired:
            await asyncio.to_thread(pair, options.state, self._folder.flash, self._spec)
        self._address = await self.bus.open()
        radio = options.companion_radio or "bleak"
        if self._port:
            self.companion_spec = await self._port.open()
            radio = options.companion_radio or f"bumble:{self.companion_spec}"
        if options.companion:
            spec = CompanionSpec(radio, options.state, options.config, under=options.companion_under)
            self._companion = Companion(spec, options.companion, self._on_companion, self._on_companion_exit)
            await self._companion.start()
        if options.usb:
            self.bus.on_gone = self._gone
            return
        await self._boot("power")
        if self._companion and options.paired and not await self._seen("linked", 0, LINKED_S) and not self.failure:
            self._sim("note", text=f"the companion did not link within {LINKED_S:g} s; going on")

    async def close(self) -> None:
        """Everything off; the state stays. What happens meanwhile is not told."""
        self.timeline.hush()
        # while the pin is there: who speaks with nobody waits for an answer
        if self._companion:
            await self._companion.stop()
        await self._life.close()
        await self.mic.close()
        if self._radio:
            self._radio.power_lost()
        for port in [*self._others, *([self._port] if self._port else [])]:
            await port.close()
        await self.bus.close()
        if self._flash:
            self._check_flash()
            self._flash.close()
        if self._folder:
            self._folder.close()

    async def add_central(self, name: str) -> str:
        """One more radio within reach, for a stranger; its Bumble transport."""
        number = len(self._others) + 2
        self._others.append(HciPort(self.air, name, hci.Address(f"00:00:00:00:00:{number:02X}/P")))
        return await self._others[-1].open()

    # what happens to it

    async def link(self, how: str, loss: float = 0.0) -> None:
        """down, up, stall, or loss."""
        if not self._options.virtual_radio:
            raise CannotDo("the radio is not the simulator's (--radio external): it does not obey")
        self._sim("link", how=how, **({"percent": loss * 100} if how == "loss" else {}))
        if how == "loss":
            self.air.pace.loss = loss
            return
        self.air.stalled = how == "stall"
        self.air.set_near(how != "down")

    async def power_cut(self, after: int = 0, torn: bool = False) -> None:
        """At once, or in the n-th flash operation from now."""
        if after:
            self.flash.cut_after(after, self._cut, torn=torn)
        else:
            self._cut()
            await self.pin.ended()

    async def power_on(self) -> None:
        """Returns when the pin is ready."""
        if not self.pin.running:
            await self._boot("power")

    async def companion_kill(self) -> None:
        """SIGKILL."""
        self._sim("companion", how="kill")
        await self._the_companion().kill()

    async def companion_start(self) -> None:
        """Start it again; returns when it runs, before it is linked."""
        self._sim("companion", how="start")
        await self._the_companion().start()

    async def companion_freeze(self, frozen: bool) -> None:
        """Stop its process, or let it go on; its links hold meanwhile."""
        self._sim("companion", how="freeze" if frozen else "thaw")
        self._the_companion().freeze(frozen)

    async def battery(self, mv: int) -> None:
        """What the fuel gauge reads."""
        self._sim("battery", mv=mv)
        self.hardware.set_battery(mv)

    def _the_companion(self) -> Companion:
        if self._companion is None:
            raise CannotDo("this simulation runs without a companion")
        return self._companion

    # what is heard of it

    def _sim(self, event: str, /, **fields: Any) -> None:
        self.timeline.add("sim", event, **fields)

    def _on_air(self, event: str, /, **fields: Any) -> None:
        self.timeline.add("radio", event, **fields)

    def _on_trace(self, fields: dict[str, Any]) -> None:
        name = str(fields.pop("event", "trace"))
        self.timeline.add("pin", name, **fields)

    def _on_line(self, line: str) -> None:
        fields = printed(line)
        if fields:
            self._on_trace(fields)
        else:
            self.timeline.add("pin", "print", line=line)

    def _on_companion(self, name: str, fields: Mapping[str, Any]) -> None:
        self.timeline.add("companion", name, **fields)

    def _on_companion_exit(self, code: int, last: list[str]) -> None:
        self.last_words = last
        self.timeline.add("companion", "exited", code=code, error=last[-1] if last else "")
        said = last[-1] if last else "it said nothing"
        if not self._options.companion_may_end:
            self._fail(f"the companion ended by itself (exit {code}): {said}")

    def _pin_failed(self, why: str) -> None:
        self.last_words = self._life.last_words
        self._fail(why)

    def _fail(self, why: str) -> None:
        self.failure = self.failure or why
        # wakes who waits
        self._sim("failure", why=why)

    def _check_flash(self) -> None:
        if self.flash.violations and not self.failure:
            count, first = len(self.flash.violations), self.flash.violations[0]
            self.failure = f"the rules of NOR flash were broken {count} times, first: {first}"

    # power

    def _cut(self) -> None:
        self._life.cut()
        self._sim("power", on=False)

    def _gone(self) -> None:
        self.mic.power_lost()
        if self._radio:
            self._radio.power_lost()

    async def _boot(self, cause: str) -> None:
        begun = len(self.timeline.events)
        self._sim("power", on=True)
        await self._life.start(cause)
        if not await self._seen(self._options.ready, begun, READY_S) and not self.failure:
            self._sim("note", text=f"the pin did not get ready within {READY_S:g} s; going on")

    def env(self) -> Mapping[str, str]:
        """What the pin's interpreter needs to find its hardware."""
        return {
            "LAPEL_SIM_BUS": self._address,
            "LAPEL_SIM_TOKEN": self.bus.token,
            "LAPEL_SIM_FLASH": str(self.flash.path),
            "LAPEL_SIM_UID": self._identity,
        }

    async def _seen(self, name: str, start: int, timeout_s: float) -> Event | None:
        # an event of pin or companion, or None when it cannot come any more
        pattern = Pattern(name, {"who": "companion" if name == "linked" else "pin"})
        found = asyncio.ensure_future(self.timeline.find(pattern, start, set(), timeout_s))
        failed = asyncio.ensure_future(self.timeline.find(Pattern("failure"), start, set(), timeout_s))
        await asyncio.wait((found, failed), return_when=asyncio.FIRST_COMPLETED)
        failed.cancel()
        if found.done():
            return found.result()
        found.cancel()
        return None
