"""`lapel pair` and `lapel unpair`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lapel_companion import lost
from lapel_companion.cli.common import clock, state_folder, state_option
from lapel_companion.client import ApiError, Client, NoDaemon
from lapel_companion.keys import Keys
from lapel_companion.pairing import PairingError

if TYPE_CHECKING:
    from lapel_usb.link import PinLink
    from lapel_usb.pairing import Person

_BAR = 30
_port = click.option("--port", default="", help="The serial port; without it, the only one that is there.")
_yes = click.option("--yes", is_flag=True, help="Ask nothing.")
_unsent = click.option("--unsent", is_flag=True, help="Also when recordings are erased that no computer has.")


@click.command()
@click.option("--rotate", is_flag=True, help="Another key for your own pin; it keeps its recordings.")
@_port
@_yes
@_unsent
@state_option
def pair(rotate: bool, port: str, yes: bool, unsent: bool, state: Path | None) -> None:
    """Pair the pin on USB with this computer: both get a new key, and no other computer can talk to the pin.

    What another owner left on the pin is erased first, after a question. What breaks off is made good by typing it
    again.
    """
    from lapel_usb import pairing

    keys = Keys(state_folder(state))
    with _on_pin(keys, port, "lapel pair") as (link, person):
        key = pairing.pair(link, keys, pairing.Wanted(rotate, yes, unsent), person)
    if key is None:
        raise click.exceptions.Exit(1)
    heard = _tell_daemon(keys, state_folder(state))
    click.echo(f"Paired: pin and computer have the key {key.fingerprint}, kept in {keys.where}. {heard}")


@click.command()
@click.option("--lost", "is_lost", is_flag=True, help="The pin is not at hand: this computer refuses it from now on.")
@click.option("--since", metavar="WHEN", help="With --lost: 2h, 3d, or 2026-11-20 18:00; else the last 24 h.")
@_port
@_yes
@_unsent
@state_option
def unpair(is_lost: bool, since: str | None, port: str, yes: bool, unsent: bool, state: Path | None) -> None:
    """Take the key from the pin on USB and from this computer; the pin forgets all it holds.

    With --lost the pin's key is revoked here, and what the pin asked for lately is listed.
    """
    folder = state_folder(state)
    keys = Keys(folder)
    if is_lost:
        _lost(keys, folder, since)
        return
    if since is not None:
        raise click.UsageError("--since belongs to --lost.")
    from lapel_usb import pairing

    with _on_pin(keys, port, "lapel unpair") as (link, person):
        done = pairing.unpair(link, keys, pairing.Wanted(sure=yes, unsent=unsent), person)
    _tell_daemon(keys, folder)
    if done:
        click.echo("Neither the pin nor this computer has a key any more. To use the pin again: lapel pair")


@contextmanager
def _on_pin(keys: Keys, port: str, again: str) -> Iterator[tuple[PinLink, Person]]:
    """The pin on USB, and the person; what goes wrong becomes a sentence and exit 1."""
    from lapel_usb.cli import PATIENCE_S
    from lapel_usb.errors import UsbError
    from lapel_usb.link import open_pin
    from lapel_usb.pairing import Person

    person = Person(click.confirm, click.echo, _bar)
    try:
        with keys.alone(), open_pin(port or None, tell=click.echo, timeout_s=PATIENCE_S) as link:
            yield link, person
    except UsbError as error:
        raise click.ClickException(str(error).replace("PORT=", "--port ")) from error
    except PairingError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo(f"\nStopped. The pin starts its app again by itself. To bring it to its end: {again}", err=True)
        raise click.exceptions.Exit(130) from None


def _lost(keys: Keys, folder: Path, since: str | None) -> None:
    try:
        with keys.alone():
            there = keys.told()["fingerprint"]
            was = keys.forget()
    except PairingError as error:
        raise click.ClickException(f"{error}\nUntil that is done, the pin is NOT revoked.") from error
    heard = _tell_daemon(keys, folder)
    # From here on it is so; the list is only told.
    if was:
        click.echo(f"Revoked: this computer refuses the pin with the key {there or '(damaged)'} from now on.")
        click.echo(heard.replace("it finds the key", "it finds none"))
    else:
        click.echo("No pin is paired with this computer.")
    now = time.time()
    if since is None and sys.stdin.isatty():
        since = click.prompt("Since when was it out of your hands?", default="24h")
    try:
        after = now - lost.DEFAULT_S if since is None else lost.since(since, now)
        _show(lost.asked(folder, after), after)
    except (ValueError, lost.LostError) as error:
        raise click.ClickException(f"What it asked for cannot be listed: {error}") from error


def _show(asked: lost.Asked, after: float) -> None:
    if asked.linked_s is not None:
        until = "now" if asked.unlinked_s is None else clock(asked.unlinked_s)
        click.echo(f"It was linked last from {clock(asked.linked_s)} until {until}.")
    span = f"since {clock(after)}{'' if asked.whole else ' (the newest only)'}"
    if not asked.dispatches:
        click.echo(f"It asked for nothing {span}.")
    else:
        click.echo(f"What it asked for {span}:")
    for one in asked.dispatches:
        heard = f'"{one["heard"]}"' if one["heard"] else "(nothing heard)"
        why = f": {one['reason']}" if one["reason"] else ""
        click.echo(f"  {one['id']:<6} {clock(one['ts'])}  {one['status']:<10} {heard}{why}")
    undone = [one["id"] for one in asked.dispatches if one["status"] in lost.CAN_BE_STOPPED]
    if undone:
        click.echo("Not done yet; these stop it:")
        for name in undone:
            click.echo(f"  lapel cancel {name}")
    click.echo("Another span: lapel unpair --lost --since 3d. A pin that is found again: lapel pair")


def _tell_daemon(keys: Keys, folder: Path) -> str:
    """The companion that runs looks at the key at once; what there is to say of it. Raises ClickException when it holds
    one although we hold none."""
    try:
        heard = Client(folder).post("/v1/key")
        mine = keys.told()["fingerprint"]
        if mine is None and heard.get("fingerprint") is not None:
            raise click.ClickException(
                f"The companion that runs still has a key, in {heard.get('where')}, which cannot be reached from here:"
                " stop it, and type this again in a terminal of your desktop. Until then the pin is NOT revoked."
            )
        if mine is not None and heard.get("fingerprint") != mine:
            # It runs outside of the session that opens the keyring.
            keys.to_file()
            heard = Client(folder).post("/v1/key")
    except NoDaemon:
        return "The companion does not run; it finds the key when it starts: lapel run"
    except (ApiError, PairingError) as error:
        return f"The companion that runs could not take it: {error}"
    return "The companion that runs has it already."


def _bar(done: int, whole: int) -> None:
    if sys.stdout.isatty() and whole:
        marks = "#" * (_BAR * done // whole)
        click.echo(f"\r  [{marks:{_BAR}}] {100 * done // whole:3d} %", nl=done >= whole)



