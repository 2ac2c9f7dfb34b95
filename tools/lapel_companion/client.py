"""The daemon's local API from the other side, for the commands and for the simulator. Quick to import."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from lapel_companion import api_peer, socket_path

_TIMEOUT_S = 30.0
_MAX_LINE_BYTES = 4 * 1024 * 1024
# What a program that was given a token has it in: never in an argument, which others can see.
TOKEN_VARIABLE = "LAPEL_TOKEN"
_TOKEN = re.compile(r"[!-~]{1,200}")
_ANOTHER_USER = "what answers there belongs to another user; nothing was said to it."


class NoDaemon(Exception):
    """Nobody answers there; the text says how to start it."""


class ApiError(Exception):
    """The daemon's own sentence on what is wrong."""


class Client:
    """Requests to the daemon of one state folder, by a token, or (None) by that of LAPEL_TOKEN, or without one as the
    person. Raises NoDaemon, ApiError."""

    def __init__(self, state: Path, token: str | None = None) -> None:
        self._state = state
        self._token = os.environ.get(TOKEN_VARIABLE) if token is None else token

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON that a GET gives."""
        return self._json("GET", _with_query(path, query), None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON that a POST gives."""
        return self._json("POST", path, {} if body is None else body)

    def follow(self, after: int, **query: Any) -> Iterator[dict[str, Any]]:
        """Events with seq > `after`, and every new one, until the daemon ends."""
        given = {**query, "after": after, "follow": 1}
        connection, response = self._ask("GET", _with_query("/v1/events", given), None, None)
        try:
            while line := response.readline(_MAX_LINE_BYTES):
                yield json.loads(line)
        except (http.client.HTTPException, OSError):
            return
        finally:
            connection.close()

    def _json(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        connection, response = self._ask(method, path, body, _TIMEOUT_S)
        try:
            found = json.loads(response.read())
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise ApiError("the daemon's answer broke off; try again.") from error
        finally:
            connection.close()
        return dict(found)

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, timeout_s: float | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = _UnixConnection(socket_path.find(self._state), timeout_s)
        headers = _bearer(self._token)
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
        except _AnotherUser as error:
            connection.close()
            raise ApiError(_ANOTHER_USER) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoDaemon(no_daemon(self._state)) from error
        if response.status >= 400:
            try:
                sentence = str(json.loads(response.read(_MAX_LINE_BYTES))["error"])
            except (ValueError, KeyError, TypeError, OSError):
                sentence = f"the daemon answers {response.status}."
            connection.close()
            raise ApiError(sentence)
        return connection, response


def no_daemon(state: Path) -> str:
    """What to say when nobody answers for a state folder."""
    from lapel_companion.state import default_folder

    option = "" if state == default_folder() else f" --state {state}"
    return (
        f"the companion does not run (nobody answers for {state}). Start it with: lapel run{option}"
        "\nTo have it always: lapel service install"
    )


async def follow(state: Path, after: int = 0) -> AsyncIterator[dict[str, Any]]:
    """Events with seq > `after`, and every new one, until the daemon ends. Raises OSError without one."""
    import asyncio

    reader, writer = await asyncio.open_unix_connection(str(socket_path.find(state)), limit=_MAX_LINE_BYTES)
    try:
        if not api_peer.is_owner(writer.get_extra_info("socket")):
            raise ConnectionError(_ANOTHER_USER)
        # By HTTP/1.0 the answer is not cut into chunks: it goes on until the connection ends.
        lines = [f"GET {_with_query('/v1/events', {'after': after, 'follow': 1})} HTTP/1.0", "Host: lapel"]
        lines += [f"{name}: {value}" for name, value in _bearer(os.environ.get(TOKEN_VARIABLE)).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
        status = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
        if status != b"200":
            raise ConnectionError(f"the daemon answers {status.decode('ascii', 'replace')}")
        while (line := await reader.readuntil(b"\n")).endswith(b"\n"):
            yield json.loads(line)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        # The daemon ended in the middle of its answer, as it does.
        return
    except asyncio.LimitOverrunError as error:
        raise ConnectionError("the daemon sends a line without an end") from error
    finally:
        writer.close()


def _bearer(token: str | None) -> dict[str, str]:
    """The header that carries a token. Raises ApiError for one that is empty: who meant to act by a token must not
    become the person."""
    if token is None:
        return {}
    if not _TOKEN.fullmatch(token):
        raise ApiError(f"what {TOKEN_VARIABLE} (or standard input) holds is no token; lapel token add makes one.")
    return {"Authorization": f"Bearer {token}"}


def _with_query(path: str, query: dict[str, Any]) -> str:
    given = {key: value for key, value in query.items() if value is not None}
    text = urlencode(given, quote_via=quote)
    return f"{path}?{text}" if text else path


class _AnotherUser(Exception):
    """Somebody else's process has our place."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float | None) -> None:
        super().__init__("lapel", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
        if not api_peer.is_owner(self.sock):
            raise _AnotherUser
