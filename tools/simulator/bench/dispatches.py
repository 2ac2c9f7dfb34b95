"""Dispatches on the whole simulator, and what their timelines say."""

from __future__ import annotations

import asyncio
import contextlib
import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lapel_companion import client
from simulator import wav
from simulator.air import Pace
from simulator.bench import processes
from simulator.bench.figures import Figure
from simulator.events import Event, Pattern
from simulator.pin import PinSpec
from simulator.simulation import Options, Simulation

SPOKEN = Path(__file__).resolve().parents[1] / "demo" / "disk_space.wav"
TYPED = "how much disk space is left"
RATE_HZ = 16000
CLIP_S = 5
TAIL_MS = 120
WAIT_S = 30.0
# Between two dispatches: notices within two seconds would become one pattern.
PAUSE_S = 2.2
IDLE_S = 20.0


@dataclass
class Run:
    """What one radio gave."""

    first_sample_ms: list[float] = field(default_factory=list)
    listening_ms: list[float] = field(default_factory=list)
    captured_ms: list[float] = field(default_factory=list)
    durable_ms: list[float] = field(default_factory=list)
    felt_ms: list[float] = field(default_factory=list)
    felt_after_ms: list[float] = field(default_factory=list)
    running_ms: list[float] = field(default_factory=list)
    erases: list[float] = field(default_factory=list)
    boot_ms: list[float] = field(default_factory=list)
    linked_ms: list[float] = field(default_factory=list)
    heap_free_bytes: list[float] = field(default_factory=list)
    idle_percent: list[float] = field(default_factory=list)
    daemon_mb: list[float] = field(default_factory=list)

    def latencies(self) -> list[Figure]:
        """The figures that depend on the radio."""
        return [
            Figure("press to the first kept sample", "ms", self.first_sample_ms),
            Figure("press to `listening`", "ms", self.listening_ms, (320, 320)),
            Figure("kept tail's end to `captured`", "ms", self.captured_ms, (60, 150)),
            Figure("kept tail's end to 5 s durable at the companion", "ms", self.durable_ms, (None, 150)),
            Figure("notice recorded to its pattern", "ms", self.felt_ms, (None, 100)),
            # Two patterns are kept 350 ms apart, so that they are felt as two.
            Figure("  the same, when it may find `accepted` being felt", "ms", self.felt_after_ms),
        ]

    def boot(self) -> list[Figure]:
        """From the loss of power to being found."""
        return [Figure("power on to advertising", "ms", self.boot_ms)]

    def others(self) -> list[Figure]:
        """The figures that do not."""
        return [
            *self.boot(),
            Figure("erases a 5 s clip, its notice and their end included", "", self.erases),
            Figure("job submitted to running", "ms", self.running_ms, (None, 150)),
            Figure("daemon: idle, per cent of one core", "%", self.idle_percent, (1, None)),
            Figure("daemon: memory, resident", "MB", self.daemon_mb),
        ]


def spoken_clip() -> array[int]:
    """Five seconds: the demo's line and silence behind it."""
    sound = wav.load(SPOKEN)
    return sound[: CLIP_S * RATE_HZ] + array("h", bytes(2 * max(0, CLIP_S * RATE_HZ - len(sound))))


async def measure(pace: Pace, clips: int, state: Path, config: Path, seed: int, pin: PinSpec | None = None) -> Run:
    """`clips` dispatches over a radio of that pace. Raises RuntimeError with what did not happen."""
    options = Options(state=state, config=config, pace=pace, seed=seed, companion=client.follow, pin=pin)
    simulation = Simulation(options)
    run = Run()
    try:
        await simulation.open()
        run.boot_ms.append(_boot_ms(simulation.timeline.events))
        sound = spoken_clip()
        # The first dispatch warms up: caches of both sides, the recogniser's model.
        for number in range(clips + 1):
            begun, erases = len(simulation.timeline.events), simulation.flash.erases
            await simulation.person.hold(sound, SPOKEN.name)
            notice = await _seen(simulation, "notice", begun)
            await _seen(simulation, "haptic_end", begun, pattern=str(notice.fields["kind"]))
            await asyncio.sleep(PAUSE_S)
            spoken, typed = simulation.timeline.events[begun:], len(simulation.timeline.events)
            erased = simulation.flash.erases - erases
            await asyncio.to_thread(client.Client(state).post, "/v1/say", {"text": TYPED})
            notice = await _seen(simulation, "notice", typed)
            await _seen(simulation, "haptic_end", typed, pattern=str(notice.fields["kind"]))
            await asyncio.sleep(PAUSE_S)
            if number:
                _read(run, spoken)
                run.erases.append(erased)
                run.felt_after_ms.append(_felt_ms(spoken))
                run.felt_ms.append(_felt_ms(simulation.timeline.events[typed:]))
        before = processes.usage(simulation.companion_pid)
        begun_s = time.monotonic()
        await asyncio.sleep(IDLE_S)
        after = processes.usage(simulation.companion_pid)
        run.idle_percent.append(100 * (after.cpu_s - before.cpu_s) / (time.monotonic() - begun_s))
        run.daemon_mb.append(after.resident_bytes / 1e6)
        for event in _named(simulation.timeline.events, "pin", "heap"):
            run.heap_free_bytes.append(float(event.fields["free"]))
    finally:
        await simulation.close()
    if simulation.failure:
        raise RuntimeError(simulation.failure)
    return run


async def _seen(simulation: Simulation, name: str, start: int, **fields: str) -> Event:
    found = await simulation.timeline.find(Pattern(name, {"who": "pin", **fields}), start, set(), WAIT_S)
    if found is None:
        events = simulation.timeline.events[-40:]
        last = "\n".join(f"  {e.t_s:8.3f} {e.who} {e.name} {dict(e.fields)}" for e in events)
        why = simulation.failure or f"no {name} came from the pin within {WAIT_S:g} s"
        raise RuntimeError(f"{why}. The last events:\n{last}")
    return found


def _named(events: Iterable[Event], who: str, name: str) -> list[Event]:
    return [event for event in events if event.who == who and event.name == name]


def _boot_ms(events: Sequence[Event]) -> float:
    on = next(e for e in events if e.name == "power")
    return 1000 * (_named(events, "pin", "advertising")[0].t_s - on.t_s)


def _read(run: Run, events: Sequence[Event]) -> None:
    press = _named(events, "sim", "press")[0].t_s
    tail_s = _named(events, "sim", "release")[-1].t_s + TAIL_MS / 1000
    listening = _named(events, "pin", "listening")[0]
    run.listening_ms.append(1000 * (listening.t_s - press))
    run.first_sample_ms.append(float(listening.fields["first_ms"]))
    run.captured_ms.append(1000 * (_named(events, "pin", "captured")[0].t_s - tail_s))
    run.durable_ms.append(1000 * (_named(events, "companion", "clip")[0].t_s - tail_s))
    with contextlib.suppress(StopIteration):
        jobs = _named(events, "companion", "job")
        queued = next(e for e in jobs if e.fields["state"] == "queued")
        running = next(e for e in jobs if e.fields["state"] == "running")
        run.running_ms.append(1000 * (running.t_s - queued.t_s))


def _felt_ms(events: Sequence[Event]) -> float:
    recorded = _named(events, "companion", "notice_recorded")[0]
    kind = str(recorded.fields["kind"])
    felt = next(e for e in _named(events, "pin", "haptic") if e.fields["pattern"] == kind)
    return 1000 * (felt.t_s - recorded.t_s)
