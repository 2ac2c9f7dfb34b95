"""`--mic`: with a fake sound device and a pty for a terminal; and what is said where there is neither."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import sys
import threading
import types
from array import array
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from simulator import keys, live
from simulator.engine import CannotDo
from simulator.events import Timeline
from simulator.simulation import Simulation


class PortAudioError(Exception):
    """As sounddevice's."""


class FakeSound(types.ModuleType):
    """sounddevice, with one microphone that can do `rate_hz` only."""

    PortAudioError = PortAudioError

    def __init__(self, rate_hz: int = 16000, *, present: bool = True) -> None:
        super().__init__("sounddevice")
        self.rate_hz = rate_hz
        self.present = present
        self.opened: dict[str, Any] = {}
        self.closed = False

    def query_devices(self, kind: str) -> dict[str, Any]:
        if not self.present:
            raise PortAudioError("no default device")
        return {"default_samplerate": float(self.rate_hz)}

    def check_input_settings(self, samplerate: int, channels: int, dtype: str) -> None:
        if samplerate != self.rate_hz:
            raise PortAudioError("invalid sample rate")

    def RawInputStream(self, **settings: Any) -> FakeSound:
        self.opened = settings
        return self

    def start(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def speak(self, samples: array[int]) -> None:
        """As PortAudio's thread does."""
        self.opened["callback"](memoryview(samples.tobytes()), len(samples), None, None)


class FakeDesk:
    """What `live` needs of a simulation."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.failure = ""
        self.mic = self
        self.person = self
        self.acts: list[str] = []
        self.heard: array[int] = array("h")
        self.more = asyncio.Event()

    def listen_live(self, on: bool) -> None:
        self.acts.append(f"live {on}")

    def feed(self, samples: array[int]) -> None:
        self.heard.extend(samples)
        self.more.set()

    async def press(self) -> None:
        self.acts.append("press")
        self.more.set()

    async def release(self) -> None:
        self.acts.append("release")
        self.more.set()

    async def until(self, ready: Callable[[], bool]) -> None:
        """Until `ready()`."""
        async with asyncio.timeout(5):
            while not ready():
                self.more.clear()
                await self.more.wait()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Called, it makes a pty stdin and stdout and gives our end; what is written to it is read away."""
    ours, theirs = pty.openpty()
    stdin = os.fdopen(theirs, "rb", buffering=0)
    stdout = os.fdopen(os.dup(theirs), "w")
    monkeypatch.setattr(keys, "ASK_S", 0.01)

    def take() -> int:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stdout", stdout)
        return ours

    def drain() -> None:
        try:
            while os.read(ours, 4096):
                pass
        except OSError:
            return

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    yield take
    stdout.close()
    stdin.close()
    reader.join(5)
    os.close(ours)


@pytest.mark.parametrize("rate_hz", [16000, 48000])
def test_the_space_bar_is_the_button_and_the_voice_is_heard(
    terminal: Callable[[], int], monkeypatch: pytest.MonkeyPatch, rate_hz: int
) -> None:
    sound, ours = FakeSound(rate_hz), terminal()
    monkeypatch.setitem(sys.modules, "sounddevice", sound)
    monkeypatch.setattr(keys, "REPEATS_END_S", 0.02)

    async def run() -> FakeDesk:
        desk = FakeDesk()
        live.check()
        task = asyncio.create_task(live.live(cast(Simulation, desk)))
        await asyncio.sleep(0.05)
        os.write(ours, b" ")
        await desk.until(lambda: "press" in desk.acts)
        sound.speak(array("h", [1000] * (rate_hz // 10)))
        # a resampler holds a moment back
        await desk.until(lambda: len(desk.heard) > 1500)
        os.write(ours, b"  ")
        await desk.until(lambda: "release" in desk.acts)
        os.write(ours, b"q")
        await asyncio.wait_for(task, 5)
        return desk

    desk = asyncio.run(run())
    assert desk.acts == ["live True", "press", "release", "live False"]
    assert sound.opened["samplerate"] == rate_hz
    assert sound.closed
    assert 990 < desk.heard[1000] < 1010
    assert len(desk.heard) <= 1600


def test_it_ends_when_the_simulation_cannot_go_on(
    terminal: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSound())
    terminal()

    async def run() -> None:
        desk = FakeDesk()
        task = asyncio.create_task(live.live(cast(Simulation, desk)))
        await asyncio.sleep(0.05)
        desk.failure = "the interpreter ended"
        desk.timeline.add("sim", "failure")
        await asyncio.wait_for(task, 5)

    asyncio.run(run())


def test_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CannotDo, match=r"needs a terminal.*--wav FILE\.wav"):
        live.check()


def test_no_microphone(terminal: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSound(present=False))
    terminal()
    with pytest.raises(CannotDo, match=r"no microphone: no default device.*--wav FILE\.wav"):
        live.check()


def test_no_sound_library(terminal: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    terminal()
    with pytest.raises(CannotDo, match=r"no sound on this computer.*--wav FILE\.wav"):
        live.check()
