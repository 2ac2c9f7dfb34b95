"""What is let go is free at once, also for as long as a program that is just being started has every file open."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from lapel_companion.keys import Keys
from lapel_companion.state import StateFolder
from simulator.folder import PinFolder


@contextlib.contextmanager
def forked() -> Iterator[None]:
    """A child between fork and exec."""
    stay, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.read(stay, 1)
        os._exit(0)
    os.close(stay)
    try:
        yield
    finally:
        os.close(go)
        os.waitpid(child, 0)


def keys(state: Path) -> AbstractContextManager[object]:
    return Keys(state).alone()


def folder(state: Path) -> AbstractContextManager[object]:
    return contextlib.closing(StateFolder.open(state))


def pin(state: Path) -> AbstractContextManager[object]:
    return contextlib.closing(PinFolder(state))


@pytest.mark.parametrize("locked", (keys, folder, pin))
def test_a_lock_that_was_let_go_is_free(
    tmp_path: Path, locked: Callable[[Path], AbstractContextManager[object]]
) -> None:
    with contextlib.ExitStack() as stack:
        with locked(tmp_path):
            stack.enter_context(forked())
        with locked(tmp_path), pytest.raises(Exception, match="another"), locked(tmp_path):
            pass
