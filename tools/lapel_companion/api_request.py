"""What a request to the local API may look like: bytes in, a `Request` or one sentence out. Pure, and strict.

RFC 9112 leaves a server much that two readers can read in two ways (folded lines, bare line feeds, chunks beside a
length, repeated fields). All of it is refused here: who speaks to this socket is a program written for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

MAX_HEAD_BYTES = 8 * 1024
MAX_TARGET_BYTES = 2 * 1024
MAX_FIELDS = 64
MAX_BODY_BYTES = 16 * 1024
END = b"\r\n\r\n"
HOSTS = ("lapel", "localhost", "127.0.0.1", "[::1]")

_LINE = re.compile(r"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.([01])")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):([ -~\t]*)")
_PORT = re.compile(r":[0-9]{1,5}")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]+)")
_JSON = re.compile(r'application/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?', re.IGNORECASE)
# What only browsers, and proxies between one and us, say. A proxy may write another Host than the page's, and to a page
# of plain http no browser adds Origin or Sec-Fetch-Site when it reads.
_OF_PAGES = ("cookie", "forwarded", "origin", "referer", "upgrade", "via", "x-forwarded-for", "x-forwarded-host")
# Said twice, each of them could be read as the first or as the last.
_ONCE = (
    "host",
    "authorization",
    "content-length",
    "content-type",
    "expect",
    "origin",
    "sec-fetch-site",
    "transfer-encoding",
)


class Refused(Exception):
    """A request that cannot be met: status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Request:
    """The head of a request. `credential` is what Authorization carries, None without one, "" when it is no bearer's.
    `waits`: the body is only sent when it is asked for (Expect: 100-continue)."""

    method: str
    path: str
    query: Mapping[str, str]
    minor: int
    credential: str | None
    body_bytes: int
    waits: bool


def too_early_wrong(start: bytes) -> bool:
    """Whether what came so far, without an end, cannot become a request (TLS, a bare line feed, noise)."""
    return bool(start) and (not start[:1].isalpha() or not start[:1].isupper() or b"\n\n" in start)


def read_head(head: bytes) -> Request:
    """The request whose head (to its empty line, without it) this is. Raises Refused."""
    try:
        lines = head.decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        raise Refused(400, "the head of a request is plain ASCII.") from None
    first = _LINE.fullmatch(lines[0])
    if first is None:
        raise Refused(400, "that is no request of HTTP/1.1, like GET /v1/status HTTP/1.1.")
    method, target, minor = first.groups()
    if len(target) > MAX_TARGET_BYTES:
        raise Refused(414, f"the address of a request has at most {MAX_TARGET_BYTES} bytes.")
    fields = _fields(lines[1:])
    _from_here(fields)
    path, _, query = target.partition("?")
    return Request(
        method,
        path,
        _query(query),
        int(minor),
        _credential(fields.get("authorization")),
        _body_bytes(method, fields),
        _waits(fields.get("expect")),
    )


def _fields(lines: list[str]) -> dict[str, str]:
    if len(lines) > MAX_FIELDS:
        raise Refused(431, f"a request has at most {MAX_FIELDS} header fields.")
    found: dict[str, str] = {}
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise Refused(400, "a header field is one line: a name, a colon and a value.")
        name = match.group(1).lower()
        if name in found and name in _ONCE:
            raise Refused(421 if name == "host" else 400, f"the header field {name} may stand once.")
        found[name] = match.group(2).strip(" \t")
    return found


def _from_here(fields: Mapping[str, str]) -> None:
    """A web page, wherever it got the address from, has no business here. Raises Refused."""
    host = fields.get("host", "").lower()
    name = next((one for one in HOSTS if host.startswith(one)), None)
    if name is None or (host != name and not _PORT.fullmatch(host[len(name) :])):
        raise Refused(421, "the Host of this API is lapel (or localhost, 127.0.0.1, [::1]).")
    if any(name in fields for name in _OF_PAGES) or fields.get("sec-fetch-site", "none").lower() != "none":
        raise Refused(403, "this is not for web pages.")


def _query(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=16)
    except ValueError:
        raise Refused(400, "what follows the ? is key=value, joined by &.") from None
    if len({key for key, _ in pairs}) != len(pairs):
        raise Refused(400, "each key behind the ? may stand once.")
    return dict(pairs)


def _credential(given: str | None) -> str | None:
    if given is None:
        return None
    match = _BEARER.fullmatch(given)
    return match.group(1) if match else ""


def _body_bytes(method: str, fields: Mapping[str, str]) -> int:
    if "transfer-encoding" in fields:
        raise Refused(411, "send the body in one piece, with Content-Length.")
    given = fields.get("content-length", "0")
    if not given.isdecimal() or len(given) > 19:
        raise Refused(400, "the Content-Length is no whole number.")
    length = int(given)
    if length > MAX_BODY_BYTES:
        raise Refused(413, f"a request has at most {MAX_BODY_BYTES} bytes.")
    if length and method != "POST":
        raise Refused(400, f"a {method} has no body.")
    if length and not _JSON.fullmatch(fields.get("content-type", "")):
        raise Refused(415, "send JSON (Content-Type: application/json).")
    return length


def _waits(given: str | None) -> bool:
    if given is not None and given.lower() != "100-continue":
        raise Refused(417, "the only thing to expect here is 100-continue.")
    return given is not None
