"""Tokens: what a program shows to be let in with less than everything. Only their digests are kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import durable

FILE = "tokens.json"
MAX_TOKENS = 32
# What each scope opens, as a person reads it.
SCOPES: Mapping[str, str] = {
    "read": "what was heard, done and printed: status, events, dispatches, jobs, notices",
    "audio": "the recordings",
    "say": "hand over tasks, as if you had typed them",
    "answer": "let held tasks go, cancel them, mark notices as seen",
    "pin": "the pin's flight recorder",
}

_PREFIX = "lapel_"
_SECRET_BYTES = 32
_TOKEN = re.compile(r"lapel_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_FILE_BYTES = 64 * 1024


class TokenError(Exception):
    """A token cannot be made or removed; the text is a sentence."""


@dataclass(frozen=True)
class Token:
    """What is known of a token. `made` is unix seconds."""

    name: str
    scopes: tuple[str, ...]
    digest: str
    made: float

    def public(self) -> dict[str, Any]:
        return {"name": self.name, "scopes": list(self.scopes), "made": self.made}


class Tokens:
    """The tokens of one state folder, in its file `tokens.json` (0600). Use it from one event loop."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._tokens: dict[str, Token] = {}
        self._writing = asyncio.Lock()

    def load(self) -> str | None:
        """Read them; None, or a sentence on why none of them counts. Nothing is guessed from a damaged file."""
        try:
            with self._path.open("rb") as file:
                found = [_token(entry) for entry in json.loads(file.read(_MAX_FILE_BYTES))["tokens"]]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return f"{self._path} cannot be read, so no token counts: make them again (lapel token add)."
        self._tokens = {token.name: token for token in found}
        return None

    def all(self) -> list[Token]:
        return sorted(self._tokens.values(), key=lambda token: token.name)

    def find(self, credential: str) -> Token | None:
        """Whose credential this is, or None."""
        if not _TOKEN.fullmatch(credential):
            return None
        digest = _digest(credential)
        found = None
        # All of them are compared, so that the time says nothing of which one it nearly was.
        for token in self._tokens.values():
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found

    async def add(self, name: str, scopes: Collection[str]) -> tuple[Token, str]:
        """A new token and its secret, which is nowhere else. Raises TokenError, OSError."""
        if not _NAME.fullmatch(name):
            raise TokenError("the name of a token has up to 32 small letters, digits, dots and dashes.")
        strange = sorted(set(scopes) - set(SCOPES))
        if strange or not scopes:
            raise TokenError(f"the scopes of a token are some of {', '.join(SCOPES)}.")
        async with self._writing:
            if name in self._tokens:
                raise TokenError(f"there is a token {name} already; remove it first, or take another name.")
            if len(self._tokens) >= MAX_TOKENS:
                raise TokenError(f"there are {MAX_TOKENS} tokens already; remove one first.")
            secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
            order = tuple(scope for scope in SCOPES if scope in scopes)
            token = Token(name, order, _digest(secret), time.time())
            # It counts when it is durable: a token that is shown is one that stays.
            await self._write({**self._tokens, name: token})
            self._tokens[name] = token
        return token, secret

    async def remove(self, name: str) -> None:
        """From now on it counts no more. Raises TokenError, OSError (then only until the next start)."""
        token = self._tokens.pop(name, None)
        if token is None and not await asyncio.to_thread(self._kept, name):
            raise TokenError(f"there is no token {name[:32]}; lapel token list names them.")
        async with self._writing:
            await self._write(self._tokens)

    def _kept(self, name: str) -> bool:
        """Whether the file still has a token that counts no more: the disk was full when it was removed."""
        kept = Tokens(self._path.parent)
        kept.load()
        return name in kept._tokens

    async def _write(self, tokens: Mapping[str, Token]) -> None:
        entries = [
            {"name": one.name, "scopes": one.scopes, "sha256": one.digest, "made": one.made} for one in tokens.values()
        ]
        data = json.dumps({"version": 1, "tokens": entries}, indent=1).encode() + b"\n"
        await asyncio.to_thread(durable.write_atomic, self._path, data, "tokens")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(entry: Any) -> Token:
    """Raises ValueError, KeyError, TypeError."""
    name, scopes, digest = entry["name"], tuple(entry["scopes"]), entry["sha256"]
    if not (_NAME.fullmatch(name) and _DIGEST.fullmatch(digest) and set(scopes) <= set(SCOPES)):
        raise ValueError
    return Token(name, scopes, digest, float(entry["made"]))
