"""Secrets are planted, a whole day goes by, and every byte that came out is searched for them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import mistakes, pairing
from lapel_companion.client import Client
from lapel_companion.dbos_database import open_engine
from tests.host.api.planted import (
    API_KEY,
    FOREIGN_TOKEN,
    IN_THE_URL,
    PIN_KEY,
    PRINTED,
    SPOKEN,
    Home,
    Planted,
    plant_clip,
)
from tests.host.companion.companion_fakes import run
from tests.host.speech.test_openai_api import Endpoint

# What the files of the state folder may hold, by the start of their path; nothing else is anywhere.
MAY_HOLD = {
    "events.db": ("spoken", "printed"),
    # The workflows' inputs and outputs: names of dispatches and jobs, and why a recording could not be heard.
    "dbos.sqlite": (),
    "blobs/": ("printed",),
    "pin.key": ("pin key",),
    "tokens.json": (),
}


async def outcome(client: Client, dispatch: str) -> dict[str, Any]:
    """The notice that a dispatch ends with."""

    def wait() -> dict[str, Any]:
        for event in client.follow(0, dispatch=dispatch):
            if event["kind"] == "notice":
                return dict(event["body"])
        raise AssertionError("the daemon ended")

    return await asyncio.to_thread(wait)


async def said(client: Client, text: str) -> dict[str, Any]:
    return await outcome(client, (await asyncio.to_thread(client.post, "/v1/say", {"text": text}))["dispatch"])


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    running = Endpoint()
    yield running
    running.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_secrets_are_where_they_belong_and_nowhere_else(tmp_path: Path, endpoint: Endpoint) -> None:
    planted, home = Planted(), Home(tmp_path, endpoint.url)
    for name, secret in (
        ("pin key", PIN_KEY),
        ("API key", API_KEY),
        ("secret in the URL", IN_THE_URL),
        ("foreign token", FOREIGN_TOKEN),
        ("spoken", SPOKEN),
        ("printed", PRINTED),
    ):
        planted.plant(name, secret)

    async def test() -> None:
        endpoint.answer = json.dumps({"text": f"make a note {SPOKEN}"}).encode()
        home.state.mkdir(mode=0o700)
        pairing.KeyFile(home.state).save(pairing.Key(1, PIN_KEY))
        plant_clip(home.state, 1)
        async with home.daemon() as client:
            assert SPOKEN in (await outcome(client, "d1"))["text"]
            assert (await said(client, "read my diary"))["kind"] == "done"
            assert (await said(client, "fail now"))["kind"] == "failed"
            assert (await said(client, "start nothing"))["kind"] == "failed"
            assert (await said(client, f"what is this {SPOKEN}"))["kind"] == "held"
            assert (await said(client, "ask for help"))["kind"] == "done"
            await _tokens(client)
        # The second day: the endpoint refuses, and says what it was sent.
        endpoint.status, endpoint.answer = 500, f"you sent {API_KEY} to {IN_THE_URL}".encode()
        plant_clip(home.state, 2)
        async with home.daemon() as client:
            refused = await outcome(client, "d7")
            assert refused["kind"] == "held" and API_KEY not in json.dumps(refused)
            _search_commands()
        endpoint.close()

    async def _tokens(client: Client) -> None:
        made = await asyncio.to_thread(client.post, "/v1/tokens", {"name": "agent", "scopes": ["read"]})
        planted.plant("token", made["token"])
        for arguments, token in (
            (["jobs"], made["token"]),
            (["jobs"], FOREIGN_TOKEN),
            (["cancel", "d1"], made["token"]),
        ):
            out = await asyncio.to_thread(home.lapel, *arguments, LAPEL_TOKEN=token)
            assert not {"token", "foreign token"} & set(planted.found_in(out)), out

    def _search_commands() -> None:
        for arguments in (
            ["status"],
            ["status", "--json"],
            ["doctor", "--radio", "bumble:tcp-client:127.0.0.1:1", "--config", str(home.folder / "config.toml")],
            ["token", "list", "--json"],
        ):
            found = set(planted.found_in(home.lapel(*arguments)))
            # What was heard is what status is asked for.
            assert found <= {"spoken"}, (arguments, found)

    run(test, 120)
    assert len(endpoint.seen) >= 2 and endpoint.seen[0][1]["authorization"] == f"Bearer {API_KEY}"
    assert IN_THE_URL in endpoint.seen[0][0]
    _look_at(planted, home)


def _look_at(planted: Planted, home: Home) -> None:
    text = home.printed.decode("utf-8", "replace")
    assert "DEBUG:" in text and "d1: heard (openai)" in text, "the daemon was to be loud"
    bad = [line for line in text.splitlines() if planted.found_in(line.encode())]
    # By the rule for a log, nothing that was said or printed is in it either.
    assert planted.found_in(home.printed) == [], bad[:5]
    for path in sorted(home.state.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(home.state))
            may = next((allowed for start, allowed in MAY_HOLD.items() if name.startswith(start)), ())
            assert set(planted.found_in(path.read_bytes())) <= set(may), name
            assert name not in ("pin.key", "tokens.json") or path.stat().st_mode & 0o077 == 0, name
    assert home.state.stat().st_mode & 0o077 == 0
    _look_at_children(planted, home.children)
    seen, allowed = (home.folder / "seen").read_bytes(), (home.folder / "allowed").read_bytes()
    assert not planted.found_in(seen)
    # By its phrase it may have the token, and got nothing more.
    assert planted.found_in(allowed) == ["foreign token"]


def _look_at_children(planted: Planted, children: Mapping[int, tuple[bytes, bytes]]) -> None:
    assert any(b"speech.worker" in cmdline for cmdline, _ in children.values())
    assert any(b"sleep" in cmdline for cmdline, _ in children.values())
    # Nothing is started but what is ours and what the phrases name: a library's child would get all that we have.
    started = {Path(cmdline.split(b"\0")[0].decode()).name for cmdline, _ in children.values() if cmdline}
    assert started <= {Path(sys.executable).name, "sh", "cat", "env", "printenv", "sleep"}
    for cmdline, environ in children.values():
        assert not planted.found_in(cmdline), cmdline
        # The one helper that speaks to the endpoint needs its key; a phrase's `env` names what its command gets.
        may = {"API key"} if b"speech.worker" in cmdline else {"foreign token"} if b"printenv" in cmdline else set()
        assert set(planted.found_in(environ)) <= may, cmdline


def test_the_libraries_start_no_program() -> None:
    """What is over in a few milliseconds nobody sees in /proc; Python itself tells of each."""
    code = """
import sys
sys.addaudithook(lambda name, given: name in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork")
                 and print(name, given))
import platform
asked = platform.architecture
from lapel_companion import dbos_host, pairing
dbos_host._import()
pairing.system_ring()
assert platform.architecture is asked and "croniter" in sys.modules and "keyring" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_an_error_of_the_engines_database_does_not_quote_what_it_was_given(tmp_path: Path) -> None:
    import sqlalchemy

    engine = open_engine(tmp_path / "dbos.sqlite")
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.SQLAlchemyError) as caught:
        connection.execute(sqlalchemy.text("SELECT :words FROM absent"), {"words": SPOKEN})
    engine.dispose()
    assert SPOKEN not in str(caught.value) and mistakes.cause(caught.value) == "no such table: absent"


def test_a_mistake_of_ours_is_told_without_its_text() -> None:
    def fail() -> None:
        try:
            SPOKEN.encode("ascii").decode("utf-16")
        except UnicodeError as error:
            raise KeyError(SPOKEN) from error

    with pytest.raises(KeyError) as caught:
        fail()
    error = caught.value
    assert SPOKEN not in mistakes.named(error) + mistakes.cause(error) + mistakes.trace(error)
    assert mistakes.named(error).startswith("KeyError at test_canaries.py:")
    assert "UnicodeDecodeError" in mistakes.trace(error) and "which led to" in mistakes.trace(error)
    assert mistakes.cause(OSError(28, "No space left")) == "[Errno 28] No space left"

    async def nobody_awaits() -> list[str]:
        told: list[str] = []
        loop = asyncio.get_running_loop()
        mistakes.quiet_loop(loop, told.append)
        loop.call_soon(fail)
        while not told:
            await asyncio.sleep(0.01)
        return told

    [sentence] = asyncio.run(nobody_awaits())
    assert "KeyError at test_canaries.py:" in sentence and SPOKEN not in sentence
