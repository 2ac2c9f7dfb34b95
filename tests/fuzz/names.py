"""A finding's name says what it is: the exception, and the place of our own code that it came out of."""

from __future__ import annotations

import traceback
from pathlib import Path

from tests.fuzz.paths import ROOT


def of(error: BaseException) -> str:
    """`valueerror in _events of flight_log`: innermost place in this checkout."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(str(ROOT)) and ".venv" not in frame.filename]
    place = f" in {ours[-1].name} of {Path(ours[-1].filename).stem}" if ours else ""
    return (type(error).__name__.lower() + place).replace("<", "").replace(">", "")
