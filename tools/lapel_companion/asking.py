"""Questions to what may never answer: a keyring waits for its bus, or for somebody to type a password.

Each is asked in a thread of its own, which ends with the program and holds up nobody's end; one at a time, so those
that hang are one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")

# For a person at the terminal, who is asked for the keyring's password.
PATIENCE_S = 120.0


class Silent(Exception):
    """It does not answer."""


class Asker:
    """May be used by several threads."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._turn = threading.Lock()
        self._waiting: threading.Thread | None = None

    def ask(self, call: Callable[[], _T]) -> _T:
        """What `call` gives, or raises. Raises Silent when it does not come back in time, or an earlier one has not."""
        with self._turn:
            if self._waiting is not None and self._waiting.is_alive():
                raise Silent
            asked = _Asked(call)
            self._waiting = threading.Thread(target=asked.run, name="lapel-keyring", daemon=True)
            self._waiting.start()
            self._waiting.join(self._patience_s)
            if self._waiting.is_alive():
                raise Silent
        return asked.answer()


class _Asked(Generic[_T]):
    def __init__(self, call: Callable[[], _T]) -> None:
        self._call = call
        self._found: list[_T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._found.append(self._call())
        except BaseException as error:  # noqa: BLE001 - raised where it was asked
            self._error = error

    def answer(self) -> _T:
        if self._error is not None:
            raise self._error
        return self._found[0]
