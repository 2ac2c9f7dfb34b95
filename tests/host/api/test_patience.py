"""Who is slow, breaks off, takes nothing or comes in crowds holds up nobody."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from lapel_companion import api_server, api_threads, views
from tests.host.api.raw import Reply, connect, get, post, read_all, talk
from tests.host.api.test_tokens import bearer, token_of
from tests.host.companion.companion_api import serving
from tests.host.companion.companion_fakes import run

STATUS = "/v1/status"


def test_slow_senders_are_cut_off_and_hold_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(api_server, "HEAD_S", 0.3)
        monkeypatch.setattr(api_server, "BODY_S", 0.3)
        async with serving(tmp_path / "s") as rig:

            def drip() -> Reply:
                """A byte now and then, for ever: each one is progress, and yet it ends."""
                found = b""
                with connect(rig.state) as slow:
                    slow.settimeout(0.02)
                    for byte in get(STATUS, "X: " + "y" * 4000):
                        try:
                            slow.send(bytes([byte]))
                            found = slow.recv(65536)
                            break
                        except TimeoutError:
                            continue
                        except (BrokenPipeError, ConnectionResetError):
                            break
                    return Reply(found)

            dripping = asyncio.create_task(asyncio.to_thread(drip))
            assert (await talk(rig.state, get(STATUS))).status == 200
            assert (await dripping).status == 408
            short = await talk(rig.state, post("/v1/say", b"{}").replace(b"Length: 2", b"Length: 9"))
            assert short.status == 408 and "0.3 s" in short.refused()
            assert not rig.engine.asked

    run(test)


def test_a_request_that_breaks_off_does_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:

            def half(data: bytes) -> bytes:
                import socket

                with connect(rig.state) as connection:
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    return read_all(connection)

            whole = post("/v1/say", b'{"text": "x"}')
            for many in (1, 20, len(whole) - 1):
                reply = Reply(await asyncio.to_thread(half, whole[:many]))
                assert reply.status == 400 and "broke off" in reply.refused()
            assert await asyncio.to_thread(half, b"") == b"" and not rig.engine.asked
            # Who only says that it has said everything gets its answer.
            assert Reply(await asyncio.to_thread(half, whole)).status == 200

    run(test)


def test_connections_are_bounded_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(api_server, "MAX_CONNECTIONS", 4)
        async with serving(tmp_path / "s") as rig:
            idle = [connect(rig.state) for _ in range(4)]
            while rig.api._server.connections < 4:
                await asyncio.sleep(0.01)
            reply = await talk(rig.state, get(STATUS))
            assert reply.status == 503 and "try again" in reply.refused()
            for one in idle:
                one.close()
            while rig.api._server.connections:
                await asyncio.sleep(0.01)
            assert (await talk(rig.state, get(STATUS))).status == 200

    run(test)


def test_who_takes_nothing_of_an_answer_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(api_server, "STALL_S", 0.2)
        async with serving(tmp_path / "s") as rig:
            with rig.log.transaction():
                for _ in range(2000):
                    rig.log.append("big", {"text": "x" * 2000}, principal="x")
            for path in ("/v1/events?limit=10000", "/v1/events?follow=1"):
                stalled = connect(rig.state)
                stalled.sendall(get(path))
                while not rig.api._server.connections:
                    await asyncio.sleep(0.01)
                while rig.api._server.connections:
                    await asyncio.sleep(0.01)
                assert (await talk(rig.state, get(STATUS))).body["api"]["followers"] == 0
                stalled.close()

    run(test)


def test_who_asks_for_much_does_not_hold_up_what_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recordings are written in threads, too, of which there are few."""
    go_on, asked = threading.Event(), threading.Semaphore(0)

    def slow(*_: object) -> list[object]:
        asked.release()
        go_on.wait(60)
        return []

    monkeypatch.setattr(views, "dispatches", slow)

    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            token = await token_of(rig, "agent", "read")
            held = [connect(rig.state) for _ in range(50)]
            for one in held:
                one.sendall(get("/v1/dispatches", bearer(token)))
            while rig.api._server.connections < len(held):
                await asyncio.sleep(0.01)
            for _ in range(api_threads.THREADS):
                assert await asyncio.to_thread(asked.acquire)
            # Whatever the computer has, all of these go through meanwhile.
            assert await asyncio.gather(*(asyncio.to_thread(int, "7") for _ in range(40))) == [7] * 40
            # And a token's questions do not hold up the person's.
            assert (await talk(rig.state, get(STATUS))).status == 200
            assert not go_on.is_set() and rig.api._server.connections == len(held)
            go_on.set()
            for one in held:
                assert Reply(await asyncio.to_thread(read_all, one)).status == 200
                one.close()

    run(test)
