"""`lapel doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from lapel_companion.agents.output import plain
from lapel_companion.cli.common import config_option, state_folder, state_option

_COLOURS = {"ok": "green", "info": "blue", "warn": "yellow", "bad": "red"}


@click.command()
@click.option("--radio", default="bleak", show_default=True, metavar="SPEC", help="The radio to try.")
@click.option(
    "--usb", is_flag=False, flag_value="", default=None, metavar="[PORT]", help="Look at the pin on USB instead."
)
@config_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, for scripts.")
def doctor(radio: str, usb: str | None, config_file: Path | None, state: Path | None, as_json: bool) -> None:
    """Check what is there, what is missing, and what to type. Exit 1 when something does not work."""
    from lapel_companion.doctor import BAD, examine

    findings = []
    if usb is None:
        checks = examine(state_folder(state), config_file, radio)
    else:
        from lapel_companion.keys import Keys
        from lapel_usb import examine as on_usb

        keys = Keys(state_folder(state))
        checks = on_usb.examine(usb or None, lambda sentence: click.echo(sentence, err=True), keys)
    for finding in checks:
        findings.append(finding)
        if as_json:
            continue
        # A pin on the cable says what it likes.
        first, *rest = plain(finding.text).split("\n")
        click.echo(
            f"{click.style(f'{finding.level:<4}', fg=_COLOURS[finding.level])}  {finding.subject}: {first}"
        )
        for row in rest:
            click.echo(f"        {row}")
        for row in finding.type.splitlines():
            click.echo(f"        type: {row}")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    if any(finding.level == BAD for finding in findings):
        raise click.exceptions.Exit(1)
