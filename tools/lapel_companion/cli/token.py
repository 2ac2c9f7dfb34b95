"""`lapel token`: who may use the companion's API with less than everything."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import quote

import click

from lapel_companion.cli.common import ago, daemon, state_option
from lapel_companion.cli.show import json_option
from lapel_companion.tokens import SCOPES

_SCOPES = "\n".join(f"  {name:<8}{what}" for name, what in SCOPES.items())


@click.group()
def token() -> None:
    """Let programs use the companion's API, each with a token that opens what it needs and no more."""


@token.command(epilog=f"\b\nScopes:\n{_SCOPES}")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(list(SCOPES)), help="Repeat it.")
@state_option
def add(name: str, scopes: tuple[str, ...], state: Path | None) -> None:
    """Make a token for NAME and print it, this once: only its digest is kept.

    The program gets it in the variable LAPEL_TOKEN (or on standard input of lapel --token-stdin), never in an argument,
    which other users of this computer could see.
    """
    with daemon(state) as client:
        made = client.post("/v1/tokens", {"name": name, "scopes": list(scopes)})
    click.echo(made["token"])
    click.echo(f"It is not shown again. It opens: {', '.join(made['scopes'])}.", err=True)


@token.command("list")
@json_option
@state_option
def list_(as_json: bool, state: Path | None) -> None:
    """List the tokens and what they open."""
    with daemon(state) as client:
        found = client.get("/v1/tokens")["tokens"]
    if as_json:
        click.echo(json.dumps({"tokens": found}, ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo("no tokens: only you can use this companion")
    for one in found:
        click.echo(f"{one['name']:<20} {', '.join(one['scopes']):<30} made {ago(one['made'], time.time())}")


@token.command()
@click.argument("name")
@state_option
def remove(name: str, state: Path | None) -> None:
    """Take the token of NAME back: from this moment it opens nothing, also where it is in use."""
    with daemon(state) as client:
        client.post(f"/v1/tokens/{quote(name, safe='')}/remove")
    click.echo(f"{name} has no token any more")

