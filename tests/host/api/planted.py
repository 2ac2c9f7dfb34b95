"""Secrets that are planted, and a home folder with a daemon in it whose every byte can be searched for them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from lapel_companion import audio
from lapel_companion.client import Client, NoDaemon
from lapel_companion.events import EventLog
from tests.host.speech.test_openai_api import VOICE

CHECKOUT = Path(__file__).parents[3]
PIN_KEY = bytes(range(0xC0, 0xE0))
API_KEY = "sk-canary-7f3a91-key"
IN_THE_URL = "canary-41c8d2-url"
FOREIGN_TOKEN = "lapel_canary-90be11-" + "x" * 29
SPOKEN = "canary zanzibar marmalade"
PRINTED = "canary-55aa02-printed"

CONFIG = """\
[notices]
channel = "terminal"
[notes]
file = "{home}/notes.md"
[speech]
engine = "openai"
url = "{url}?k={in_the_url}"
api_key_env = "LAPEL_CANARY_KEY"
timeout_s = 20
[[phrase]]
say = "make a note {{text}}"
agent = "note"
[[phrase]]
say = "read my diary"
agent = "command"
run = ["sh", "-c", "cat {home}/diary; env > {home}/seen; exec sleep 2"]
[[phrase]]
say = "fail now"
agent = "command"
run = ["sh", "-c", "cat {home}/diary >&2; exit 3"]
[[phrase]]
say = "start nothing"
agent = "command"
run = ["{home}/nowhere"]
[[phrase]]
say = "ask for help"
agent = "command"
run = ["sh", "-c", "printenv > {home}/allowed"]
env = ["LAPEL_TOKEN"]
"""


def forms(secret: str | bytes) -> list[bytes]:
    """A secret as it is, in hex and in base64 (its middle, whatever stands before it)."""
    data = secret if isinstance(secret, bytes) else secret.encode()
    found = [data, data.hex().encode(), data.hex().upper().encode()]
    for shift in range(3):
        found.append(base64.b64encode(b"x" * shift + data)[4:-4])
    if isinstance(secret, bytes):
        found += [repr(secret)[2:-1].encode(), ", ".join(str(byte) for byte in secret).encode()]
    return found


@dataclass
class Planted:
    secrets: dict[str, list[bytes]] = field(default_factory=dict)

    def plant(self, name: str, secret: str | bytes) -> None:
        self.secrets[name] = forms(secret)

    def found_in(self, data: bytes) -> list[str]:
        return [name for name, all_forms in self.secrets.items() if any(form in data for form in all_forms)]


class Home:
    """A home folder, a state folder in it, and everything that the daemon has ever printed."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.printed = b""
        self.children: dict[int, tuple[bytes, bytes]] = {}
        (folder / "diary").write_text(f"{PRINTED}\n")
        (folder / "config.toml").write_text(CONFIG.format(home=folder, url=url, in_the_url=IN_THE_URL))

    def environment(self) -> dict[str, str]:
        hidden = {"HOME": str(self.folder), "LAPEL_CANARY_KEY": API_KEY, "LAPEL_TOKEN": FOREIGN_TOKEN}
        return {**os.environ, **hidden, "PYTHONPATH": str(CHECKOUT), "PYTHONASYNCIODEBUG": "1"}

    def lapel(self, *arguments: str, **environment: str) -> bytes:
        """What a command prints."""
        argv = [sys.executable, "-m", "lapel_companion", *arguments, "--state", str(self.state)]
        own = {name: value for name, value in self.environment().items() if name != "LAPEL_TOKEN"}
        done = subprocess.run(argv, capture_output=True, env={**own, **environment}, check=False, timeout=60)
        assert b"Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    @contextlib.asynccontextmanager
    async def daemon(self) -> AsyncIterator[Client]:
        argv = [sys.executable, "-m", "tests.host.api.loud", "run", "--radio", "bumble:tcp-client:127.0.0.1:1"]
        argv += ["--state", str(self.state), "--config", str(self.folder / "config.toml")]
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self.environment(),
            cwd=CHECKOUT,
            start_new_session=True,
        )
        assert process.stdout
        reading = asyncio.create_task(process.stdout.read())
        watching = asyncio.create_task(self._watch(process.pid))
        try:
            client = Client(self.state)
            while True:
                with contextlib.suppress(NoDaemon):
                    await asyncio.to_thread(client.get, "/v1/status")
                    break
                assert process.returncode is None, await reading
                await asyncio.sleep(0.05)
            yield client
        finally:
            watching.cancel()
            if process.returncode is None:
                os.kill(process.pid, signal.SIGTERM)
            self.printed += await reading
            assert await process.wait() == 0

    async def _watch(self, pid: int) -> None:
        """Arguments and environments of everything that the daemon starts, as others on this computer see them."""
        own = Path("/proc", str(pid), "cmdline").read_bytes()
        while True:
            for child in await asyncio.to_thread(descendants, pid):
                with contextlib.suppress(OSError):
                    place = Path("/proc", str(child))
                    found = ((place / "cmdline").read_bytes(), (place / "environ").read_bytes())
                    # For a moment a new process is the daemon itself: it has not become a program yet.
                    if found[0] != own:
                        self.children[child] = found
            await asyncio.sleep(0.02)


def descendants(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, more = [], [pid]
    while more:
        more = [child for child, parent in parents.items() if parent in more]
        found += more
    return found


def plant_clip(state: Path, number: int) -> None:
    """A recording that an earlier run accepted and did not get to."""
    (state / "clips").mkdir(mode=0o700, parents=True, exist_ok=True)
    clip = f"0a0b0c0d-00112233445566aa-{number}"
    audio.write_wav(state / "clips" / f"{clip}.wav", VOICE, 16_000)
    log = EventLog(state / "events.db")
    with log.transaction():
        dispatch = log.next_dispatch()
        facts = {"boot": "b", "press_ms": number, "press_unix_ms": int(time.time() * 1000), "cut": False}
        body = {"id": clip, "codec": "adpcm", "rate_hz": 16_000, "ms": 1500, "bytes": 1, "sha": "", **facts}
        log.append("clip", {**body, "reply_to": None}, principal="pin", dispatch=dispatch)
        accepted = {"id": dispatch, "clip": clip, "source": "pin", "outcome": "accepted"}
        log.append("dispatch", accepted, principal="pin", dispatch=dispatch)
    log.close()
