"""The local API: heads and bodies of requests, whole conversations over its socket, and the files of its secrets."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from lapel_companion import api_json, api_request, pairing, tokens
from tests.fuzz import paths
from tests.fuzz.host_targets.said import file
from tests.host.companion import companion_api

_MOST_BYTES = 1 << 20
_LONGEST_S = 15.0
ROUTES = (
    b"say", b"release", b"cancel", b"notices/seen", b"notices/1/seen", b"tokens", b"tokens/a/remove",
)  # fmt: skip


def api_head(data: bytes) -> str:
    """Bytes as the head of a request."""
    try:
        found = api_request.read_head(data)
    except api_request.Refused as refused:
        return f"{refused.status}"
    assert 0 <= found.body_bytes <= api_request.MAX_BODY_BYTES and found.path.startswith("/")
    return f"{found.method} {found.path} {sorted(found.query.items())} {found.body_bytes}"


def api_body(data: bytes) -> str:
    """Bytes as JSON from outside. What is taken is plain, flat and finite."""
    try:
        found = api_json.read(data)
    except api_request.Refused as refused:
        return f"{refused}"
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    try:
        fields = api_json.fields(data, {"text": str}, {"scopes": list})
    except api_request.Refused:
        return "no object of ours"
    fields["text"].encode("utf-8")
    return f"{sorted(fields)}"


class _Engine(companion_api.FakeEngine):
    """Keeps nothing of what it is asked."""

    async def say(self, text: str, *, principal: str = "person") -> str:
        return "d2"

    async def release(self, dispatch_id: str, text: str | None = None, *, principal: str = "person") -> None:
        return None


class _Served:
    """An API on a socket in memory, and the loop that it runs in."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.rig = companion_api.Rig(Path(tempfile.mkdtemp(prefix="lapel-fuzz-", dir=paths.memory())))
        self.rig.api._backend.engine = _Engine(self.rig.log)  # type: ignore[assignment]
        self.path = self.loop.run_until_complete(self.rig.api.start(self.rig.state))

    def ask(self, data: bytes) -> bytes:
        return self.loop.run_until_complete(self._ask(data))

    async def _ask(self, data: bytes) -> bytes:
        async with asyncio.timeout(_LONGEST_S):
            reader, writer = await asyncio.open_unix_connection(str(self.path))
            writer.write(data)
            writer.write_eof()
            found = b""
            try:
                while piece := await reader.read(65536):
                    found += piece
                    assert len(found) <= _MOST_BYTES
            except ConnectionError:
                found += b"(cut off)"
            writer.close()
            return found


_served: dict[int, _Served] = {}


def _api() -> _Served:
    # One for a process: a target under test is forked now and then.
    if os.getpid() not in _served:
        _served[os.getpid()] = _Served()
    return _served[os.getpid()]


def api_bytes(data: bytes) -> str:
    """Bytes to the socket. The answer is HTTP, an error is a sentence, and nothing fails by a mistake of ours."""
    served = _api()
    answer = served.ask(data)
    assert not served.rig.said, served.rig.said
    assert served.rig.api._server.connections <= 1
    if not answer:
        return "nothing"
    line, _, rest = answer.partition(b"\r\n")
    status = int(line.split()[1])
    assert line.startswith(b"HTTP/1.1 ") and status != 500
    if status >= 400:
        assert set(_json(rest)) == {"error"}
    return str(status)


def _json(rest: bytes) -> dict[str, Any]:
    found = json.loads(rest.partition(b"\r\n\r\n")[2])
    assert isinstance(found, dict)
    return found


def api_posts(data: bytes) -> str:
    """A body to one of the routes that take one: the first byte says to which."""
    route = ROUTES[data[0] % len(ROUTES)] if data else ROUTES[0]
    head = b"POST /v1/%b HTTP/1.1\r\nHost: lapel\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return api_bytes(head % (route, len(data[1:])) + data[1:])


def token_file(data: bytes) -> str:
    """The file of the tokens: a damaged one means that none counts."""
    path = file(data, tokens.FILE)
    known = tokens.Tokens(path.parent)
    trouble = known.load()
    assert trouble is None or not known.all()
    return trouble.partition(" ")[2] if trouble else f"{[token.public() for token in known.all()]}"


def key_file(data: bytes) -> str:
    """The file of the pin's key."""
    path = file(data, pairing.FILE)
    path.chmod(0o600)
    store = pairing.KeyFile(path.parent)
    try:
        key = store.load()
    except pairing.PairingError as error:
        assert len(data) < 40 or data[10:40].decode("ascii", "replace") not in str(error)
        return "refused"
    assert key is not None
    store.save(key)
    assert store.load() == key
    return f"{key.generation}"
