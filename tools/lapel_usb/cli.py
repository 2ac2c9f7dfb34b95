"""`python -m lapel_usb COMMAND`: what `make flash`, `console`, `logs`, `backup` and `wipe` run.

Exit codes: 0 done, 1 trouble (a sentence and a way on are printed), 2 used wrongly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from lapel_usb import backup, checks, console, wipe
from lapel_usb.errors import NotMicroPython, UsbError
from lapel_usb.flash import Request, Told, flash
from lapel_usb.link import open_pin
from lapel_usb.logs import follow

# A minute of recording, and a little.
PATIENCE_S = 75.0


def say(sentence: str) -> None:
    """To the person."""
    click.echo(sentence)


def port_option(command: Callable[..., None]) -> Callable[..., None]:
    """--port, for all commands."""
    return click.option("--port", default="", help="The serial port; without it, the only one that is there.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What goes to a Lapel pin over USB."""


@main.command("flash")
@click.option("--board", default="", help="A folder of boards/.")
@click.option("--aioble", default="", help="A folder of aioble's sources, in place of the package index.")
@click.option("--mip-index", default="", help="Another package index.")
@click.option("--other-board", is_flag=True, help="The pin was built anew with another board.")
@click.option("--format", "format_it", is_flag=True, help="Format a filesystem that does not mount.")
@click.option("--previous", is_flag=True, help="Go back to the app before this one.")
@port_option
def flash_command(
    board: str, aioble: str, mip_index: str, other_board: bool, format_it: bool, previous: bool, port: str
) -> None:
    """Put the app on a pin, beside the one that runs, and switch."""
    request = Request(board, aioble, mip_index, other_board, format_it, previous)
    # before the pin is disturbed
    want = None if previous else checks.wanted(board)
    install = checks.how_to_install(want, port or "PORT") if want else ""
    answered = False
    try:
        with open_pin(port or None, tell=say, timeout_s=PATIENCE_S) as link:
            answered = True
            flash(link, request, Told(say, _bar))
    except NotMicroPython as error:
        raise NotMicroPython(error.sentence, f"{error.way_on}\n{install}".strip()) from error
    except KeyboardInterrupt:
        if answered:
            raise
        raise NotMicroPython("Stopped before the pin answered; nothing on it was changed.", install) from None


@main.command("console")
@port_option
def console_command(port: str) -> None:
    """MicroPython's prompt on the pin; the app is stopped meanwhile."""
    console.run(port or None, say)


@main.command("logs")
@port_option
def logs_command(port: str) -> None:
    """What the pin tells, without disturbing it."""
    follow(port or None, say)


@main.command("backup")
@click.option("--to", default="", help="The folder to make; without it, lapel-backup-DATE.")
@click.option("--raw", is_flag=True, help="The whole flash as an image, also when it does not mount.")
@port_option
def backup_command(to: str, raw: bool, port: str) -> None:
    """Recordings, settings and flight recorder into a folder, verified."""
    with open_pin(port or None, tell=say, timeout_s=PATIENCE_S) as link:
        backup.run(link, Path(to) if to else backup.default_folder(), raw, say, _bar)


@main.command("wipe")
@click.option("--all", "everything", is_flag=True, help="The app and everything else, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--unsent", is_flag=True, help="Also when recordings wait that no computer has.")
@port_option
def wipe_command(everything: bool, yes: bool, unsent: bool, port: str) -> None:
    """Erase recordings, settings and key."""

    def ask(question: str) -> bool:
        return yes or click.confirm(question)

    with open_pin(port or None, tell=say, timeout_s=PATIENCE_S) as link:
        wipe.run(link, wipe.Wanted(everything, unsent), ask, say, _bar)


def _bar(done: int, whole: int) -> None:
    """How far it is, on a terminal only."""
    if not sys.stdout.isatty() or not whole:
        return
    width = 30
    marks = "#" * (width * done // whole)
    click.echo(f"\r  [{marks:{width}}] {100 * done // whole:3d} %", nl=done >= whole)


def run(arguments: list[str] | None = None) -> int:
    """The exit code; troubles are printed."""
    try:
        main(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped. The pin starts its app again by itself within two minutes.", err=True)
        return 1
    except UsbError as error:
        click.echo(f"lapel: {error.sentence}", err=True)
        if error.way_on:
            click.echo(error.way_on, err=True)
        return 1
    return 0


