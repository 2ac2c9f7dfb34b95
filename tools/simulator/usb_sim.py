"""`lapel sim --usb`: a pin on a port, its hardware around it and a companion, until Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lapel_companion.client import follow
from simulator.compiled import CannotCompile
from simulator.folder import Busy
from simulator.pin import CLASSIC, NoInterpreter
from simulator.show import JsonLines, Screen
from simulator.usb_desk import usb_desk


def on_usb(
    state: Path, board: str, without: Sequence[str], config: Path, screen: JsonLines | Screen, **options: Any
) -> None:
    """Shows what happens, and how to put an app on the pin. `options` are the simulation's. Raises
    click.ClickException."""
    screen.head()
    try:
        with usb_desk(
            state, board, without, frozen=False, hear=screen.show, config=config, companion=follow, **options
        ) as desk:
            name = CLASSIC if board == CLASSIC else board
            click.echo(f"A simulated pin is on {desk.pin.port}. In another terminal:", err=True)
            click.echo(f"  make flash BOARD={name} PORT={desk.pin.port}", err=True)
            if board != CLASSIC:
                click.echo(f"  lapel pair --port {desk.pin.port} --state {state}", err=True)
            click.echo(f"  lapel bringup --port {desk.pin.port} --radio none", err=True)
            click.echo("Ctrl-C ends it.", err=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("", err=True)
    except (Busy, NoInterpreter, CannotCompile, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
