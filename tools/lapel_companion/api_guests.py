"""The local API's second socket: for programs that were given a token. Nobody is the person there, and who fills all of
its places keeps nobody from the first one.

It lies in a folder of its own, which can be shown to a sandbox, and which a client takes for a state folder.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from lapel_companion import socket_path
from lapel_companion.api_answer import Answer, Stream
from lapel_companion.api_request import Refused, Request
from lapel_companion.api_server import Connection, Door

FOLDER = "tokens"


class Guests:
    """What a request meets there, before it meets `door`. See api_server.Door."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def enter(self, request: Request, connection: Connection) -> Callable[[bytes], Awaitable[Answer | Stream]]:
        if request.credential is None:
            raise Refused(401, "this socket is for who has a token; send it as Authorization: Bearer.")
        return self._door.enter(request, connection)

    def sentence(self, error: Exception) -> Refused | None:
        return self._door.sentence(error)


def place(state: Path) -> Path:
    """Where that socket belongs; its folder is made. Raises SocketPathError, OSError."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return socket_path.choose(folder)
