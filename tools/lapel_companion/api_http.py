"""The local API's manners: who asks, what may be sent, and every error as one sentence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lapel_companion.engine import EngineError

MAX_BODY_BYTES = 16 * 1024
_DISK_FULL_STATUS = 507

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """A request that cannot be met: status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Principal:
    """Who asks, and what they may."""

    name: str


def principal_of(request: web.Request) -> Principal:
    """The one place that says who asks. Raises Refused.

    The socket is its owner's alone; a browser, which would carry an Origin, has no business here.
    """
    if request.headers.get("Origin") is not None:
        raise Refused(403, "this is not for web pages.")
    return Principal("person")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who asks; and every error as one sentence."""
    try:
        principal_of(request)
        return await handler(request)
    except Refused as error:
        return answer({"error": str(error)}, error.status)
    except EngineError as error:
        return answer({"error": str(error)}, 409)
    except web.HTTPRequestEntityTooLarge:
        return answer({"error": f"a request has at most {MAX_BODY_BYTES} bytes."}, 413)
    except web.HTTPException as error:
        return answer({"error": f"{request.method} {request.path}: {error.reason}."}, error.status)
    except sqlite3.Error as error:
        return answer({"error": f"the disk does not take it: {error}."}, _DISK_FULL_STATUS)
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        return answer({"error": f"the disk does not take it: {error.strerror or error}."}, _DISK_FULL_STATUS)


async def body(
    request: web.Request, needed: dict[str, type], optional: dict[str, type] | None = None
) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Refused(415, "send JSON (Content-Type: application/json).")
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refused(400, "that is no JSON.") from None
    known = {**needed, **(optional or {})}
    if not isinstance(body, dict) or not set(needed) <= set(body) <= set(known):
        raise Refused(400, f"send an object with {' and '.join(known)}.")
    for key, value in body.items():
        if not isinstance(value, known[key]) and not (value is None and key not in needed):
            raise Refused(400, f"'{key}' is no {'text' if known[key] is str else known[key].__name__}.")
    return body


def number(request: web.Request, key: str, usual: int, most: int) -> int:
    given = request.query.get(key, str(usual))
    if not given.isdecimal() or len(given) > 19:
        raise Refused(400, f"'{key}' is no whole number.")
    return min(int(given), most)


def found(body: dict[str, Any] | None, what: str, name: str) -> web.Response:
    if body is None:
        raise Refused(404, f"there is no {what} {name}.")
    return answer(body)


def line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def answer(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(body, status=status)
