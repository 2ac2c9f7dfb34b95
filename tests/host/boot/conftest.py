"""The helpers of tests/host/simulator are imported by their full name, for the type checker too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.host.boot.pins import Pin  # noqa: E402


@pytest.fixture(params=["cpython", "micropython"])
def pin(request: pytest.FixtureRequest, tmp_path: Path) -> Pin:
    own = os.environ.get("LAPEL_MICROPYTHON") or str(Path(ROOT) / ".tools" / "micropython")
    return Pin(tmp_path, sys.executable if request.param == "cpython" else own)
