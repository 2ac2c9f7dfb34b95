"""Goes through the steps with the person: skipped, repeated, failed, stopped; the report is written after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import click

from lapel_bringup.desk import Desk, Step
from lapel_bringup.person import AGAIN, SKIP, STOP
from lapel_bringup.pin import StepFailed
from lapel_bringup.report import DONE, FAILED, SKIPPED, STOPPED, Report, StepRecord
from lapel_bringup.result import BAD, GOOD, IN_WORDS, LOOK, UNKNOWN, Result
from lapel_usb.errors import PinError, UsbError

_COLOURS = {GOOD: "green", LOOK: "yellow", BAD: "red", UNKNOWN: None}
# What the last line of an exception on the pin means here.
_MEANINGS = (
    ("ImportError: no module named 'board'", "there is no app on this pin", "Type: make flash BOARD=..."),
    ("ImportError: no module named 'lapel", "there is no whole app on this pin", "Type: make flash BOARD=..."),
    (
        "ImportError: no module named 'aioble'",
        "aioble is not on this pin",
        "Type: make flash BOARD=..., with a network.",
    ),
    ("MemoryError", "the pin's heap is too small for this step", "A board with PSRAM, or skip it."),
    (
        "AttributeError",
        "the app on this pin is older than this self-test",
        "Type: make flash BOARD=..., then repeat it.",
    ),
)


class Session:
    """`save(report)` is called after each step."""

    def __init__(self, desk: Desk, report: Report, steps: Sequence[Step], save: Callable[[Report], None]) -> None:
        self._desk = desk
        self._report = report
        self._steps = steps
        self._save = save

    def run(self) -> None:
        """All steps. Raises KeyboardInterrupt and UsbError (the pin is gone); what was done is in the report then."""
        for number, step in enumerate(self._steps, 1):
            self._desk.person.tell("")
            self._desk.person.tell(click.style(f"{number}/{len(self._steps)}  {step.title}", bold=True))
            self._desk.person.tell(f"  {step.does}")
            how = self._desk.person.before(step.name)
            if how == STOP:
                return
            if how == SKIP:
                self._keep(StepRecord(step.name, step.title, SKIPPED))
                continue
            while True:
                self._keep(self._once(step))
                if self._desk.person.after(step.name) != AGAIN:
                    break
        self._report.complete = True
        self._save(self._report)

    def _once(self, step: Step) -> StepRecord:
        begun_s = time.monotonic()
        record = StepRecord(step.name, step.title, DONE)
        try:
            record.result = step.run(self._desk)
        except StepFailed as error:
            record = _failed(step, str(error), error.way_on)
        except PinError as error:
            record = _failed(step, *_meaning(error.exception))
        except (UsbError, KeyboardInterrupt, click.Abort) as error:
            record.state = STOPPED
            record.trouble = error.sentence if isinstance(error, UsbError) else "stopped by Ctrl-C"
            record.took_s = time.monotonic() - begun_s
            self._keep(record)
            raise
        record.took_s = time.monotonic() - begun_s
        self._say(record)
        return record

    def _keep(self, record: StepRecord) -> None:
        self._report.put(record)
        board = self._desk.bench.board
        if board:
            self._report.pin.setdefault("board", board["name"])
        self._save(self._report)

    def _say(self, record: StepRecord) -> None:
        tell = self._desk.person.tell
        if record.trouble:
            tell(click.style(f"  {IN_WORDS[BAD]}: {record.trouble}.", fg="red"))
            tell(f"    {record.way_on}")
        for finding in record.result.findings:
            tell(click.style(f"  {IN_WORDS[finding.level]}: ", fg=_COLOURS[finding.level]) + finding.says)
            if finding.likely:
                tell(f"    {finding.likely}")
        for unknown in record.result.unknown:
            tell(click.style(f"  not known: {unknown}", dim=True))


def _failed(step: Step, says: str, way_on: str) -> StepRecord:
    return StepRecord(step.name, step.title, FAILED, trouble=says, way_on=way_on, result=Result())


def _meaning(text: str) -> tuple[str, str]:
    for sign, says, way_on in _MEANINGS:
        if sign in text:
            return says, way_on
    last = text.strip().splitlines()[-1] if text.strip() else "an error without words"
    return f"the pin raised {last}", "Repeat the step; if it comes again, send the report with an issue."
