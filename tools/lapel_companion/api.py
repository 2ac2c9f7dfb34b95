"""The local API: HTTP and JSON on two Unix sockets that only their owner can open. Version 1.

Every request has a principal: the person, or a token with scopes. Who is given the second socket and no more must show
a token, and takes up no place of the first one. Errors are {"error": a sentence}.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lapel_companion import api_feed, api_guests, audio, socket_path, views
from lapel_companion.allowance import Allowance
from lapel_companion.api_access import OWNER, Ask, Principal, Route, principal_of, route_of
from lapel_companion.api_answer import Answer, Stream, answer
from lapel_companion.api_guests import Guests
from lapel_companion.api_request import Refused, Request
from lapel_companion.api_server import Connection, Server
from lapel_companion.api_threads import Threads
from lapel_companion.blobs import Blobs, NoSuchBlob
from lapel_companion.clips import ClipFiles
from lapel_companion.engine import Engine, EngineError
from lapel_companion.events import EventLog
from lapel_companion.link.reading import NoPin
from lapel_companion.notices import Outbox
from lapel_companion.tokens import TokenError, Tokens
from lapel_wire import flight_log, flight_reading

# What a token may have written down in a day: far more than what serves somebody, and less than fills a disk.
MAX_WRITES_A_DAY = 5000
MAX_FOLLOWERS = 32
# One token must not keep the person, or another program, from following.
MAX_FOLLOWERS_A_TOKEN = 8

_KIND = re.compile(r"[a-z_]{1,32}")
_DISPATCH = re.compile(r"d[0-9]{1,15}")
_DISK_FULL_STATUS = 507


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
    report: Callable[[str], None] = print
    look_at_key: Callable[[], Awaitable[dict[str, Any]]] | None = None


class Api:
    """`start` listens, `close` ends every request."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._server = Server(self, backend.report)
        self._guests = Server(Guests(self), backend.report)
        self._tokens: Tokens | None = None
        self._following: list[str] = []
        self._writes: dict[str, Allowance] = {}
        self._threads = Threads()
        self._routes = (
            Route("GET", "/v1/status", "read", self._status),
            Route("GET", "/v1/events", "read", self._events, ("after", "limit", "kinds", "dispatch", "follow")),
            Route("GET", "/v1/dispatches", "read", self._dispatches, ("limit",)),
            Route("GET", "/v1/dispatches/{id}", "read", self._dispatch),
            Route("GET", "/v1/jobs", "read", self._jobs, ("limit",)),
            Route("GET", "/v1/jobs/{id}", "read", self._job),
            Route("GET", "/v1/jobs/{id}/log", "read", self._log),
            Route("GET", "/v1/notices", "read", self._notices, ("limit", "unseen")),
            Route("POST", "/v1/notices/seen", "answer", self._all_seen),
            Route("POST", "/v1/notices/{seq}/seen", "answer", self._seen),
            Route("POST", "/v1/say", "say", self._say, needed={"text": str}),
            Route("POST", "/v1/release", "answer", self._release, needed={"dispatch": str}, optional={"text": str}),
            Route("POST", "/v1/cancel", "answer", self._cancel, needed={"dispatch": str}),
            Route("GET", "/v1/clips/{id}.wav", "audio", self._clip),
            Route("GET", "/v1/flight", "pin", self._flight),
            Route("POST", "/v1/key", OWNER, self._key),
            Route("GET", "/v1/tokens", OWNER, self._list_tokens),
            Route("POST", "/v1/tokens", OWNER, self._add_token, needed={"name": str, "scopes": list}),
            Route("POST", "/v1/tokens/{name}/remove", OWNER, self._remove_token),
        )

    async def start(self, state: Path) -> Path:
        """Listen on the state folder's sockets; the path of the person's. Raises SocketPathError, OSError."""
        path = await asyncio.to_thread(socket_path.choose, state)
        guests = await asyncio.to_thread(api_guests.place, state)
        self._tokens = Tokens(state)
        trouble = await asyncio.to_thread(self._tokens.load)
        if trouble is not None:
            self._backend.report(trouble)
        # The state's lock is ours: what is left at the paths is a dead daemon's.
        await self._server.start(path)
        await self._guests.start(guests)
        return path

    async def close(self) -> None:
        """Stop listening, and remove the sockets."""
        await self._guests.close()
        await self._server.close()
        self._threads.close()

    def enter(self, request: Request, connection: Connection) -> Callable[[bytes], Awaitable[Answer | Stream]]:
        """See api_server.Door."""
        principal = principal_of(request, self._known())
        # From here on a token that is removed takes this connection with it.
        connection.principal = principal.name
        route = route_of(self._routes, request, principal)
        if request.method == "POST" and principal.name != "person":
            self._may_write(principal)
        return lambda body: route.handler(route.ask(principal, request, body))

    def sentence(self, error: Exception) -> Refused | None:
        """See api_server.Door."""
        if isinstance(error, EngineError | TokenError):
            return Refused(409, str(error))
        if isinstance(error, sqlite3.OperationalError):
            return Refused(_DISK_FULL_STATUS, f"the disk does not take it: {error}.")
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            return Refused(_DISK_FULL_STATUS, f"the disk does not take it: {error.strerror or 'it does not say why'}.")
        return None

    def _known(self) -> Tokens:
        assert self._tokens is not None
        return self._tokens

    async def _status(self, ask: Ask) -> Answer:
        doors = (self._server, self._guests)
        served = {
            "connections": sum(door.connections for door in doors),
            "followers": len(self._following),
            "refused": sum(door.refused for door in doors),
        }
        return answer({**await self._threads.run(ask.principal, self._backend.status), "api": served})

    async def _events(self, ask: Ask) -> Stream:
        after = ask.number("after", 0, 1 << 60)
        limit = ask.number("limit", 1000, 10_000)
        kinds = [kind for kind in ask.query.get("kinds", "").split(",") if kind] or None
        if kinds is not None and not all(_KIND.fullmatch(kind) for kind in kinds):
            raise Refused(400, "'kinds' is like job,notice.")
        chosen = api_feed.Chosen(after, kinds, ask.query.get("dispatch"))
        if ask.flag("follow"):
            self._may_follow(ask.principal)
            return Stream(api_feed.follow(self._backend.log, self._following, ask.principal.name, chosen))
        return Stream(api_feed.read(self._backend.log, partial(self._threads.run, ask.principal), chosen, limit))

    def _may_write(self, principal: Principal) -> None:
        name = principal.name
        if name not in self._writes:
            self._writes[name] = Allowance(lambda _: None, a_day={name: MAX_WRITES_A_DAY})
        if not self._writes[name].take(name):
            raise Refused(429, f"a token can have {MAX_WRITES_A_DAY} things written down in a day; try again later.")

    def _may_follow(self, principal: Principal) -> None:
        many = len(self._following)
        if many >= MAX_FOLLOWERS:
            raise Refused(429, f"{many} programs follow the events already.")
        if principal.name != "person" and self._following.count(principal.name) >= MAX_FOLLOWERS_A_TOKEN:
            raise Refused(429, f"this token follows the events {MAX_FOLLOWERS_A_TOKEN} times already.")

    async def _dispatches(self, ask: Ask) -> Answer:
        log, limit = self._backend.log, ask.number("limit", 50, views.MAX_LISTED)
        return answer({"dispatches": await self._threads.run(ask.principal, views.dispatches, log, limit)})

    async def _dispatch(self, ask: Ask) -> Answer:
        name = ask.named["id"]
        return _found(await self._threads.run(ask.principal, views.dispatch, self._backend.log, name), "dispatch", name)

    async def _jobs(self, ask: Ask) -> Answer:
        log, limit = self._backend.log, ask.number("limit", 50, views.MAX_LISTED)
        return answer({"jobs": await self._threads.run(ask.principal, views.jobs, log, limit)})

    async def _job(self, ask: Ask) -> Answer:
        name = ask.named["id"]
        return _found(await self._threads.run(ask.principal, views.job, self._backend.log, name), "job", name)

    async def _log(self, ask: Ask) -> Answer:
        name = ask.named["id"]
        found = await self._threads.run(ask.principal, views.job, self._backend.log, name)
        if found is None:
            raise Refused(404, f"there is no job {name}; lapel jobs lists them.")
        data = self._backend.engine.log_so_far(name)
        if data is None and found["log"]:
            try:
                data = await self._threads.run(ask.principal, self._backend.blobs.get, found["log"])
            except (NoSuchBlob, OSError):
                raise Refused(404, f"the log of {name} is gone.") from None
        text = (data or b"").decode("utf-8", "replace")
        return answer({"job": name, "state": found["state"], "text": found["text"], "log": text})

    async def _notices(self, ask: Ask) -> Answer:
        log, limit = self._backend.log, ask.number("limit", 50, views.MAX_LISTED)
        unseen = ask.flag("unseen")
        return answer({"notices": await self._threads.run(ask.principal, views.notices, log, limit, unseen)})

    async def _seen(self, ask: Ask) -> Answer:
        given = ask.named["seq"]
        log = self._backend.log
        number = int(given) if given.isdecimal() and len(given) < 11 else -1
        if await self._threads.run(ask.principal, log.find, "notice", "seq", number) is None:
            raise Refused(404, f"there is no notice {given}; lapel notices lists them.")
        await self._mark([number], ask)
        return answer({"seen": [number]})

    async def _all_seen(self, ask: Ask) -> Answer:
        seqs = [notice.seq for notice in await self._threads.run(ask.principal, self._backend.outbox.unseen)]
        await self._mark(seqs, ask)
        return answer({"seen": seqs})

    async def _mark(self, seqs: list[int], ask: Ask) -> None:
        outbox, who = self._backend.outbox, ask.principal
        await self._threads.run(who, outbox.seen, outbox.epoch, seqs, principal=who.name)

    async def _say(self, ask: Ask) -> Answer:
        after = self._backend.log.head()
        dispatch = await self._backend.engine.say(ask.body["text"], principal=ask.principal.name)
        return answer({"dispatch": dispatch, "after": after})

    async def _release(self, ask: Ask) -> Answer:
        name, text = _dispatch_of(ask), ask.body.get("text")
        if text is not None:
            # Other words are another task.
            ask.principal.need("say")
        after = self._backend.log.head()
        await self._backend.engine.release(name, text, principal=ask.principal.name)
        return answer({"dispatch": name, "after": after})

    async def _cancel(self, ask: Ask) -> Answer:
        name = _dispatch_of(ask)
        said = await self._backend.engine.cancel(name, principal=ask.principal.name)
        return answer({"dispatch": name, "answer": said})

    async def _key(self, ask: Ask) -> Answer:
        look = self._backend.look_at_key
        return answer({} if look is None else await look())

    async def _list_tokens(self, ask: Ask) -> Answer:
        return answer({"tokens": [token.public() for token in self._known().all()]})

    async def _add_token(self, ask: Ask) -> Answer:
        token, secret = await self._known().add(ask.body["name"], ask.body["scopes"])
        return answer({**token.public(), "token": secret})

    async def _remove_token(self, ask: Ask) -> Answer:
        name = ask.named["name"]
        try:
            await self._known().remove(name)
        finally:
            self._writes.pop(f"token:{name}", None)
            # Whether or not the disk took it, nothing goes on for that token.
            for door in (self._server, self._guests):
                door.cut_off(f"token:{name}")
        return answer({"removed": name})

    async def _clip(self, ask: Ask) -> Answer:
        name = ask.named["id"]
        try:
            pcm = await self._threads.run(ask.principal, self._backend.clips.pcm, name)
        except FileNotFoundError:
            raise Refused(404, f"there is no recording {name}.") from None
        except audio.AudioError as error:
            raise Refused(415, f"the recording {name} cannot be played: {error}.") from None
        return Answer(audio.wav(pcm), "audio/wav")

    async def _flight(self, ask: Ask) -> Answer:
        try:
            data = await self._backend.read_flight()
        except NoPin as error:
            raise Refused(503, str(error)) from None
        try:
            log, wrong = flight_reading.decode(data), None
        except flight_log.BadFlightLog as error:
            log, wrong = None, str(error)
        return answer({"hex": data.hex(), "log": log, "wrong": wrong})


def _found(body: dict[str, Any] | None, what: str, name: str) -> Answer:
    if body is None:
        raise Refused(404, f"there is no {what} {name}.")
    return answer(body)


def _dispatch_of(ask: Ask) -> str:
    name = str(ask.body["dispatch"])
    if not _DISPATCH.fullmatch(name):
        raise Refused(400, "a dispatch has a name like d7; lapel status lists them.")
    return name
