"""Options and manners that the commands share."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from lapel_companion.client import ApiError, Client, NoDaemon

FILE = click.Path(path_type=Path)


def state_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--state, for a command that talks to a daemon."""
    return click.option(
        "--state",
        type=FILE,
        envvar="LAPEL_STATE",
        show_envvar=True,
        help="The state folder; the platform's usual place when not given.",
    )(command)


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--config, for a command that reads the configuration."""
    return click.option(
        "--config",
        "config_file",
        type=FILE,
        envvar="LAPEL_CONFIG",
        show_envvar=True,
        help="The configuration file; the platform's usual place when not given.",
    )(command)


def state_folder(given: Path | None) -> Path:
    """The state folder that is meant, absolute."""
    from lapel_companion.state import default_folder

    return (given.expanduser() if given else default_folder()).absolute()


@contextmanager
def daemon(given: Path | None) -> Iterator[Client]:
    """A client of the daemon; what goes wrong becomes a sentence and exit 1."""
    try:
        yield Client(state_folder(given), click.get_current_context().find_root().obj)
    except (NoDaemon, ApiError) as error:
        raise click.ClickException(str(error)) from error


def ago(ts: float, now: float) -> str:
    """How long ago, in words."""
    seconds = max(0, round(now - ts))
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {name} ago"
    return f"{seconds} s ago"


def clock(ts: float) -> str:
    """Local date and time of a unix time."""
    return datetime.datetime.fromtimestamp(ts).astimezone().strftime("%Y-%m-%d %H:%M:%S")
