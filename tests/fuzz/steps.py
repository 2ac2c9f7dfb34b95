"""How much work an input makes: lines of our own code, counted, because a clock would not be fair."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from tests.fuzz.paths import ROOT
from tests.fuzz.table import Target

_OURS = tuple(str(ROOT / one) + "/" for one in ("firmware", "lib", "tools"))


class TooMuchWork(BaseException):
    """An input takes more lines than it may. No Exception, so that nothing catches it on its way."""


class Steps:
    """`run` counts; `lines` is what the last run took, `places` the lines (file, number) that ran."""

    def __init__(self) -> None:
        self.lines = 0
        self.places: set[tuple[str, int]] = set()
        self._most = 0

    def run(self, target: Target, data: bytes) -> str:
        """The verdict. Raises TooMuchWork, and whatever the target raises."""
        self.lines, self._most = 0, target.work_max(data)
        self.places = set()
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            return target.run(data)
        finally:
            sys.settrace(before)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(_OURS) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.lines += 1
            self.places.add((frame.f_code.co_filename, frame.f_lineno))
            if self.lines > self._most:
                raise TooMuchWork(f"more than {self._most} lines for {frame.f_code.co_filename}:{frame.f_lineno}")
        return self._line
