"""The local API: HTTP and JSON on a Unix socket that only its owner can open. Version 1.

Every request has a principal; whoever can open the socket is the person. Errors are {"error": a sentence}.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from lapel_companion import api_http as http
from lapel_companion import socket_path, views
from lapel_companion.api_http import Principal, Refused, principal_of
from lapel_companion.blobs import Blobs, NoSuchBlob
from lapel_companion.clips import ClipFiles
from lapel_companion.engine import Engine
from lapel_companion.events import EventLog
from lapel_companion.link.desk import NoPin
from lapel_companion.notices import Outbox
from lapel_wire import flight_log

MAX_FOLLOWERS = 32


@dataclass
class Backend:
    """What the API speaks for."""

    log: EventLog
    engine: Engine
    outbox: Outbox
    clips: ClipFiles
    blobs: Blobs
    status: Callable[[], dict[str, Any]]
    read_flight: Callable[[], Awaitable[bytes]]


class Api:
    """`start` listens, `close` ends every request."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._runner: web.AppRunner | None = None
        self._path: Path | None = None
        self._followers = 0

    async def start(self, state: Path) -> Path:
        """Listen on the state folder's socket; its path. Raises SocketPathError, OSError."""
        path = await asyncio.to_thread(socket_path.choose, state)
        # The state's lock is ours: what is left there is a dead daemon's.
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        self._path = path
        self._runner = web.AppRunner(
            self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.5
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()
        return path

    async def close(self) -> None:
        """Stop listening, and remove the socket."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=http.MAX_BODY_BYTES, middlewares=[http.guard])
        app.add_routes(
            [
                web.get("/v1/status", self._status),
                web.get("/v1/events", self._events),
                web.get("/v1/dispatches", self._dispatches),
                web.get("/v1/dispatches/{id}", self._dispatch),
                web.get("/v1/jobs", self._jobs),
                web.get("/v1/jobs/{id}", self._job),
                web.get("/v1/jobs/{id}/log", self._log),
                web.get("/v1/notices", self._notices),
                web.post("/v1/notices/seen", self._all_seen),
                web.post("/v1/notices/{seq}/seen", self._seen),
                web.post("/v1/say", self._say),
                web.post("/v1/release", self._release),
                web.post("/v1/cancel", self._cancel),
                web.get("/v1/clips/{id}.wav", self._clip),
                web.get("/v1/flight", self._flight),
            ]
        )
        return app

    async def _status(self, request: web.Request) -> web.StreamResponse:
        return http.answer(await asyncio.to_thread(self._backend.status))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        after = http.number(request, "after", 0, 1 << 60)
        limit = http.number(request, "limit", 1000, 10_000)
        kinds = [kind for kind in request.query.get("kinds", "").split(",") if kind] or None
        dispatch = request.query.get("dispatch")
        follow = request.query.get("follow", "0") not in ("0", "", "false")
        if follow and self._followers >= MAX_FOLLOWERS:
            raise Refused(429, f"{MAX_FOLLOWERS} programs follow the events already.")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        log = self._backend.log
        if not follow:
            for event in await asyncio.to_thread(log.read, after, kinds, dispatch, limit):
                await response.write(http.line(event.as_dict()))
            return response
        self._followers += 1
        try:
            # A reader that does not read holds up this loop, and nothing else: the rest waits in the table.
            async with contextlib.aclosing(log.subscribe(after)) as events:  # type: ignore[type-var]
                async for event in events:
                    if (kinds is None or event.kind in kinds) and dispatch in (None, event.dispatch):
                        await response.write(http.line(event.as_dict()))
        except ConnectionError:
            pass
        finally:
            self._followers -= 1
        return response

    async def _dispatches(self, request: web.Request) -> web.StreamResponse:
        limit = http.number(request, "limit", 50, views.MAX_LISTED)
        return http.answer(
            {"dispatches": await asyncio.to_thread(views.dispatches, self._backend.log, limit)}
        )

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        return http.found(await asyncio.to_thread(views.dispatch, self._backend.log, name), "dispatch", name)

    async def _jobs(self, request: web.Request) -> web.StreamResponse:
        limit = http.number(request, "limit", 50, views.MAX_LISTED)
        return http.answer({"jobs": await asyncio.to_thread(views.jobs, self._backend.log, limit)})

    async def _job(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        return http.found(await asyncio.to_thread(views.job, self._backend.log, name), "job", name)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        found = await asyncio.to_thread(views.job, self._backend.log, name)
        if found is None:
            raise Refused(404, f"there is no job {name}; lapel jobs lists them.")
        data = self._backend.engine.log_so_far(name)
        if data is None and found["log"]:
            try:
                data = await asyncio.to_thread(self._backend.blobs.get, found["log"])
            except (NoSuchBlob, OSError):
                raise Refused(404, f"the log of {name} is gone.") from None
        text = (data or b"").decode("utf-8", "replace")
        return http.answer({"job": name, "state": found["state"], "text": found["text"], "log": text})

    async def _notices(self, request: web.Request) -> web.StreamResponse:
        limit = http.number(request, "limit", 50, views.MAX_LISTED)
        unseen = request.query.get("unseen", "0") not in ("0", "", "false")
        return http.answer(
            {"notices": await asyncio.to_thread(views.notices, self._backend.log, limit, unseen)}
        )

    async def _seen(self, request: web.Request) -> web.StreamResponse:
        principal, given = principal_of(request), request.match_info["seq"]
        log = self._backend.log
        number = int(given) if given.isdecimal() and len(given) < 11 else -1
        if await asyncio.to_thread(log.find, "notice", "seq", number) is None:
            raise Refused(404, f"there is no notice {given}; lapel notices lists them.")
        await self._mark([number], principal)
        return http.answer({"seen": [number]})

    async def _all_seen(self, request: web.Request) -> web.StreamResponse:
        principal = principal_of(request)
        seqs = [notice.seq for notice in await asyncio.to_thread(self._backend.outbox.unseen)]
        await self._mark(seqs, principal)
        return http.answer({"seen": seqs})

    async def _mark(self, seqs: list[int], principal: Principal) -> None:
        outbox = self._backend.outbox
        await asyncio.to_thread(outbox.seen, outbox.epoch, seqs, principal=principal.name)

    async def _say(self, request: web.Request) -> web.StreamResponse:
        principal, body = principal_of(request), await http.body(request, {"text": str})
        after = self._backend.log.head()
        dispatch = await self._backend.engine.say(body["text"], principal=principal.name)
        return http.answer({"dispatch": dispatch, "after": after})

    async def _release(self, request: web.Request) -> web.StreamResponse:
        principal, body = principal_of(request), await http.body(request, {"dispatch": str}, {"text": str})
        after = self._backend.log.head()
        name = body["dispatch"]
        await self._backend.engine.release(name, body.get("text"), principal=principal.name)
        return http.answer({"dispatch": name, "after": after})

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        principal, body = principal_of(request), await http.body(request, {"dispatch": str})
        answer = await self._backend.engine.cancel(body["dispatch"], principal=principal.name)
        return http.answer({"dispatch": body["dispatch"], "answer": answer})

    async def _clip(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        try:
            await asyncio.to_thread(self._backend.clips.pcm, name)
            path = self._backend.clips.wav_path(name)
            if not path.is_file():
                raise FileNotFoundError(name)
        except FileNotFoundError:
            raise Refused(404, f"there is no recording {name}.") from None
        return web.FileResponse(path)

    async def _flight(self, request: web.Request) -> web.StreamResponse:
        try:
            data = await self._backend.read_flight()
        except NoPin as error:
            raise Refused(503, str(error)) from None
        try:
            log, wrong = flight_log.decode(data), None
        except flight_log.BadFlightLog as error:
            log, wrong = None, str(error)
        return http.answer({"hex": data.hex(), "log": log, "wrong": wrong})
