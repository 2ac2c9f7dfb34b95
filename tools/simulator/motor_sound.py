"""What a pin's own microphone hears of its motor when both lie on a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

# At full strength, in the microphone's 24 bits: -40 dBFS, 80 dB SPL.
FULL_24 = 84_000
# An actuator does not start or stop at once.
_RISE_S = 0.008


class MotorSound:
    """A tone of `tone_hz` that follows `history()`: (seconds after `zero_s`, strength 0 to 255), the newest last."""

    def __init__(
        self, history: Callable[[], Sequence[tuple[float, int]]], zero_s: float, tone_hz: float = 235.0
    ) -> None:
        self._history = history
        self._zero_s = zero_s
        self._tone_hz = tone_hz
        self._level = 0.0
        self._phase = 0.0

    def over(self, samples: list[int], begun_s: float, rate_hz: float) -> list[int]:
        """`samples` of 24 bits, the first at `begun_s` of the loop's clock, with the motor in them."""
        changes = list(self._history())[-64:]
        step = 1 / rate_hz
        decay = math.exp(-step / _RISE_S)
        turn = 2 * math.pi * self._tone_hz * step
        at = begun_s - self._zero_s
        strength = 0
        while changes and changes[0][0] <= at:
            strength = changes.pop(0)[1]
        if not strength and not changes and self._level < 0.001:
            return samples
        heard = []
        for sample in samples:
            while changes and changes[0][0] <= at:
                strength = changes.pop(0)[1]
            self._level = strength / 255 + (self._level - strength / 255) * decay
            self._phase += turn
            heard.append(sample + round(FULL_24 * self._level * math.sin(self._phase)))
            at += step
        return heard
