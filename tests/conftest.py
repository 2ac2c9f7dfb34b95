"""For every test: the home folder is an empty one, and there is no keyring, so that nothing of the person's own is read
or written."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDERS = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
}
KEYRING = "PYTHON_KEYRING_BACKEND"

# What waits for processes and their clocks, minutes in all.
LONG = ("sim", "torture", "speech")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker begins with its share of the long ones: otherwise all wait for one of them at the end.

    The workers get equal parts of the list, one behind the other.
    """
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    if workers == 1:
        return
    here = Path(__file__).parent
    long: list[pytest.Item] = []
    quick: list[pytest.Item] = []
    for item in items:
        (long if item.path.relative_to(here).parts[0] in LONG else quick).append(item)
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        mine = long[worker::workers]
        end = max(0, len(items) * (worker + 1) // workers - len(ordered) - len(mine))
        ordered += mine + quick[:end]
        del quick[:end]
    items[:] = ordered + quick


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and every program that they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def empty_home() -> Iterator[Path]:
    """The folder that is HOME while the tests run."""
    before = {name: os.environ.get(name) for name in ("HOME", KEYRING, *FOLDERS)}
    with tempfile.TemporaryDirectory(prefix="lapel-home-") as home:
        os.environ["HOME"] = home
        # Asked for a keyring, the library would take any class of one that some test has made.
        os.environ[KEYRING] = "keyring.backends.fail.Keyring"
        for name, folder in FOLDERS.items():
            os.environ[name] = str(Path(home) / folder)
        yield Path(home)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
