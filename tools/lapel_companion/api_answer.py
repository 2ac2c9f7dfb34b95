"""What the local API answers, and its bytes. No answer ever allows another origin to read it."""

from __future__ import annotations

import http
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from lapel_companion.api_request import Refused

_ALWAYS = (
    "Connection: close",
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Content-Security-Policy: default-src 'none'",
    "Cross-Origin-Resource-Policy: same-origin",
)


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    body: bytes
    media: str = "application/json; charset=utf-8"
    status: int = 200
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stream:
    """An answer that goes on; it ends with the pieces, or with its reader."""

    pieces: AsyncGenerator[bytes]
    media: str = "application/x-ndjson"


def answer(body: dict[str, Any], status: int = 200, more: tuple[str, ...] = ()) -> Answer:
    return Answer(json.dumps(body).encode(), status=status, more=more)


def refusal(refused: Refused) -> Answer:
    more = {401: ("WWW-Authenticate: Bearer",), 405: ("Allow: GET, POST",)}.get(refused.status, ())
    return answer({"error": str(refused)}, refused.status, more)


def whole(given: Answer) -> bytes:
    return top(given.status, given.media, (f"Content-Length: {len(given.body)}", *given.more)) + given.body


def top(status: int, media: str, more: tuple[str, ...]) -> bytes:
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", f"Content-Type: {media}", *_ALWAYS, *more]
    return "\r\n".join([*lines, "", ""]).encode("ascii")
