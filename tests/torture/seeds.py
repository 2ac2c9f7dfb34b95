"""Where chance comes from: a seed that is printed, and gives the same cases again."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE_GIT = 20261121


def commit_seed() -> int:
    """A number made of the commit that is checked out, so that each commit tries other samples."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return OUTSIDE_GIT
    return int(head.stdout[:7], 16)
