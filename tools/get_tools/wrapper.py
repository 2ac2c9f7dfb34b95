"""Small shell programs that start what was unpacked."""

from __future__ import annotations

import os
import shlex
from pathlib import Path


def write(target: Path, command: list[str]) -> None:
    """Makes `target` an executable that runs `command` and its own arguments; replaced in one step.

    Paths below the wrapper's folder are kept relative to it, so that a checkout can be moved.
    """
    here = str(target.parent.resolve())
    words = [
        '"' + word.replace(here, "${0%/*}") + '"' if here in word else shlex.quote(word) for word in command
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    fresh.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n', encoding="utf-8")
    fresh.chmod(0o755)
    fresh.replace(target)
