"""Tokens: what each scope opens, what is refused, and that one that was removed opens nothing any more."""

from __future__ import annotations

import asyncio
import hmac
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import api, durable
from lapel_companion.tokens import MAX_TOKENS, SCOPES, Token, TokenError, Tokens
from tests.host.api.raw import Reply, connect, get, post, read_all, talk
from tests.host.companion.companion_api import Rig, served
from tests.host.companion.companion_fakes import run


async def token_of(rig: Rig, name: str, *scopes: str) -> str:
    made = await talk(rig.state, post("/v1/tokens", json.dumps({"name": name, "scopes": scopes}).encode()))
    assert made.status == 200, made.raw
    return str(made.body["token"])


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


# What each request needs; the status that it has when it is let in.
NEEDS: list[tuple[str, str, dict[str, Any] | None, int]] = [
    ("read", "/v1/status", None, 200),
    ("read", "/v1/events", None, 200),
    ("read", "/v1/dispatches", None, 200),
    ("read", "/v1/dispatches/d9", None, 404),
    ("read", "/v1/jobs", None, 200),
    ("read", "/v1/jobs/d9.1", None, 404),
    ("read", "/v1/jobs/d9.1/log", None, 404),
    ("read", "/v1/notices", None, 200),
    ("audio", "/v1/clips/0a0b0c0d-00112233445566aa-1.wav", None, 404),
    ("say", "/v1/say", {"text": "make a note"}, 200),
    ("answer", "/v1/release", {"dispatch": "d9"}, 409),
    ("answer", "/v1/cancel", {"dispatch": "d9"}, 200),
    ("answer", "/v1/notices/seen", {}, 200),
    ("answer", "/v1/notices/7/seen", {}, 404),
    ("pin", "/v1/flight", None, 200),
]


def asked(path: str, body: dict[str, Any] | None, *fields: str) -> bytes:
    return get(path, *fields) if body is None else post(path, json.dumps(body).encode(), *fields)


def test_a_scope_opens_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        tokens = {scope: await token_of(rig, scope, scope) for scope in SCOPES}
        for needed, path, body, status in NEEDS:
            for scope, token in tokens.items():
                reply = await talk(rig.state, asked(path, body, bearer(token)))
                if scope == needed:
                    assert reply.status == status, (scope, path, reply.raw)
                else:
                    assert reply.status == 403 and f"lacks the scope {needed} " in reply.refused(), (scope, path)
        # Better words are another task: they need both.
        body = {"dispatch": "d1", "text": "remove everything"}
        refused = await talk(rig.state, asked("/v1/release", body, bearer(tokens["answer"])))
        assert refused.status == 403 and "scope say" in refused.refused()
        both = await token_of(rig, "both", "answer", "say")
        assert (await talk(rig.state, asked("/v1/release", body, bearer(both)))).status == 200
        assert {principal for *_, principal in rig.engine.asked} == {"token:say", "token:answer", "token:both"}
        said = rig.log.last("dispatch")
        assert said is not None and said.principal == "token:say"

    served(test, tmp_path)


def test_no_token_manages_tokens(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        token = await token_of(rig, "everything", *SCOPES)
        for request in (
            asked("/v1/tokens", None, bearer(token)),
            asked("/v1/tokens", {"name": "more", "scopes": ["read"]}, bearer(token)),
            asked("/v1/tokens/everything/remove", {}, bearer(token)),
        ):
            reply = await talk(rig.state, request)
            assert reply.status == 403 and "a token cannot" in reply.refused()
        listed = await talk(rig.state, get("/v1/tokens"))
        assert [one["name"] for one in listed.body["tokens"]] == ["everything"]

    served(test, tmp_path)


def test_a_token_that_is_none_is_refused_also_for_the_owner(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        token = await token_of(rig, "agent", "read")
        for field in (
            "Authorization:",
            "Authorization: Bearer",
            "Authorization: Bearer ",
            "Authorization: Basic dXNlcjpwYXNz",
            f"Authorization: {token}",
            f"Authorization: Bearer {token}x",
            f"Authorization: Bearer {token[:-1]}",
            f"Authorization: Bearer {token.swapcase()}",
            f"Authorization: Bearer {token} {token}",
            "Authorization: Bearer " + "a" * 4000,
            "Authorization: Bearer lapel_" + "A" * 43,
        ):
            reply = await talk(rig.state, get("/v1/status", field))
            assert reply.status == 401 and reply.headers["www-authenticate"] == "Bearer", field
            assert token not in reply.refused()
        assert (await talk(rig.state, get("/v1/status", f"authorization: bearer {token}"))).status == 200
        # Its digest opens nothing.
        digest = json.loads((rig.state / "tokens.json").read_bytes())["tokens"][0]["sha256"]
        assert (await talk(rig.state, get("/v1/status", bearer(digest)))).status == 401

    served(test, tmp_path)


def test_only_the_digest_is_kept_and_it_lasts(tmp_path: Path) -> None:
    kept: list[str] = []

    async def first(rig: Rig) -> None:
        kept.append(await token_of(rig, "agent", "say", "read"))
        assert stat.S_IMODE((rig.state / "tokens.json").stat().st_mode) == 0o600
        for path in rig.state.rglob("*"):
            if path.is_file():
                assert kept[0].encode() not in path.read_bytes(), path
        reply = await talk(rig.state, get("/v1/tokens"))
        assert kept[0].encode() not in reply.raw and b"sha256" not in reply.raw
        assert reply.body["tokens"][0]["scopes"] == ["read", "say"]

    async def second(rig: Rig) -> None:
        assert (await talk(rig.state, get("/v1/status", bearer(kept[0])))).status == 200

    served(first, tmp_path / "a")
    (tmp_path / "b" / "s").mkdir(parents=True)
    (tmp_path / "b" / "s" / "tokens.json").write_bytes((tmp_path / "a" / "s" / "tokens.json").read_bytes())
    served(second, tmp_path / "b")


def test_removing_a_token_ends_what_goes_on_by_it(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        token, other = await token_of(rig, "agent", "read"), await token_of(rig, "other", "read")

        def follower(*fields: str) -> asyncio.Task[bytes]:
            def work() -> bytes:
                with connect(rig.state) as connection:
                    connection.sendall(get("/v1/events?follow=1", *fields))
                    return read_all(connection)

            return asyncio.create_task(asyncio.to_thread(work))

        by_token, by_other, by_person = follower(bearer(token)), follower(bearer(other)), follower()
        while (await talk(rig.state, get("/v1/status"))).body["api"]["followers"] < 3:
            await asyncio.sleep(0.01)
        assert (await talk(rig.state, post("/v1/tokens/agent/remove", b""))).status == 200
        rig.log.append("later", {}, principal="x")
        assert b"later" not in await by_token
        assert (await talk(rig.state, get("/v1/status", bearer(token)))).status == 401
        assert (await talk(rig.state, get("/v1/status"))).body["api"]["followers"] == 2
        assert (await talk(rig.state, get("/v1/status", bearer(other)))).status == 200
        again = await talk(rig.state, post("/v1/tokens/agent/remove", b""))
        assert again.status == 409 and "there is no token agent" in again.refused()
        await rig.api.close()
        assert b"later" in await by_other and b"later" in await by_person

    served(test, tmp_path)


def test_a_token_that_follows_leaves_places_for_others(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        token = await token_of(rig, "agent", "read")
        open_ones = []
        for many in range(1, 9):
            open_ones.append(connect(rig.state))
            open_ones[-1].sendall(get("/v1/events?follow=1", bearer(token)))
            while (await talk(rig.state, get("/v1/status"))).body["api"]["followers"] < many:
                await asyncio.sleep(0.01)
        reply = await talk(rig.state, get("/v1/events?follow=1", bearer(token)))
        assert reply.status == 429 and "8 times" in reply.refused()
        for one in open_ones:
            one.close()

    served(test, tmp_path)


def test_a_token_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_WRITES_A_DAY", 3)

    async def test(rig: Rig) -> None:
        token, other = await token_of(rig, "mad", "say", "read"), await token_of(rig, "other", "say")
        say = {"text": "make a note"}
        for status in (200, 200, 200, 429, 429):
            assert (await talk(rig.state, asked("/v1/say", say, bearer(token)))).status == status
        assert len(rig.engine.asked) == 3
        # It may look on, and nobody else has less.
        assert (await talk(rig.state, get("/v1/status", bearer(token)))).status == 200
        assert (await talk(rig.state, asked("/v1/say", say, bearer(other)))).status == 200
        for _ in range(5):
            assert (await talk(rig.state, asked("/v1/say", say))).status == 200

    served(test, tmp_path)


def test_names_and_scopes_are_checked(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await token_of(rig, "agent", "read")
        for name, scopes in (
            ("agent", ["read"]),
            ("", ["read"]),
            ("A", ["read"]),
            ("a b", ["read"]),
            ("../x", ["read"]),
            ("x" * 33, ["read"]),
            ("ok", []),
            ("ok", ["owner"]),
            ("ok", ["read", "root"]),
        ):
            reply = await talk(rig.state, asked("/v1/tokens", {"name": name, "scopes": scopes}))
            assert reply.status == 409 and reply.refused(), (name, scopes)
        for number in range(MAX_TOKENS - 1):
            await token_of(rig, f"n{number}", "read")
        reply = await talk(rig.state, asked("/v1/tokens", {"name": "more", "scopes": ["read"]}))
        assert reply.status == 409 and f"{MAX_TOKENS} tokens" in reply.refused()

    served(test, tmp_path)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b'{"tokens": [{}]}',
        b'{"tokens": [{"name": 1, "scopes": [], "sha256": "", "made": 0}]}',
        b"[" * 60_000,
    ],
)
def test_of_a_damaged_file_no_token_counts_and_it_is_said(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "tokens.json").write_bytes(damaged)
    tokens = Tokens(tmp_path)
    said = tokens.load()
    assert said is not None and "no token counts" in said and tokens.all() == []


def test_a_full_disk_makes_no_token_and_still_takes_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        tokens = Tokens(tmp_path)
        _, secret = await tokens.add("agent", ["read"])

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(durable, "write_atomic", full)
            with pytest.raises(OSError):
                await tokens.add("more", ["read"])
            assert [token.name for token in tokens.all()] == ["agent"]
            with pytest.raises(OSError):
                await tokens.remove("agent")
            assert tokens.find(secret) is None
        # It is still in the file: removing it again is no mistake.
        await tokens.remove("agent")
        again = Tokens(tmp_path)
        assert again.load() is None and again.all() == []
        with pytest.raises(TokenError):
            await tokens.remove("agent")

    run(test)


def test_each_token_is_compared_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        tokens = Tokens(tmp_path)
        secrets = [(await tokens.add(f"n{n}", ["read"]))[1] for n in range(5)]
        compared: list[str] = []
        real = hmac.compare_digest

        def compare(one: str, other: str) -> bool:
            compared.append(one)
            return real(one, other)

        monkeypatch.setattr(hmac, "compare_digest", compare)
        found = tokens.find(secrets[0])
        assert isinstance(found, Token) and found.name == "n0" and len(compared) == 5

    run(test)


def test_a_token_that_was_refused_is_a_reply_like_any_other(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        # Before the address is looked at: who is not let in learns nothing of what is there.
        reply: Reply = await talk(rig.state, get("/nowhere", "Authorization: Bearer x"))
        assert reply.status == 401

    served(test, tmp_path)
