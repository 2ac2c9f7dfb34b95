"""Whole runs of `lapel sim --json`: pin, radio and companion as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEMO = Path(__file__).parents[2] / "tools" / "simulator" / "demo"
DISK, NOTE, UNKNOWN = (DEMO / f"{name}.wav" for name in ("disk_space", "note_milk", "unknown"))
TIMEOUT_S = 120

CONFIG = """
[notes]
file = "{notes}"

[notices]
channel = "terminal"

[[phrase]]
say = "how much disk space is left"
agent = "command"
run = ["df", "-h", "/"]
result = "{{2.4}} free of {{2.2}}"
harmless = true

[[phrase]]
say = "make a note {{text}}"
agent = "note"
"""


@dataclass(frozen=True)
class Run:
    """What a run said."""

    code: int
    events: Sequence[Mapping[str, Any]]
    stderr: str

    def of(self, event: str, who: str = "", **fields: Any) -> list[Mapping[str, Any]]:
        """Its events of that name, with those fields."""
        wanted = {**fields, **({"who": who} if who else {})}
        return [
            line
            for line in self.events
            if line["event"] == event and all(line.get(key) == value for key, value in wanted.items())
        ]

    def names(self, *wanted: str) -> list[str]:
        """Its events of those names, in order."""
        return [str(line["event"]) for line in self.events if line["event"] in wanted]

    def good(self) -> Run:
        """Fails with everything that was said unless it ended well."""
        assert self.code == 0, f"exit {self.code}: {self.stderr}\n" + "\n".join(map(str, self.events[-40:]))
        return self


class Sim:
    """Runs on one state, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.notes = folder / "notes.md"
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG.format(notes=self.notes))

    def __call__(self, script: str, *options: str) -> Run:
        """That script."""
        path = self.folder / "x.script"
        path.write_text(script)
        return self.run("--script", str(path), *options)

    def start(self, script: str, *options: str) -> subprocess.Popen[str]:
        """That script, to be looked at while it runs."""
        path = self.folder / "x.script"
        path.write_text(script)
        command = [*self._command(), "--script", str(path), *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "lapel_companion", "sim", "--json"]
        return [*command, "--state", str(self.state), "--config", str(self.config)]

    def run(self, *options: str, **env: str) -> Run:
        """`lapel sim` with those options, on this state and configuration."""
        done = subprocess.run(
            [*self._command(), *options],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env={**os.environ, **env},
            check=False,
        )
        return Run(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)
