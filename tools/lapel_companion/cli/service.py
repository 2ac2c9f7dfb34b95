"""`lapel service`."""

from __future__ import annotations

from pathlib import Path

import click

from lapel_companion.cli.common import config_option, state_option
from lapel_companion.service import ServiceError, Status, here


@click.group()
def service() -> None:
    """Have the companion run whenever you are logged in (systemd, or launchd on macOS)."""


@service.command()
@click.option("--radio", default="bleak", show_default=True, metavar="SPEC", help="As of lapel run.")
@config_option
@state_option
def install(radio: str, config_file: Path | None, state: Path | None) -> None:
    """Install and start it; again to change its options."""
    from lapel_companion import config
    from lapel_companion.link.radio import RadioError, radio_of

    try:
        # What the service could not start with is better said here than in a log.
        config.load(config_file)
        radio_of(radio)
    except (config.ConfigError, RadioError) as error:
        raise click.ClickException(str(error)) from error
    arguments = ["--radio", radio]
    for option, path in (("--config", config_file), ("--state", state)):
        if path is not None:
            arguments += [option, str(path.expanduser().absolute())]
    try:
        _show(here().install(arguments))
    except ServiceError as error:
        raise click.ClickException(str(error)) from error


@service.command()
def status() -> None:
    """Show whether it is installed and runs."""
    try:
        found = here().status()
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
    _show(found)
    if not (found.installed and found.running):
        raise click.exceptions.Exit(1)


@service.command()
def uninstall() -> None:
    """Stop it and remove it; what it knows stays in the state folder."""
    try:
        _show(here().uninstall())
    except ServiceError as error:
        raise click.ClickException(str(error)) from error


def _show(found: Status) -> None:
    if not found.installed:
        click.echo("not installed. To install it: lapel service install")
        return
    runs = {True: "runs", False: "does not run", None: "nobody could be asked whether it runs"}[found.running]
    click.echo(f"installed ({found.file}), {runs}\nits log: {found.log}")
