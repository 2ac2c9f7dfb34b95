"""Records that the pin keeps, asked for piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lapel_companion.link.wishes import Wishes
from lapel_wire import messages

REPEAT_S = 1.0
_LIMIT_S = 10.0
_MAX_BYTES = 64 * 1024


class NoPin(Exception):
    """No pin is linked, or it did not answer."""


class Reading:
    """One record at a time; `answered` takes each DATA."""

    def __init__(self, wishes: Wishes, linked: Callable[[], bool]) -> None:
        self._wishes = wishes
        self._linked = linked
        self._data: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(8)
        self._turn = asyncio.Lock()

    async def read(self, what: str) -> bytes:
        """The record of that name. Raises NoPin."""
        async with self._turn:
            if not self._linked():
                raise NoPin("no pin is linked.")
            while not self._data.empty():
                self._data.get_nowait()
            try:
                async with asyncio.timeout(_LIMIT_S):
                    return await self._all(what)
            except TimeoutError:
                raise NoPin("the pin does not answer.") from None

    def answered(self, body: dict[str, Any] | None) -> None:
        """DATA came."""
        if self._data.full():
            self._data.get_nowait()
        self._data.put_nowait(body)

    def left(self) -> None:
        """The connection ended."""
        if self._turn.locked():
            self.answered(None)

    async def _all(self, what: str) -> bytes:
        held = bytearray()
        while True:
            ask = {"w": what, "off": len(held)}
            self._wishes.put(messages.READ, ask, (messages.READ,))
            try:
                async with asyncio.timeout(REPEAT_S):
                    body = await self._data.get()
            except TimeoutError:
                continue
            if body is None:
                # Not asked again by itself: perhaps the question is what ended it.
                raise NoPin("the link to the pin ended while it was read; try again.")
            if body["w"] != what or body["off"] != len(held):
                continue
            try:
                piece = bytes.fromhex(body["b"])
            except ValueError:
                raise NoPin("the pin answers with something that is no record.") from None
            held += piece
            if not piece or len(held) >= min(body["n"], _MAX_BYTES):
                return bytes(held)
