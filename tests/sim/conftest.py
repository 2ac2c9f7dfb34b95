"""The helpers beside these tests are imported as tests.sim.<name>, for the type checker too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.sim.runs import Sim  # noqa: E402


@pytest.fixture
def sim(tmp_path: Path) -> Sim:
    """sim(script, *options): one run of `lapel sim` on the test's own state and configuration."""
    return Sim(tmp_path)
