"""The report of a self-test: JSON with a schema and a version (README.md lists its figures), and a page made of it."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lapel_bringup.result import BAD, GOOD, LOOK, UNKNOWN, Result

SCHEMA = "lapel-bringup"
VERSION = 1
DONE, SKIPPED, FAILED, STOPPED = "done", "skipped", "failed", "stopped"
_STATES = (DONE, SKIPPED, FAILED, STOPPED)
_VERDICTS = (GOOD, LOOK, BAD, UNKNOWN)
JSON_NAME, PAGE_NAME = "bringup.json", "bringup.html"


class BadReport(Exception):
    """A file that is no report of ours; the text is a sentence that names it."""


@dataclass
class StepRecord:
    """One step as it went. `trouble` and `way_on` say why it failed."""

    name: str
    title: str
    state: str
    took_s: float = 0.0
    result: Result = field(default_factory=Result)
    trouble: str = ""
    way_on: str = ""

    @property
    def verdict(self) -> str:
        """The result's, bad for a step that failed."""
        return BAD if self.state == FAILED else self.result.verdict


@dataclass
class Report:
    """`pin` has what is known of the board: board, micropython, arch ... Nothing in it identifies the pin."""

    made_at: str
    pin: dict[str, Any] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)
    complete: bool = False

    @classmethod
    def begun(cls) -> Report:
        """An empty one, of now."""
        return cls(datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))

    def step(self, name: str) -> StepRecord | None:
        """The record of that step, if it was done."""
        return next((record for record in self.steps if record.name == name), None)

    def put(self, record: StepRecord) -> None:
        """Adds a record, in the place of an earlier one of the same step."""
        for i, old in enumerate(self.steps):
            if old.name == record.name:
                self.steps[i] = record
                return
        self.steps.append(record)

    def as_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "made_at": self.made_at,
            "complete": self.complete,
            "pin": self.pin,
            "steps": [
                {
                    "name": record.name,
                    "title": record.title,
                    "state": record.state,
                    "took_s": round(record.took_s, 1),
                    "trouble": record.trouble,
                    "way_on": record.way_on,
                    **record.result.as_json(),
                    "verdict": record.verdict,
                }
                for record in self.steps
            ],
        }

    def save(self, folder: Path, page: str) -> tuple[Path, Path]:
        """Writes both files; where they are. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        text = json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n"
        for name, body in ((JSON_NAME, text), (PAGE_NAME, page)):
            fresh = folder / f".{name}.new"
            fresh.write_text(body, encoding="utf-8")
            fresh.replace(folder / name)
            written.append(folder / name)
        return written[0], written[1]


def load(file: Path) -> Report:
    """Reads a report, or the one in a folder. Raises BadReport."""
    if file.is_dir():
        file = file / JSON_NAME
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadReport(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise BadReport(f"{file} is no report of `lapel bringup`: it is not JSON ({error})") from error
    return parsed(body, str(file))


def parsed(body: Any, name: str) -> Report:
    """The report in a JSON value; `name` says whose it is. Raises BadReport."""
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise BadReport(f'{name} is no report of `lapel bringup`: it has no "schema": "{SCHEMA}"')
    if body.get("version") != VERSION:
        raise BadReport(f"{name} has version {body.get('version')!r} of the report; this Lapel reads version {VERSION}")
    steps = body.get("steps")
    if not isinstance(steps, list) or not isinstance(body.get("pin"), dict):
        raise BadReport(f"{name} is damaged: it has no list of steps or no pin")
    report = Report(str(body.get("made_at", "")), body["pin"], complete=body.get("complete") is True)
    for number, step in enumerate(steps, 1):
        report.steps.append(_step(step, f"{name}, step {number}"))
    return report


def _step(body: Any, where: str) -> StepRecord:
    if not isinstance(body, dict):
        raise BadReport(f"{where}: is no object")
    for key, kind in (
        ("name", str), ("title", str), ("state", str), ("took_s", (int, float)), ("trouble", str), ("way_on", str),
        ("findings", list), ("figures", dict), ("series", dict), ("unknown", list),
    ):  # fmt: skip
        if not isinstance(body.get(key), kind):
            raise BadReport(f"{where}: '{key}' is missing or of the wrong kind")
    if body["state"] not in _STATES:
        raise BadReport(f"{where}: there is no state {body['state']!r}")
    for finding in body["findings"]:
        if not isinstance(finding, dict) or set(finding) != {"level", "says", "likely"}:
            raise BadReport(f"{where}: a finding has level, says and likely")
        if finding["level"] not in _VERDICTS:
            raise BadReport(f"{where}: there is no level {finding['level']!r}")
    return StepRecord(
        body["name"],
        body["title"],
        body["state"],
        body["took_s"],
        Result.of_json(body),
        body["trouble"],
        body["way_on"],
    )
