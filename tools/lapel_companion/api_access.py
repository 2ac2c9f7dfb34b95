"""Who asks, what they may, and which request wants what: the one table of the local API."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lapel_companion import api_json
from lapel_companion.api_answer import Answer, Stream
from lapel_companion.api_request import Refused, Request
from lapel_companion.tokens import SCOPES, Tokens

# What no token has: only the person makes and removes tokens.
OWNER = "owner"
_NUMBER_DIGITS = 19
_SLOT = re.compile(r"\{([a-z]+)\}")
_FLAGS = {"0": False, "false": False, "": False, "1": True, "true": True}


@dataclass(frozen=True)
class Principal:
    """Who asks, as the events name them, and what they may."""

    name: str
    scopes: frozenset[str]

    def need(self, scope: str) -> None:
        """Raises Refused without it."""
        if scope in self.scopes:
            return
        if scope == OWNER:
            raise Refused(403, "a token cannot see, make or remove tokens.")
        raise Refused(403, f"this token lacks the scope {scope} ({SCOPES[scope]}).")


PERSON = Principal("person", frozenset(SCOPES) | {OWNER})


def principal_of(request: Request, tokens: Tokens) -> Principal:
    """Who asks. Without a token it is the person, whose socket this is. Raises Refused."""
    if request.credential is None:
        return PERSON
    token = tokens.find(request.credential)
    if token is None:
        raise Refused(401, "this token is not known; lapel token list names those that are.")
    return Principal(f"token:{token.name}", frozenset(token.scopes))


@dataclass(frozen=True)
class Ask:
    """A request that was let in: what its path named, what it asks for, and the fields of its body."""

    principal: Principal
    named: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]

    def number(self, key: str, usual: int, most: int) -> int:
        """A whole number of the query, at most `most`. Raises Refused."""
        given = self.query.get(key, str(usual))
        if not (given.isascii() and given.isdecimal()) or len(given) > _NUMBER_DIGITS:
            raise Refused(400, f"'{key}' is no whole number.")
        return min(int(given), most)

    def flag(self, key: str) -> bool:
        """Whether a key of the query is 1 (or true). Raises Refused."""
        given = self.query.get(key, "0")
        if given not in _FLAGS:
            raise Refused(400, f"'{key}' is 0 or 1.")
        return _FLAGS[given]


Handler = Callable[[Ask], Awaitable[Answer | Stream]]


@dataclass(frozen=True)
class Route:
    """One request that can be made. `{name}` in its path is one name; `query`, `needed` and `optional` are all that
    it takes."""

    method: str
    path: str
    scope: str
    handler: Handler
    query: Sequence[str] = ()
    needed: Mapping[str, type] = field(default_factory=dict)
    optional: Mapping[str, type] = field(default_factory=dict)

    def names(self, path: str) -> dict[str, str] | None:
        """What the slots of the path hold, or None when it is another path."""
        pattern = _SLOT.sub(r"(?P<\1>[A-Za-z0-9._-]{1,64}?)", self.path)
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()

    def ask(self, principal: Principal, request: Request, body: bytes) -> Ask:
        """Raises Refused."""
        strange = sorted(set(request.query) - set(self.query))
        if strange:
            known = f"; it knows {', '.join(self.query)}" if self.query else ""
            raise Refused(400, f"{self.path} knows no '{strange[0][:32]}' behind the ?{known}.")
        fields = api_json.fields(body, self.needed, self.optional) if self.method == "POST" else {}
        return Ask(principal, self.names(request.path) or {}, request.query, fields)


def route_of(routes: Sequence[Route], request: Request, principal: Principal) -> Route:
    """The route of a request that its principal may take. Raises Refused."""
    here = [route for route in routes if route.names(request.path) is not None]
    if not here:
        raise Refused(404, "there is nothing at this address.")
    found = next((route for route in here if route.method == request.method), None)
    if found is None:
        raise Refused(405, f"{here[0].path} takes {' and '.join(route.method for route in here)} only.")
    principal.need(found.scope)
    return found
