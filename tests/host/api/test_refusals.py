"""What the local API refuses: other hosts, web pages, odd requests; always by one sentence."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import pytest

from lapel_companion import api_server
from lapel_companion.api_request import MAX_FIELDS, MAX_HEAD_BYTES, MAX_TARGET_BYTES
from tests.host.api.raw import HOST, Reply, connect, get, post, read_all, talk
from tests.host.companion.companion_api import Rig, serving
from tests.host.companion.companion_fakes import run

STATUS = "/v1/status"


def host(*values: str) -> bytes:
    return "".join(f"Host: {value}\r\n" for value in values).encode()


def test_only_our_own_names_are_hosts(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            good_ones = ("lapel", "LAPEL", "lapel:80", "localhost", "localhost:8080", "127.0.0.1:1", "[::1]", "[::1]:1")
            for good in good_ones:
                assert (await talk(rig.state, get(STATUS, host=host(good)))).status == 200, good
            bad = ["", "evil.example", "lapel.evil.example", "lapel:", "lapel:x", "lapel:123456", "127.0.0.1.nip.io"]
            bad += ["[::1]:", "[::1]x", "[0:0:0:0:0:0:0:1]", "[::1%lo]", "[::ffff:127.0.0.1]", "127.1", "2130706433"]
            bad += ["lapel:80:80", "lapel:-1", "lapel evil", "lapel\tevil", "http://lapel", "lapel#x", "LAPEL."]
            bad += ["localhost.", "evil@lapel", "[::1", "::1", "127.0.0.2", "lapel/", "0.0.0.0", "lapel, evil"]
            for one in bad:
                reply = await talk(rig.state, get(STATUS, host=host(one)))
                assert reply.status == 421 and "Host" in reply.refused(), one
            for several in (host(), host("lapel", "lapel"), host("lapel", "evil.example"), b"host: lapel\r\n" + HOST):
                reply = await talk(rig.state, get(STATUS, host=several))
                assert reply.status == 421 and reply.refused()

    run(test)


def test_web_pages_are_refused_and_never_allowed(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            for field in (
                "Origin: http://evil.example",
                "Origin: null",
                "Origin:",
                "Origin: http://lapel",
                "Origin: http://localhost:3000",
                "origin: chrome-extension://abc",
                "Sec-Fetch-Site: cross-site",
                "Sec-Fetch-Site: same-site",
                "Sec-Fetch-Site: same-origin",
                # To a page of plain http, or through a proxy that writes our Host, these are all that tell.
                "Referer: http://evil.example/",
                "Cookie: a=b",
                "Via: 1.1 proxy",
                "Forwarded: host=evil.example",
                "X-Forwarded-Host: evil.example",
                "x-forwarded-for: 192.0.2.1",
                # A page's sockets: none is ever opened.
                "Upgrade: websocket",
                "Upgrade: h2c",
            ):
                for request in (get(STATUS, field), post("/v1/say", b'{"text": "x"}', field)):
                    reply = await talk(rig.state, request)
                    assert reply.status == 403 and reply.refused() == "this is not for web pages.", field
            preflight = get("/v1/say", "Origin: http://e", "Access-Control-Request-Method: POST")
            preflight = preflight.replace(b"GET", b"OPTIONS")
            assert (await talk(rig.state, preflight)).status == 403
            assert not rig.engine.asked
            good = await talk(rig.state, get(STATUS, "Sec-Fetch-Site: none"))
            for reply in (good, await talk(rig.state, get("/nowhere")), await talk(rig.state, preflight)):
                assert not any(name.startswith("access-control") for name in reply.headers)
                assert reply.headers["cache-control"] == "no-store"
                assert reply.headers["x-content-type-options"] == "nosniff"
                assert "server" not in reply.headers

    run(test)


ODD = {
    "not HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "bare line feeds": b"GET /v1/status HTTP/1.1\nHost: lapel\n\n",
    "one bare line feed": b"GET /v1/status HTTP/1.1\r\nHost: lapel\nX: y\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a small method": b"get /v1/status HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute address": b"GET http://lapel/v1/status HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute address of another": b"GET http://evil.example/v1/status HTTP/1.1\r\n" + HOST + b"\r\n",
    "an authority": b"CONNECT lapel:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a fragment": get(STATUS + "#x"),
    "a backslash": get("/v1\\status"),
    "an escaped slash": get("/v1%2fstatus"),
    "HTTP/0.9": b"GET /v1/status\r\n\r\n",
    "HTTP/1.0 without a host": b"GET /v1/status HTTP/1.0\r\n\r\n",
    "HTTP/1.2": b"GET /v1/status HTTP/1.2\r\n" + HOST + b"\r\n",
    "an empty line before it": b"\r\n" + get(STATUS),
    "no address": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n",
    "a folded field": get(STATUS, "X: a", " b"),
    "a field without a colon": get(STATUS, "X"),
    "a space before the colon": get(STATUS, "X : a"),
    "a control character": get(STATUS, "X: a\x01b"),
    "a zero byte": get(STATUS, "X: a\x00"),
    "no ASCII": get(STATUS, "X: ä"),
    "chunks": get(STATUS, "Transfer-Encoding: chunked"),
    "chunks and a length": post("/v1/say", b"{}", "Transfer-Encoding: chunked"),
    "chunks by another name": post("/v1/say", b"{}", "Transfer-Encoding: identity, chunked"),
    "the same length twice": post("/v1/say", b"{}", "Content-Length: 2"),
    "a list of lengths": post("/v1/say", b"{}").replace(b"Length: 2", b"Length: 2, 2"),
    "a length with a sign": post("/v1/say", b"{}").replace(b"Length: 2", b"Length: +2"),
    "a length in hex": post("/v1/say", b"{}").replace(b"Length: 2", b"Length: 0x2"),
    "an empty length": post("/v1/say", b"").replace(b"Length: 0", b"Length:"),
    "two kinds of body": post("/v1/say", b"{}", "Content-Type: text/plain"),
    "a request behind a body": post("/v1/say", b"{}") + get(STATUS),
    "a token in the address": get(STATUS + "?access_token=lapel_x"),
    "two lengths": post("/v1/say", b"{}", "Content-Length: 3"),
    "a negative length": get(STATUS, "Content-Length: -1"),
    "a long length": get(STATUS, "Content-Length: " + "9" * 200),
    "a body of a GET": get(STATUS, "Content-Length: 2") + b"{}",
    "two requests": get(STATUS) + get(STATUS),
    "too many fields": get(STATUS, *(f"X{n}: y" for n in range(MAX_FIELDS))),
    "a long field": get(STATUS, "X: " + "y" * MAX_HEAD_BYTES),
    "spaces without an end": b"GET / HTTP/1.1\r\nX:" + b" " * 8000 + b"\x01\r\n\r\n",
    "a long address": get("/" + "a" * MAX_TARGET_BYTES),
    "an expectation": get(STATUS, "Expect: miracles"),
    "two authorizations": get(STATUS, "Authorization: Bearer a", "Authorization: Bearer b"),
    "bad UTF-8 in the query": get(STATUS + "?limit=%ff"),
    "a key twice": get("/v1/jobs?limit=1&limit=2"),
    "an unknown key": get("/v1/jobs?limits=1"),
    "a query of nothing": get("/v1/jobs?&&"),
    "no number": get("/v1/jobs?limit=%D9%A1"),
    "no flag": get("/v1/notices?unseen=perhaps"),
    "odd kinds": get("/v1/events?kinds=a'b"),
    "an escape in the path": get("/v1/jobs/%2e%2e"),
    "up the tree": get("/v1/clips/../../etc/passwd.wav"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_requests_are_refused_by_a_sentence(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who waited for something would do so longer than the test.
    monkeypatch.setattr(api_server, "HEAD_S", 600.0)
    monkeypatch.setattr(api_server, "BODY_S", 600.0)

    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            reply = await talk(rig.state, ODD[name])
            assert 400 <= reply.status < 500, reply.raw
            assert reply.refused()
            assert (await talk(rig.state, get(STATUS))).body["api"]["refused"] == 1
            assert not rig.said

    run(test)


def test_each_address_has_its_methods(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            for method in ("HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "POST", "BREW"):
                reply = await talk(rig.state, get(STATUS).replace(b"GET", method.encode()))
                assert reply.status == 405 and "takes GET only" in reply.refused() and "allow" in reply.headers, method
            assert (await talk(rig.state, get("/v1/say"))).status == 405
            for nowhere in ("/", "/v1", "/v2/status", "/v1/status/", "//v1/status", "/v1/jobs//log", "/v1/STATUS"):
                assert (await talk(rig.state, get(nowhere))).status == 404, nowhere

    run(test)


def test_a_mistake_of_ours_is_a_sentence_that_tells_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:

            async def broken(*_: object, **__: object) -> str:
                raise KeyError("the secret of somebody")

            rig.engine.say = broken  # type: ignore[method-assign]
            reply = await talk(rig.state, post("/v1/say", b'{"text": "x"}'))
            assert reply.status == 500 and "mistake in Lapel" in reply.refused() and b"secret" not in reply.raw
            assert len(rig.said) == 1 and "KeyError at test_refusals.py:" in rig.said[0] and "secret" not in rig.said[0]
            assert (await talk(rig.state, get(STATUS))).status == 200

    run(test)


def test_expectations_and_the_older_version_are_met(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            whole = post("/v1/say", b'{"text": "x"}', "Expect: 100-continue")
            head, _, body = whole.partition(b"\r\n\r\n")

            def ask() -> bytes:
                with connect(rig.state) as connection:
                    connection.sendall(head + b"\r\n\r\n")
                    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
                    connection.sendall(body)
                    return read_all(connection)

            assert Reply(await asyncio.to_thread(ask)).status == 200
            rig.log.append("a", {}, principal="x")
            old = await talk(rig.state, get("/v1/events").replace(b"1.1", b"1.0"))
            assert "transfer-encoding" not in old.headers
            assert [json.loads(line)["kind"] for line in old.body.splitlines()] == ["dispatch", "a"]

    run(test)


def test_noise_never_gets_through(tmp_path: Path) -> None:
    """Requests with some bytes changed, doubled, left out: an answer of ours or none, and it works afterwards."""
    chance = random.Random(5)

    def spoilt(rig: Rig) -> bytes:
        good = [get("/v1/events?limit=5&kinds=job"), post("/v1/say", b'{"text": "make a note"}'), get(STATUS)]
        data = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randrange(1, 9)]
                case 2:
                    data[place:place] = chance.choice([b"\r\n", b"\n", b"\x00", b"%", b'"', b"{", b"Host: x\r\n", b" "])
                case _:
                    data[place:place] = data[: chance.randrange(40)]
        return bytes(data) or b"x"

    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            for _ in range(300):
                data = spoilt(rig)
                # Its end is said, so that nothing is waited for.
                def ask(data: bytes = data) -> Reply:
                    import socket

                    with connect(rig.state) as connection:
                        connection.sendall(data)
                        connection.shutdown(socket.SHUT_WR)
                        return Reply(read_all(connection))

                reply = await asyncio.to_thread(ask)
                assert reply.status == 200 or (400 <= reply.status < 500 and reply.refused()), (data, reply.raw)
            assert not rig.said
            assert (await talk(rig.state, get(STATUS))).status == 200

    run(test)
