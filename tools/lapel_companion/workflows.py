"""Every version of a dispatch's workflow that is still known, the oldest first; new dispatches begin with the
last. It imports DBOS: import it late."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from lapel_companion import workflows_v1
from lapel_companion.workflows_v1 import Hooks

# What all their names begin with.
FAMILY = "lapel.dispatch."


@dataclass(frozen=True)
class Version:
    """`register` makes the workflow known to DBOS, before that is launched."""

    name: str
    register: Callable[[Hooks], Callable[[str, int], Coroutine[Any, Any, str]]]


VERSIONS = (Version(workflows_v1.NAME, workflows_v1.register),)
