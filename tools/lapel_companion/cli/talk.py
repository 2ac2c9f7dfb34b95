"""`lapel say`, `release` and `cancel`: requests, and waiting for what comes of them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from lapel_companion.cli.common import daemon, state_option
from lapel_companion.client import Client

_GOOD = ("done", "reminder")


@click.command()
@click.argument("text")
@click.option("--no-wait", is_flag=True, help="Hand it over and return at once.")
@click.option("--json", "as_json", is_flag=True, help="The notice as JSON.")
@state_option
def say(text: str, no_wait: bool, as_json: bool, state: Path | None) -> None:
    """Hand over a task by typing it, as if TEXT had been spoken, and wait for the result.

    Exit 0 when it was done, 1 when it was not. Ctrl-C only stops the waiting.
    """
    with daemon(state) as client:
        given = client.post("/v1/say", {"text": text})
        _result(client, given, no_wait, as_json)


@click.command()
@click.argument("dispatch")
@click.argument("text", required=False)
@click.option("--no-wait", is_flag=True, help="Let it go and return at once.")
@click.option("--json", "as_json", is_flag=True, help="The notice as JSON.")
@state_option
def release(dispatch: str, text: str | None, no_wait: bool, as_json: bool, state: Path | None) -> None:
    """Let the held DISPATCH (like d7) go, with TEXT in place of what was heard, and wait for the result."""
    with daemon(state) as client:
        given = client.post("/v1/release", {"dispatch": dispatch, "text": text})
        _result(client, given, no_wait, as_json)


@click.command()
@click.argument("dispatch")
@state_option
def cancel(dispatch: str, state: Path | None) -> None:
    """Stop DISPATCH (like d7) and its jobs."""
    with daemon(state) as client:
        click.echo(client.post("/v1/cancel", {"dispatch": dispatch})["answer"])


class _Progress:
    """One line on a terminal that changes with what happens; nothing where nobody looks on."""

    def __init__(self, quiet: bool) -> None:
        self._on = sys.stderr.isatty() and not quiet
        self._started = time.monotonic()

    def show(self, text: str) -> None:
        if self._on:
            click.echo(f"\r\x1b[K{text} ({time.monotonic() - self._started:.1f} s)", nl=False, err=True)

    def clear(self) -> None:
        if self._on:
            click.echo("\r\x1b[K", nl=False, err=True)


def _result(client: Client, given: dict[str, Any], no_wait: bool, as_json: bool) -> None:
    dispatch = given["dispatch"]
    if no_wait:
        click.echo(dispatch)
        return
    progress = _Progress(quiet=as_json)
    notice = _wait(client, dispatch, given["after"], progress)
    progress.clear()
    if notice is None:
        raise click.ClickException(
            f"the companion stopped before {dispatch} was done; it goes on when the companion runs again."
        )
    if as_json:
        import json

        click.echo(json.dumps({"dispatch": dispatch, **notice}, ensure_ascii=False))
    else:
        click.echo(notice["text"])
        if notice.get("detail"):
            click.echo(notice["detail"])
    if notice["kind"] not in _GOOD:
        raise click.exceptions.Exit(1)


def _wait(client: Client, dispatch: str, after: int, progress: _Progress) -> dict[str, Any] | None:
    for event in client.follow(after, dispatch=dispatch):
        kind, body = event["kind"], event["body"]
        if kind == "notice":
            return dict(body)
        if kind == "job":
            progress.show(f"{body['id']}: {body['agent']} {body['state']}")
        elif kind == "outcome" and body["outcome"] == "answer":
            return {"kind": "done", "text": body.get("why") or "answered", "detail": ""}
    return None
