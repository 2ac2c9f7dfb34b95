"""The steps of the self-test, in the order in which they are done."""

from __future__ import annotations

from lapel_bringup.desk import Step
from lapel_bringup.steps import (
    button,
    chip,
    encoding,
    flash,
    haptic,
    light,
    microphone,
    pace,
    radio,
    startup,
    supply,
)

STEPS: tuple[Step, ...] = tuple(
    module.STEP for module in (chip, light, button, microphone, startup, haptic, flash, encoding, pace, radio, supply)
)
