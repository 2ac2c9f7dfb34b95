"""Where things lie: the configuration in the platform's usual place, and what the state folder holds for
jobs."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_config_path, user_documents_path

EXAMPLE = Path(__file__).with_name("example.toml")


def config_file() -> Path:
    """The configuration that is read when --config names none; it need not exist."""
    return user_config_path("lapel") / "config.toml"


def notes_file() -> Path:
    """Where notes go when the configuration names no file."""
    return user_documents_path() / "lapel-notes.md"


def engine_database(state: Path) -> Path:
    """What the job engine needs to go on after a restart; the table of events is the truth."""
    return state / "dbos.sqlite"
