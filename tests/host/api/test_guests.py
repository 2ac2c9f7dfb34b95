"""The second socket: for who has a token, and nobody is the person there."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from lapel_companion import api_guests, api_server
from lapel_companion.client import ApiError, Client
from tests.host.api.raw import connect, get, post, talk
from tests.host.api.test_tokens import bearer, token_of
from tests.host.companion.companion_api import Rig, served
from tests.host.companion.companion_fakes import run

STATUS = "/v1/status"


def test_nobody_is_the_person_there(tmp_path: Path) -> None:
    """A sandbox that has this folder and no more of the state can do what its token allows, and that is all."""

    async def test(rig: Rig) -> None:
        token = await token_of(rig, "agent", "read")
        door = rig.state / api_guests.FOLDER
        assert stat.S_IMODE(door.stat().st_mode) == 0o700
        assert stat.S_IMODE((door / "api.sock").stat().st_mode) == 0o600
        for request in (
            get(STATUS),
            get("/v1/tokens"),
            get("/nowhere"),
            post("/v1/say", b'{"text": "x"}'),
            post("/v1/tokens", b'{"name": "more", "scopes": ["read"]}'),
            post("/v1/key", b"{}"),
        ):
            reply = await talk(door, request)
            assert reply.status == 401 and "a token" in reply.refused()
            assert reply.headers["www-authenticate"] == "Bearer"
        assert (await talk(door, get(STATUS, bearer(token)))).status == 200
        assert (await talk(door, get(STATUS, "Authorization: Bearer x"))).status == 401
        assert (await talk(door, post("/v1/say", b'{"text": "x"}', bearer(token)))).status == 403
        assert (await talk(door, get("/v1/tokens", bearer(token)))).status == 403
        # As strict as the first one.
        assert (await talk(door, get(STATUS, bearer(token), host=b"Host: evil.example\r\n"))).status == 421
        assert (await talk(door, get(STATUS, bearer(token), "Origin: http://localhost"))).status == 403
        assert not rig.engine.asked
        # A client takes the folder for a state folder.
        assert (await asyncio.to_thread(Client(door, token).get, STATUS))["version"] == "test"
        with pytest.raises(ApiError, match="who has a token"):
            await asyncio.to_thread(Client(door).get, STATUS)

    served(test, tmp_path)


def test_who_takes_all_its_places_keeps_nobody_from_the_first_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_server, "MAX_CONNECTIONS", 4)

    async def test(rig: Rig) -> None:
        token = await token_of(rig, "agent", "read")
        door = rig.state / api_guests.FOLDER
        held: list[socket.socket] = []
        for _ in range(4):
            held.append(connect(door))
            held[-1].sendall(get("/v1/events?follow=1", bearer(token)))
        while rig.api._guests.connections < 4:
            await asyncio.sleep(0.01)
        assert (await talk(door, get(STATUS, bearer(token)))).status == 503
        status = await talk(rig.state, get(STATUS))
        assert status.status == 200 and status.body["api"]["connections"] == 5
        # Nor from taking its token away, which ends all of them.
        assert (await talk(rig.state, post("/v1/tokens/agent/remove", b""))).status == 200
        while rig.api._guests.connections:
            await asyncio.sleep(0.01)
        assert (await talk(door, get(STATUS, bearer(token)))).status == 401
        for one in held:
            one.close()

    served(test, tmp_path)


def test_both_are_gone_when_it_ends(tmp_path: Path) -> None:
    folders: list[Path] = []

    async def test(rig: Rig) -> None:
        folders.extend((rig.state, rig.state / api_guests.FOLDER))
        assert all((folder / "api.sock").exists() for folder in folders)

    served(test, tmp_path)
    assert len(folders) == 2 and not any((folder / "api.sock").exists() for folder in folders)


def test_a_start_that_fails_half_way_leaves_no_socket(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path / "s")
        (rig.state / api_guests.FOLDER).write_text("a file in its place")
        with pytest.raises(OSError):
            await rig.api.start(rig.state)
        await rig.api.close()
        assert not (rig.state / "api.sock").exists()
        rig.log.close()

    run(test)
