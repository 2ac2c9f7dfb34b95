"""The daemon's local API from the other side, for the commands and for the simulator. Quick to import."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from lapel_companion import socket_path

_TIMEOUT_S = 30.0
_MAX_LINE_BYTES = 4 * 1024 * 1024


class NoDaemon(Exception):
    """Nobody answers there; the text says how to start it."""


class ApiError(Exception):
    """The daemon's own sentence on what is wrong."""


class Client:
    """Requests to the daemon of one state folder. Raises NoDaemon, ApiError."""

    def __init__(self, state: Path) -> None:
        self._state = state

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
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoDaemon(no_daemon(self._state)) from error
        if response.status >= 400:
            try:
                sentence = str(json.loads(response.read())["error"])
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
    import aiohttp

    connector = aiohttp.UnixConnector(str(socket_path.find(state)))
    limits = aiohttp.ClientTimeout(total=None)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=limits) as session:
            address = _with_query("http://lapel/v1/events", {"after": after, "follow": 1})
            async with session.get(address) as response:
                if response.status != 200:
                    raise ConnectionError(f"the daemon answers {response.status}")
                async for line in _lines(response.content):
                    yield json.loads(line)
    except aiohttp.ClientPayloadError:
        # The daemon ended in the middle of its answer, as it does.
        return
    except aiohttp.ClientError as error:
        raise ConnectionError(str(error)) from error


async def _lines(stream: Any) -> AsyncIterator[bytes]:
    held = b""
    async for piece in stream.iter_any():
        *lines, held = (held + piece).split(b"\n")
        for line in lines:
            yield line
        if len(held) > _MAX_LINE_BYTES:
            raise ConnectionError("the daemon sends a line without an end")


def _with_query(path: str, query: dict[str, Any]) -> str:
    given = {key: value for key, value in query.items() if value is not None}
    text = urlencode(given, quote_via=quote)
    return f"{path}?{text}" if text else path


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float | None) -> None:
        super().__init__("lapel", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
