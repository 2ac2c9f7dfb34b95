"""The targets that only the computer runs: a name, and what makes a short verdict of bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

TARGETS: Mapping[str, Callable[[bytes], str]] = {}
