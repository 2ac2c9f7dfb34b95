"""`lapel sim --mic`: the computer's microphone is the pin's, the space bar is its button."""

from __future__ import annotations

import asyncio
import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.engine import CannotDo
from simulator.keys import Button, keyboard
from simulator.mic import Microphone
from simulator.simulation import Simulation
from simulator.wav import FULL_SCALE, RATE_HZ, Resampler, as_samples

USE_A_FILE = "Speak from a file in its place: lapel sim --wav FILE.wav"
HOW_HOLD = "Hold the space bar, speak after the tick, let go. q ends."
HOW_REPEAT = (
    "This terminal does not tell when a key comes up. Hold the space bar down while you speak: the button\n"
    "is let go when its repeats stop; or press it once to begin and once more to end. q ends."
)


def check() -> None:
    """Whether it can be done here, before anything is started. Raises CannotDo."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise CannotDo(f"--mic needs a terminal: the space bar is the button. {USE_A_FILE}")
    sounddevice = _sounddevice()
    try:
        sounddevice.query_devices(kind="input")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise CannotDo(f"this computer has no microphone: {error}. {USE_A_FILE}") from error


async def live(simulation: Simulation) -> None:
    """Until the user ends it, or the simulation cannot go on. Raises CannotDo."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    edges: asyncio.Queue[bool] = asyncio.Queue(maxsize=16)

    def push(down: bool) -> None:
        if not edges.full():
            edges.put_nowait(down)

    async def press() -> None:
        while True:
            await (simulation.person.press() if await edges.get() else simulation.person.release())

    async def watch() -> None:
        while not simulation.failure:
            await simulation.timeline.changed()
        over.set()

    with sound(simulation.mic), keyboard() as tells:
        print(f"\n{HOW_HOLD if tells else HOW_REPEAT}\n", flush=True)
        button = Button(push, over.set)
        loop.add_reader(sys.stdin.fileno(), lambda: button.feed(os.read(sys.stdin.fileno(), 256) or b"q"))
        tasks = [asyncio.create_task(press()), asyncio.create_task(watch())]
        try:
            await over.wait()
        finally:
            loop.remove_reader(sys.stdin.fileno())
            for task in tasks:
                task.cancel()


@contextmanager
def sound(mic: Microphone) -> Iterator[None]:
    """The computer's microphone feeds `mic`. Raises CannotDo with what to do without one."""
    sounddevice = _sounddevice()
    loop = asyncio.get_running_loop()
    try:
        rate_hz = _rate(sounddevice)
        resampler = Resampler(rate_hz, RATE_HZ) if rate_hz != RATE_HZ else None

        def heard(data: Any, frames: int, time: Any, status: Any) -> None:
            samples = array("h", bytes(data))
            if resampler:
                samples = as_samples(resampler.feed([x / FULL_SCALE for x in samples]))
            loop.call_soon_threadsafe(mic.feed, samples)

        stream = sounddevice.RawInputStream(samplerate=rate_hz, channels=1, dtype="int16", callback=heard)
        stream.start()
    except sounddevice.PortAudioError as error:
        raise CannotDo(f"no microphone can be opened: {error}. {USE_A_FILE}") from error
    mic.listen_live(True)
    try:
        yield
    finally:
        mic.listen_live(False)
        stream.close()


def _sounddevice() -> Any:
    # its import loads PortAudio, which not every computer has
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise CannotDo(f"no sound on this computer ({error}). {USE_A_FILE}") from error
    return sounddevice


def _rate(sounddevice: Any) -> int:
    # 16 kHz where the device can, else its own rate
    try:
        sounddevice.check_input_settings(samplerate=RATE_HZ, channels=1, dtype="int16")
        return RATE_HZ
    except sounddevice.PortAudioError:
        return int(sounddevice.query_devices(kind="input")["default_samplerate"])
