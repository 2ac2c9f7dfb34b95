"""The local API and its client: routes, refusals, following, and who may open the socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel_companion import api as api_module
from lapel_companion import socket_path
from lapel_companion.api_request import MAX_BODY_BYTES
from lapel_companion.client import ApiError, Client, NoDaemon, follow
from tests.host.companion.companion_api import serving
from tests.host.companion.companion_fakes import run


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="l") as folder:
        yield Path(folder)


def test_the_socket_is_its_owners_alone_and_goes_with_the_daemon(tmp_path: Path) -> None:
    async def test() -> None:
        state = tmp_path / "state"
        async with serving(state):
            mode = (state / "api.sock").stat().st_mode
            assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
        assert not (state / "api.sock").exists()
        with pytest.raises(NoDaemon, match=r"lapel run --state .*\n.*service install"):
            await asyncio.to_thread(Client(state).get, "/v1/status")

    run(test)


def test_a_state_path_too_long_for_a_socket_gets_a_short_private_one(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        runtime = short
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        state = tmp_path / ("long" * 30)
        async with serving(state) as rig:
            path = socket_path.find(state)
            assert path.parent.parent == runtime and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert (await rig.ask("GET", "/v1/status"))[1]["version"] == "test"
        path.parent.chmod(0o777)
        with pytest.raises(socket_path.SocketPathError, match="not yours alone"):
            socket_path.choose(state)

    run(test)


def test_requests_that_cannot_be_met_get_a_status_and_a_sentence(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            expected: list[tuple[int, str, str, object, dict[str, str]]] = [
                (404, "GET", "/nowhere", None, {}),
                (404, "GET", "/v1/jobs/d9.1", None, {}),
                (404, "GET", "/v1/jobs/d9.1/log", None, {}),
                (404, "GET", "/v1/dispatches/d9", None, {}),
                (404, "GET", "/v1/clips/../../etc/passwd.wav", None, {}),
                (404, "GET", "/v1/clips/0a0b0c0d-00112233445566aa-1.wav", None, {}),
                (404, "POST", "/v1/notices/7/seen", None, {}),
                (404, "POST", "/v1/notices/99999999999999999999/seen", None, {}),
                (405, "POST", "/v1/status", None, {}),
                (400, "GET", "/v1/events?after=-1", None, {}),
                (400, "GET", "/v1/jobs?limit=many", None, {}),
                (415, "POST", "/v1/say", "text=hello", {"Content-Type": "text/plain"}),
                (400, "POST", "/v1/say", "{", {}),
                (400, "POST", "/v1/say", [], {}),
                (400, "POST", "/v1/say", {}, {}),
                (400, "POST", "/v1/say", {"text": 1}, {}),
                (400, "POST", "/v1/say", {"text": "x", "more": 1}, {}),
                (413, "POST", "/v1/say", {"text": "x" * MAX_BODY_BYTES}, {}),
                (409, "POST", "/v1/release", {"dispatch": "d9"}, {}),
                (403, "GET", "/v1/status", None, {"Origin": "http://evil.example"}),
            ]
            for status, method, path, body, headers in expected:
                found, answer = await rig.ask(method, path, body, **headers)
                assert found == status, (method, path, found, answer)
                assert set(answer) == {"error"} and answer["error"].endswith("."), answer
            rig.flight = None
            assert await rig.ask("GET", "/v1/flight") == (503, {"error": "no pin is linked."})

    run(test)


def test_saying_releasing_cancelling_and_reading(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            client = Client(rig.state)
            said = await asyncio.to_thread(client.post, "/v1/say", {"text": "make a note"})
            assert said == {"dispatch": "d1", "after": 0}
            await asyncio.to_thread(client.post, "/v1/release", {"dispatch": "d1", "text": None})
            cancelled = await asyncio.to_thread(client.post, "/v1/cancel", {"dispatch": "d1"})
            assert cancelled["answer"] == "d1 is cancelled."
            with pytest.raises(ApiError, match="there is no dispatch d7"):
                await asyncio.to_thread(client.post, "/v1/release", {"dispatch": "d7"})
            assert rig.engine.asked[0] == ("say", "make a note", "person")
            for state in ("queued", "running"):
                body = {"id": "d1.1", "agent": "note", "state": state, "heard": "make a note"}
                rig.log.append("job", body, principal="person", dispatch="d1", job="d1.1")
            jobs = (await asyncio.to_thread(client.get, "/v1/jobs"))["jobs"]
            assert [(job["id"], job["state"], job["heard"]) for job in jobs] == [
                ("d1.1", "running", "make a note")
            ]
            log = await asyncio.to_thread(client.get, "/v1/jobs/d1.1/log")
            assert log["log"] == "half \N{REPLACEMENT CHARACTER} a line"
            flight = await asyncio.to_thread(client.get, "/v1/flight")
            assert bytes.fromhex(flight["hex"]) == rig.flight and flight["wrong"] is None
            assert flight["log"]["reset_cause"] == "power"
            rig.flight = b"no log"
            flight = await asyncio.to_thread(client.get, "/v1/flight")
            assert flight["log"] is None and "2048" in flight["wrong"]

    run(test)


def test_notices_are_listed_and_seen(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            client = Client(rig.state)
            seqs = [
                rig.outbox.record("done", dispatch="d1", text=t, principal="engine")
                for t in ("one", "two", "3")
            ]
            rig.outbox.stored(rig.outbox.epoch, seqs[0])
            await asyncio.to_thread(client.post, f"/v1/notices/{seqs[0]}/seen")
            listed = (await asyncio.to_thread(client.get, "/v1/notices"))["notices"]
            assert [(n["text"], n["on_pin"], n["seen"]) for n in listed] == [
                ("one", True, True),
                ("two", False, False),
                ("3", False, False),
            ]
            unseen = (await asyncio.to_thread(client.get, "/v1/notices", unseen=1))["notices"]
            assert [n["text"] for n in unseen] == ["two", "3"]
            assert (await asyncio.to_thread(client.post, "/v1/notices/seen"))["seen"] == seqs[1:]
            seen = rig.log.find("notice_seen", "seq", seqs[1])
            assert seen is not None and seen.principal == "person"

    run(test)


def test_followers_get_every_event_and_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(api_module, "MAX_FOLLOWERS", 1)
        state = tmp_path / "s"
        seen: list[int] = []
        async with serving(state) as rig:
            rig.log.append("a", {}, principal="x")

            async def read() -> None:
                async for event in follow(state, 0):
                    seen.append(event["seq"])

            reading = asyncio.create_task(read())
            while not seen:
                await asyncio.sleep(0.01)
            assert (await rig.ask("GET", "/v1/events?follow=1"))[0] == 429
            with rig.log.transaction():
                for _ in range(700):
                    rig.log.append("b", {"text": "x" * 100}, principal="x")
            while len(seen) < 701:
                await asyncio.sleep(0.01)
            rig.log.append("c", {}, principal="x", dispatch="d5")
            raw = await asyncio.to_thread(_lines, state, "/v1/events?kinds=a,c&after=0")
            assert [json.loads(line)["kind"] for line in raw] == ["a", "c"]
            raw = await asyncio.to_thread(_lines, state, "/v1/events?dispatch=d5&limit=5")
            assert [json.loads(line)["seq"] for line in raw] == [702]
        # It ends with the daemon.
        await reading
        assert seen == list(range(1, 703))
        with pytest.raises(OSError):
            await anext(follow(state, 0))

    run(test)


def test_a_follower_that_does_not_read_costs_no_memory_and_holds_up_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        state = tmp_path / "s"
        async with serving(state) as rig:
            reader, writer = await asyncio.open_unix_connection(str(socket_path.find(state)), limit=1024)
            writer.write(b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: lapel\r\n\r\n")
            await writer.drain()
            with rig.log.transaction():
                for _ in range(3000):
                    rig.log.append("big", {"text": "x" * 2000}, principal="x")
            status, body = await rig.ask("GET", "/v1/status")
            assert status == 200 and body["version"] == "test"
            writer.close()
            del reader

    run(test)


def _lines(state: Path, path: str) -> list[bytes]:
    connection = http.client.HTTPConnection("lapel", timeout=5)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(socket_path.find(state)))
    connection.request("GET", path)
    return connection.getresponse().read().splitlines()
