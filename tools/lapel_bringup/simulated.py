"""A person at the desk of a simulated pin: presses, speaks, feels and sees what they are asked to."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from lapel_bringup.person import Nobody
from simulator import wav
from simulator.motor_sound import MotorSound
from simulator.simulation import Simulation

VOICE = Path(__file__).resolve().parents[1] / "simulator" / "demo" / "note_milk.wav"
_PRESS_S, _REST_S, _REACTION_S = 0.08, 0.12, 0.2
_PRESSES_MAX = 12
_SEEN = {(160, 0, 0): "r", (0, 160, 0): "g", (0, 0, 160): "b", (90, 90, 90): "w", (0, 0, 0): "n"}


class SimulatedPerson(Nobody):
    """`simulation` runs in `loop`, in another thread. `voice` times its recording is how loud they speak."""

    def __init__(
        self,
        simulation: Simulation,
        loop: asyncio.AbstractEventLoop,
        answers: Mapping[str, str] | None = None,
        *,
        voice: float = 0.03,
        resonance_hz: float = 235.0,
        on_table: bool = True,
    ) -> None:
        super().__init__(answers)
        self._simulation = simulation
        self._loop = loop
        recording = wav.load(VOICE)
        loud = [max(-32768, min(32767, round(x * voice))) for x in recording]
        self._voice = array("h", loud * 3)
        self._felt_from = 0
        self._resonance_hz = resonance_hz
        self._on_table = on_table
        self._was_open = simulation.mic.on_open

    def ready(self, key: str, text: str) -> None:
        super().ready(key, text)
        mic, hardware = self._simulation.mic, self._simulation.hardware
        zero_s = self._loop.time() - self._simulation.timeline.now_s()
        motor = MotorSound(lambda: hardware.haptic, zero_s, self._resonance_hz)
        mic.motor = motor if self._on_table and key == "haptic.table" else None

    def now(self, act: str, text: str) -> None:
        super().now(act, text)
        if act == "press":
            self._post(self._press())
        elif act == "speak":
            self._simulation.mic.on_open = self._speak
        elif act == "feel":
            self._felt_from = len(self._simulation.hardware.haptic)

    def choose(self, key: str, question: str, choices: Mapping[str, str]) -> str | None:
        answer = super().choose(key, question, choices)
        if answer is None and key.startswith("led."):
            shown = self._simulation.hardware.led
            answer = _SEEN.get(shown[-1][1], "o") if shown else "n"
        elif answer is None and key.startswith("felt."):
            history = list(self._simulation.hardware.haptic)
            answer = "y" if any(strength for _, strength in history[self._felt_from :]) else "n"
            self._felt_from = len(history)
        return answer

    def _post(self, doing: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop)

    async def _press(self) -> None:
        # until nobody watches any more; one who was asked for ten presses counts them
        button = self._simulation.hardware.button
        await asyncio.sleep(_REACTION_S)
        for _ in range(_PRESSES_MAX):
            await button.press()
            await asyncio.sleep(_PRESS_S)
            await button.release()
            await asyncio.sleep(_REST_S)

    def _speak(self, is_open: bool) -> None:
        self._was_open(is_open)
        if is_open:
            self._simulation.mic.play(self._voice)
        else:
            self._simulation.mic.on_open = self._was_open
