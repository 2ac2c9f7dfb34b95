"""HTTP/1.1 on a Unix socket, as little of it as the local API needs: one request a connection, every wait bounded.

A connection has so long to send its head and its body, and so long to take a piece of the answer; there are so many
of them at a time. Every answer says that it is the last one of its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lapel_companion import api_peer, mistakes
from lapel_companion import api_request as requests
from lapel_companion.api_answer import Answer, Stream, refusal, top, whole
from lapel_companion.api_request import Refused, Request

MAX_CONNECTIONS = 64
HEAD_S = 5.0
BODY_S = 10.0
STALL_S = 60.0

_PIECE_BYTES = 64 * 1024
# What a refused sender may still send before it is cut off, so that it reads why.
_LINGER_BYTES = 256 * 1024
_LINGER_S = 1.0


@dataclass(eq=False)
class Connection:
    """One connection. `principal` is who asks, once that is known."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    principal: str = ""
    task: asyncio.Task[None] | None = None


class Door(Protocol):
    """What a request meets before it is answered."""

    def enter(self, request: Request, connection: Connection) -> Callable[[bytes], Awaitable[Answer | Stream]]:
        """What answers the request, given its body. Raises Refused; so may what answers."""

    def sentence(self, error: Exception) -> Refused | None:
        """The refusal that another exception of an answer means; None for a mistake of ours."""


class Server:
    """`start` listens; `close` ends every connection. `refused` counts the requests that were not met."""

    def __init__(self, door: Door, report: Callable[[str], None]) -> None:
        self._door = door
        self._report = report
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._connections: set[Connection] = set()
        self._turned_away: set[Connection] = set()
        self.refused = 0

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def start(self, path: Path) -> None:
        """Listen at `path`, which is our user's alone from its first moment. Raises OSError."""
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Linux gives the name this mode: between binding and changing it somebody else could connect. Elsewhere the
            # folder keeps them out so long. A umask would be that of all threads, and one may make a folder just now.
            with contextlib.suppress(OSError):
                os.fchmod(listening.fileno(), 0o600)
            listening.bind(str(path))
            path.chmod(0o600)
        except OSError:
            listening.close()
            raise
        self._path = path
        self._server = await asyncio.start_unix_server(
            self._accepted, sock=listening, limit=_PIECE_BYTES, backlog=MAX_CONNECTIONS
        )

    async def close(self) -> None:
        """Stop listening, remove the socket, end what is under way. May be called twice."""
        if self._server is not None:
            self._server.close()
        tasks = [self._cut(connection) for connection in [*self._connections, *self._turned_away]]
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def cut_off(self, principal: str) -> None:
        """End every connection of a principal, also in the middle of an answer."""
        for connection in [one for one in self._connections if one.principal == principal]:
            self._cut(connection)

    def _cut(self, connection: Connection) -> asyncio.Task[None] | None:
        connection.writer.transport.abort()
        if connection.task is not None:
            connection.task.cancel()
        return connection.task

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        refused = self._unwelcome(writer)
        many = len(self._turned_away if refused else self._connections)
        if many >= MAX_CONNECTIONS:
            # There is no end of them: not even a sentence.
            self.refused += 1
            writer.transport.abort()
            return
        (self._turned_away if refused else self._connections).add(connection)
        serving = self._turn_away(connection, refused) if refused else self._serve(connection)
        connection.task = asyncio.get_running_loop().create_task(serving)

    def _unwelcome(self, writer: asyncio.StreamWriter) -> Refused | None:
        if not api_peer.is_owner(writer.get_extra_info("socket")):
            return Refused(403, "this is another user's Lapel.")
        if len(self._connections) >= MAX_CONNECTIONS:
            return Refused(503, f"{MAX_CONNECTIONS} requests are under way already; try again.")
        return None

    async def _turn_away(self, connection: Connection, refused: Refused) -> None:
        self.refused += 1
        try:
            connection.writer.write(whole(refusal(refused)))
            await _linger(connection)
        finally:
            self._turned_away.discard(connection)
            connection.writer.close()

    async def _serve(self, connection: Connection) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                try:
                    await self._exchange(connection)
                except Refused as refused:
                    self.refused += 1
                    await _send(connection.writer, whole(refusal(refused)))
                    await _linger(connection)
        except TimeoutError:
            # It does not read: nobody is held up, and nothing is kept for it.
            connection.writer.transport.abort()
        finally:
            self._connections.discard(connection)
            connection.writer.close()

    async def _exchange(self, connection: Connection) -> None:
        head, rest = await _head(connection.reader)
        if head is None:
            return
        try:
            request = requests.read_head(head)
            answer = self._door.enter(request, connection)
            if request.waits and request.body_bytes > len(rest):
                connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            found = await answer(await _body(connection.reader, rest, request.body_bytes))
        except (Refused, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, who asks gets a sentence
            raise self._failed(error) from None
        if isinstance(found, Answer):
            await _send(connection.writer, whole(found))
            return
        try:
            await _stream(connection, found, request.minor)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001 - it has begun: its reader only learns that it broke off
            self._failed(error)
            connection.writer.transport.abort()

    def _failed(self, error: Exception) -> Refused:
        meant = self._door.sentence(error)
        if meant is None:
            self._report(f"the local API failed: {mistakes.named(error)}.")
            meant = Refused(500, "that failed by a mistake in Lapel; the daemon has said where.")
        return meant


async def _head(reader: asyncio.StreamReader) -> tuple[bytes | None, bytes]:
    """The head, and what came behind it; None when nothing came at all. Raises Refused."""
    held = b""
    try:
        async with asyncio.timeout(HEAD_S):
            while (end := held.find(requests.END)) < 0:
                if requests.too_early_wrong(held):
                    raise Refused(400, "that is no request of HTTP/1.1, like GET /v1/status HTTP/1.1.")
                if len(held) > requests.MAX_HEAD_BYTES:
                    raise Refused(431, f"the head of a request has at most {requests.MAX_HEAD_BYTES} bytes.")
                piece = await reader.read(requests.MAX_HEAD_BYTES)
                if not piece:
                    if held:
                        raise Refused(400, "the request broke off.")
                    return None, b""
                held += piece
    except TimeoutError:
        raise Refused(408, f"the head of the request did not come within {HEAD_S:g} s.") from None
    if end > requests.MAX_HEAD_BYTES:
        raise Refused(431, f"the head of a request has at most {requests.MAX_HEAD_BYTES} bytes.")
    return held[:end], held[end + len(requests.END) :]


async def _body(reader: asyncio.StreamReader, rest: bytes, length: int) -> bytes:
    missing = length - len(rest)
    if missing < 0:
        raise Refused(400, "one request a connection, and nothing behind it.")
    try:
        async with asyncio.timeout(BODY_S):
            return rest + await reader.readexactly(missing)
    except TimeoutError:
        raise Refused(408, f"the body of the request did not come within {BODY_S:g} s.") from None
    except asyncio.IncompleteReadError:
        raise Refused(400, "the request broke off.") from None


async def _stream(connection: Connection, stream: Stream, minor: int) -> None:
    # An older reader takes the end of the connection for the end of the answer.
    chunked = minor > 0
    more = ("Transfer-Encoding: chunked",) if chunked else ()
    await _send(connection.writer, top(200, stream.media, more))
    async with contextlib.aclosing(stream.pieces) as pieces:
        async for piece in _until_gone(pieces, connection.reader):
            await _send(connection.writer, b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        await _send(connection.writer, b"0\r\n\r\n")


async def _until_gone(pieces: AsyncIterator[bytes], reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The pieces, until the reader at the other side is gone (or says more, which it may not)."""
    gone = asyncio.ensure_future(reader.read(1))
    coming: asyncio.Future[bytes] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(pieces))
            await asyncio.wait((gone, coming), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                return
            try:
                yield coming.result()
            except StopAsyncIteration:
                return
    finally:
        for one in (gone, coming):
            if one is not None:
                one.cancel()
                await asyncio.gather(one, return_exceptions=True)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Raises TimeoutError when the other side takes nothing for a while, ConnectionError when it is gone."""
    for start in range(0, len(data), _PIECE_BYTES):
        writer.write(data[start : start + _PIECE_BYTES])
        async with asyncio.timeout(STALL_S):
            await writer.drain()


async def _linger(connection: Connection) -> None:
    """Take what is still on its way, so that closing does not tear the refusal away."""
    with contextlib.suppress(TimeoutError, OSError):
        connection.writer.write_eof()
        async with asyncio.timeout(_LINGER_S):
            left = _LINGER_BYTES
            while left > 0 and (piece := await connection.reader.read(_PIECE_BYTES)):
                left -= len(piece)
