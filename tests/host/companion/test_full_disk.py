"""A disk that is really full, under a real daemon: no file of it can grow, until the limit is lifted."""

import asyncio
import os
import resource
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lapel_companion.client import ApiError
from tests.host.companion import companion_process
from tests.host.companion.companion_process import Process, process

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit")
_LIMIT_S = 180


def room(daemon: Process, there_is: bool) -> None:
    """Let the daemon's files grow, or not: each write that would make one longer fails."""
    assert daemon._process is not None
    _, hard = resource.prlimit(daemon._process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon._process.pid, resource.RLIMIT_FSIZE, (hard if there_is else 0, hard))


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(_LIMIT_S):
            await test()

    asyncio.run(limited())


async def notices(daemon: Process) -> list[dict[str, Any]]:
    return list((await daemon.get("/v1/notices"))["notices"])


def test_what_cannot_be_written_is_refused_or_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = tmp_path / "gate"
    phrase = (
        '[[phrase]]\nsay = "wait at the gate"\nrun = ["sh", "-c", "echo ran >> {home}/ledger;'
        ' while ! test -e {home}/gate; do sleep 0.1; done; echo through"]\n'
    )
    monkeypatch.setattr(companion_process, "CONFIG", companion_process.CONFIG + phrase)

    async def test() -> None:
        async with process(tmp_path) as daemon:
            await daemon.post("/v1/say", {"text": "wait at the gate"})
            while not (tmp_path / "ledger").exists():
                await asyncio.sleep(0.05)
            room(daemon, False)
            gate.touch()
            with pytest.raises(ApiError, match="the disk does not take it"):
                await daemon.post("/v1/say", {"text": "make a note lost"})
            while not any("the result of d1.1 cannot be saved yet" in line for line in daemon.said):
                await asyncio.sleep(0.05)
            # It answers, and says nothing that is not so.
            assert (await daemon.get("/v1/status"))["unseen"] == 0
            room(daemon, True)
            while not (found := await notices(daemon)):
                await asyncio.sleep(0.05)
            assert [(one["kind"], one["text"]) for one in found] == [("done", "wait at the gate: through")]
            await daemon.post("/v1/say", {"text": "make a note kept"})
            while len(await notices(daemon)) < 2:
                await asyncio.sleep(0.05)
            assert await daemon.signal(signal.SIGTERM) == 0
        assert (tmp_path / "ledger").read_text() == "ran\n"
        assert "lost" not in (tmp_path / "notes.md").read_text()

    run(test)


def test_a_daemon_starts_on_a_full_disk_or_says_why_not(tmp_path: Path) -> None:
    async def test() -> None:
        async with process(tmp_path) as daemon:
            await daemon.post("/v1/say", {"text": "make a note kept"})
            while not await notices(daemon):
                await asyncio.sleep(0.05)
            assert await daemon.signal(signal.SIGTERM) == 0
        full = await asyncio.create_subprocess_exec(
            "sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *daemon.argv,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "HOME": str(tmp_path)}, start_new_session=True,
        )  # fmt: skip
        assert full.stdout is not None
        said = (await full.stdout.read()).decode()
        assert await full.wait() == 1
        assert "Error: " in said and "Traceback" not in said, said
        # With room again it goes on, and has lost nothing.
        async with process(tmp_path) as daemon:
            await daemon.post("/v1/say", {"text": "make a note more"})
            while len(await notices(daemon)) < 2:
                await asyncio.sleep(0.05)
        assert (tmp_path / "notes.md").read_text().count("] kept") == 1

    run(test)
