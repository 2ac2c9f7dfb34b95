"""The helpers beside these tests are imported as tests.host.companion.<name>, for the type checker too."""

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats and limits fifty times shorter, so that lost packets do not cost the test seconds."""
    from tests.host.companion.companion_fakes import make_hasty

    make_hasty(monkeypatch)
