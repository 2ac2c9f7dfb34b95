"""Threads in which the local API reads and writes. Not those of the daemon: what a pin says is written down in them,
and who asks for much must not hold that up; nor may a token hold up the person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from lapel_companion.api_access import PERSON, Principal

_T = TypeVar("_T")

# For the person, and for all tokens together.
THREADS = 4


class Threads:
    """`close` forgets what has not begun."""

    def __init__(self) -> None:
        self._person = ThreadPoolExecutor(THREADS, "lapel-api")
        self._tokens = ThreadPoolExecutor(THREADS, "lapel-api-tokens")

    async def run(self, principal: Principal, call: Callable[..., _T], /, *given: Any, **named: Any) -> _T:
        """What `call` gives, in a thread."""
        threads = self._person if principal is PERSON else self._tokens
        return await asyncio.get_running_loop().run_in_executor(threads, partial(call, *given, **named))

    def close(self) -> None:
        for threads in (self._person, self._tokens):
            threads.shutdown(wait=False, cancel_futures=True)
