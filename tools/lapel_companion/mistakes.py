"""How a mistake of ours is told: its kind and its place, never its text, which may hold what somebody said."""

from __future__ import annotations

import asyncio
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def named(error: BaseException) -> str:
    """Like "KeyError at steps.py:120"."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else _kind(error)


def trace(error: BaseException) -> str:
    """The frames of an exception and of what led to it: lines of our sources, and kinds."""
    parts = [*traceback.format_tb(error.__traceback__), f"{_kind(error)}\n"]
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return (trace(before) + "which led to\n" if before is not None else "") + "".join(parts)


def cause(error: BaseException) -> str:
    """Why something could not be done: what the system says, or else the mistake's name."""
    # What a database says comes wrapped, beside the statement and its values.
    told = getattr(error, "orig", None) or error
    return str(told) if isinstance(told, OSError | sqlite3.Error) and str(told) else named(error)


def quiet_loop(loop: asyncio.AbstractEventLoop, report: Callable[[str], None]) -> None:
    """Have what nobody awaited told likewise."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        report(f"a part failed on its own: {named(error) if error else 'no exception'}.")

    loop.set_exception_handler(handle)


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
