"""`lapel status`, `jobs`, `log` and `notices`: what the daemon knows, as lines or as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from lapel_companion.agents.output import plain
from lapel_companion.cli.common import ago, clock, daemon, state_option
from lapel_companion.link import safe_mode, set_aside

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, for scripts.")
limit_option = click.option(
    "-n", "--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many at most."
)


@click.command()
@json_option
@state_option
def status(as_json: bool, state: Path | None) -> None:
    """Show the link, what is under way and what waits for you."""
    with daemon(state) as client:
        found = client.get("/v1/status")
        dispatches = client.get("/v1/dispatches", limit=10)["dispatches"]
    if as_json:
        _json({**found, "dispatches": dispatches})
        return
    now = time.time()
    click.echo(f"companion {found['version']}, started {ago(found['started'], now)}, state {found['state']}")
    click.echo(_link(found["link"], now))
    if others := _others(found["link"]):
        click.echo(others)
    if found.get("pairing"):
        click.echo(_paired(found["pairing"]))
    if found["link"].get("set_aside"):
        click.echo(f"pin: {found['link']['set_aside']}; {set_aside.WAY_ON}")
    engine = found["engine"]
    click.echo(f"jobs running: {', '.join(engine['running']) or 'none'}; dispatches open: {engine['open']}")
    click.echo(f"notices unseen: {found['unseen']}")
    if found["trouble"]:
        click.echo(f"trouble: {found['trouble']}")
    for one in dispatches:
        click.echo(_dispatch(one, now))


@click.command()
@limit_option
@json_option
@state_option
def jobs(limit: int, as_json: bool, state: Path | None) -> None:
    """List the newest jobs, the newest last."""
    with daemon(state) as client:
        found = client.get("/v1/jobs", limit=limit)["jobs"]
    if as_json:
        _json({"jobs": found})
        return
    if not found:
        click.echo('no jobs yet. Try: lapel say "how much disk space is left"')
    for one in found:
        click.echo(f"{one['id']:<8} {one['agent']:<9} {one['state']:<9} {one['text'] or one['heard']}")


@click.command()
@click.argument("job")
@json_option
@state_option
def log(job: str, as_json: bool, state: Path | None) -> None:
    """Show what JOB (like d7.1) printed, also while it runs."""
    with daemon(state) as client:
        found = client.get(f"/v1/jobs/{job}/log")
    if as_json:
        _json(found)
        return
    click.echo(
        f"{found['job']}: {found['state']}" + (f", {found['text']}" if found["text"] else ""), err=True
    )
    # What a program printed must not steer the terminal of who reads it.
    text = plain(found["log"]) if sys.stdout.isatty() else found["log"]
    click.echo(text, nl=not text.endswith("\n"))


@click.command()
@click.option("--unseen", is_flag=True, help="Only those that nobody has seen.")
@click.option("--seen", "mark", metavar="N|all", help="Mark notice N, or all, as seen; the pin hears of it.")
@limit_option
@json_option
@state_option
def notices(unseen: bool, mark: str | None, limit: int, as_json: bool, state: Path | None) -> None:
    """List the newest notices, the newest last, or mark them as seen."""
    with daemon(state) as client:
        if mark is not None:
            found = client.post("/v1/notices/seen" if mark == "all" else f"/v1/notices/{mark}/seen")
            click.echo(f"{len(found['seen'])} marked as seen")
            return
        listed = client.get("/v1/notices", limit=limit, unseen=int(unseen))["notices"]
    if as_json:
        _json({"notices": listed})
        return
    if not listed:
        click.echo("nothing that nobody has seen" if unseen else "no notices yet")
    for one in listed:
        mark_of = "-" if one["retracted"] else " " if one["seen"] else "*"
        click.echo(f"{mark_of} {one['seq']:>4}  {clock(one['ts'])}  {one['kind']:<9} {one['text']}")
        for row in str(one["detail"]).splitlines():
            click.echo(f"{'':<38}{row}")


def _link(link: dict[str, Any], now: float) -> str:
    if link.get("safe_mode"):
        return f"pin: {safe_mode.sentence(link['safe_mode'])}; {safe_mode.WAY_ON}"
    if "dev" not in link:
        advice = f"; {link['advice']}" if link.get("advice") else ""
        return f"pin: not linked ({link['state']}, radio {link['radio']}){advice}"
    interval = f", {link['interval_ms']} ms interval" if link["interval_ms"] else ""
    battery = f", {link['battery_mv'] / 1000:.2f} V" if link.get("battery_mv") else ""
    return f"pin: {link['dev']} linked {ago(link['since'], now)} (MTU {link['mtu']}{interval}{battery})"


def _others(link: dict[str, Any]) -> str:
    refused, dropped = link.get("refused", {}), link.get("dropped", {})
    words = (
        (link.get("strangers", 0), "advertisers that were not your pin"),
        (refused.get("bad", 0), "records damaged or made up"),
        (refused.get("replayed", 0), "of them said before"),
        (refused.get("gaps", 0), "records that never came"),
        (dropped.get("packets", 0), "packets that came too fast"),
    )
    said = ", ".join(f"{count} {what}" for count, what in words if count)
    return f"refused: {said}" if said else ""


def _paired(told: dict[str, Any]) -> str:
    if told["trouble"]:
        return f"paired: {told['trouble']}"
    if told["begun"]:
        return "paired: a pairing broke off; with the pin plugged in: lapel pair"
    if told["fingerprint"] is None:
        return "paired: no; with the pin plugged in: lapel pair"
    return f"paired: key {told['fingerprint']}, in {told['where']}"


def _dispatch(one: dict[str, Any], now: float) -> str:
    heard = f'"{one["heard"]}"' if one["heard"] else "(nothing heard)"
    why = f": {one['reason']}" if one["status"] in ("held", "unheard", "cancelled") and one["reason"] else ""
    return f"{one['id']:<6} {one['status']:<10} {ago(one['ts'], now):<11} {heard}{why}"


def _json(body: dict[str, Any]) -> None:
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))
