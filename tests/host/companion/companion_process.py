"""The daemon as its user runs it: a process of its own, on a state folder and a home of the test's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from lapel_companion.client import Client, NoDaemon
from lapel_companion.pairing import KeyFile
from tests.host.companion.companion_pin import KEY

CONFIG = """\
[notices]
channel = "terminal"

[notes]
file = "{home}/notes.md"

[[phrase]]
say = "how much disk space is left"
agent = "command"
run = ["df", "-h", "/"]
result = "{{2.4}} free of {{2.2}}"
harmless = true
idempotent = true

[[phrase]]
say = "make a note {{text}}"
agent = "note"

[[phrase]]
say = "wait for me"
agent = "command"
run = ["sleep", "30"]
harmless = true
"""


class Process:
    """`lines` is what it printed as JSON, `said` what it said to people. It is paired with companion_pin's pin."""

    def __init__(self, folder: Path, radio: str) -> None:
        self.state = folder / "state"
        self._folder = folder
        self._radio = radio
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self.lines: list[dict[str, Any]] = []
        self.said: list[str] = []
        (folder / "config.toml").write_text(CONFIG.format(home=folder))
        KeyFile(self.state).save(KEY)

    @property
    def argv(self) -> list[str]:
        options = [
            "--radio",
            self._radio,
            "--state",
            str(self.state),
            "--config",
            str(self._folder / "config.toml"),
        ]
        return [sys.executable, "-m", "lapel_companion", "run", "--json", *options]

    async def start(self) -> None:
        """Start it, and wait until its API answers."""
        environment = {**os.environ, "HOME": str(self._folder)}
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self.argv, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
        )
        assert self._process.stdout and self._process.stderr
        self._readers = [
            asyncio.create_task(self._read(self._process.stdout, self._take_line)),
            asyncio.create_task(self._read(self._process.stderr, self.said.append)),
        ]
        while True:
            with contextlib.suppress(NoDaemon):
                await self.get("/v1/status")
                return
            if self._process.returncode is not None:
                raise AssertionError("\n".join(self.said))
            await asyncio.sleep(0.02)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        return await asyncio.to_thread(Client(self.state).get, path, **query)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(Client(self.state).post, path, body)

    async def wait(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first line of that event with those fields."""
        while True:
            for line in self.lines:
                if line["event"] == event and all(line.get(key) == value for key, value in fields.items()):
                    return line
            await asyncio.sleep(0.02)

    async def signal(self, number: int) -> int:
        """Send a signal, and wait for the end; the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            os.kill(self._process.pid, number)
        code = await self._process.wait()
        await asyncio.gather(*self._readers)
        return code

    async def close(self) -> None:
        if self._process is not None:
            await self.signal(signal.SIGKILL)

    async def _read(self, stream: asyncio.StreamReader, take: Any) -> None:
        while raw := await stream.readline():
            take(raw.decode().rstrip("\n"))

    def _take_line(self, text: str) -> None:
        self.lines.append(json.loads(text))


@contextlib.asynccontextmanager
async def process(folder: Path, radio: str = "bumble:tcp-client:127.0.0.1:1") -> AsyncIterator[Process]:
    """A daemon that runs, and is gone afterwards."""
    daemon = Process(folder, radio)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.close()
