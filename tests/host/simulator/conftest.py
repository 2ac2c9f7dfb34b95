"""The helpers beside these tests are imported as tests.host.simulator.<name>, for the type checker too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.host.simulator.desks import Desk, desk_in  # noqa: E402


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """desk(program, options, paths, **env): a simulation that runs a program of device/; see desk_in."""
    return desk_in(tmp_path)
