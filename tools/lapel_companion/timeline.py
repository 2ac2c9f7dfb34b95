"""Events as they happen: one readable line for people, one JSON line for scripts."""

from __future__ import annotations

import datetime
import json
from typing import Any

from lapel_companion.events import Event
from lapel_companion.link import safe_mode, set_aside

# What the JSON lines promise; other kinds are passed on as they are.
_FIELDS: dict[str, tuple[str, ...]] = {
    "linked": ("mtu", "interval_ms"),
    "unlinked": ("reason",),
    "clip": ("id", "codec", "ms", "bytes", "cut", "press_unix_ms", "reply_to"),
    "transcript": ("text", "confidence", "engine", "no_speech"),
    "job": ("id", "agent", "state", "text"),
    "notice": ("seq", "kind", "job", "text", "detail"),
}
# What is said of these never holds anybody's words.
_PLAIN = (
    *("linked", "unlinked", "safe_mode", "set_aside", "clip", "dispatch", "released", "cancel", "conflict", "epoch"),
    *("notice_stored", "notice_lost", "notice_seen", "notice_retracted", "notice_withdrawn", "restored", "clips_left"),
)
# Bookkeeping, of no interest while one looks on.
_HIDDEN = ("notice_sent", "notice_shown", "notices_mark", "engine_mark")


def public(event: Event) -> dict[str, Any]:
    """The event as `--json` gives it: {"event": name, fields...}, without time and place."""
    body = event.body
    if event.kind == "dispatch":
        shown = {key: body.get(key) for key in ("id", "outcome", "clip", "source")}
        return {"event": "dispatch", **shown}
    if event.kind == "outcome":
        # A dispatch is told twice: accepted, and what came of it.
        shown = {"id": event.dispatch, "outcome": body["outcome"], "reason": body.get("reason")}
        return {"event": "dispatch", **shown, "heard": body.get("heard")}
    names = _FIELDS.get(event.kind)
    shown = dict(body) if names is None else {name: body.get(name) for name in names}
    if event.dispatch is not None and event.kind != "clip":
        shown.setdefault("dispatch", event.dispatch)
    return {"event": event.kind, **shown}


def json_line(event: Event, t_ms: int) -> str:
    """One line of `--json`."""
    return json.dumps({"t_ms": t_ms, "who": "companion", **public(event)}, ensure_ascii=False)


def line(event: Event, texts: bool = True) -> str | None:
    """One line for a person, or None for what is only bookkeeping. Without `texts` it holds nothing that was
    said or printed: a log may have it."""
    if event.kind in _HIDDEN:
        return None
    text = _say(event) if texts or event.kind in _PLAIN else _title(event)
    when = datetime.datetime.fromtimestamp(event.ts).astimezone().strftime("%H:%M:%S")
    return None if text is None else f"{when}  {text}"


def _title(event: Event) -> str | None:
    body, dispatch = event.body, event.dispatch or ""
    match event.kind:
        case "transcript":
            return f"{dispatch}: heard ({body.get('engine') or 'unknown engine'})"
        case "outcome":
            return f"{dispatch}: {body['outcome']}" + (f", {body['reason']}" if body.get("reason") else "")
        case "job":
            return f"{event.job}: {body['agent']} {body['state']}"
        case "notice":
            return f"notice {body['seq']} ({body['kind']})"
        case "attempt":
            return None
        case _:
            return event.kind


def _say(event: Event) -> str | None:
    body, dispatch = event.body, event.dispatch or ""
    match event.kind:
        case "linked":
            interval = f", {body['interval_ms']} ms interval" if body.get("interval_ms") else ""
            return f"the pin is linked (MTU {body['mtu']}{interval})"
        case "unlinked":
            return f"the pin is gone: {body['reason']}"
        case "safe_mode":
            return safe_mode.sentence(body["cause"])
        case "set_aside":
            return set_aside.sentence(body)
        case "clip":
            cut = ", cut short by power" if body.get("cut") else ""
            return f"{dispatch}: {body['ms'] / 1000:.1f} s of sound came in{cut}"
        case "dispatch":
            return f"{dispatch}: typed" if body.get("clip") is None else None
        case "transcript":
            heard = f'heard "{body["text"]}"' if body.get("text") else "heard nothing intelligible"
            return f"{dispatch}: {heard} ({body.get('engine') or 'unknown engine'})"
        case "outcome":
            why = body.get("why") or body.get("reason")
            return f"{dispatch}: {body['outcome']}" + (f", {why}" if why else "")
        case "job":
            result = f": {body['text']}" if body.get("text") else ""
            return f"{event.job}: {body['agent']} {body['state']}{result}"
        case "notice":
            detail = "".join(f"\n            {row}" for row in str(body.get("detail", "")).splitlines())
            return f"notice {body['seq']} ({body['kind']}): {body['text']}{detail}"
        case "notice_stored":
            return f"notice {body['seq']} is on the pin"
        case "notice_lost":
            return f"notice {body['seq']} is not on the pin any more: it is sent again"
        case "notice_seen":
            return f"notice {body['seq']} was seen"
        case "notice_retracted":
            return f"notice {body['seq']} was taken back"
        case "notice_withdrawn":
            return f"notice {body['seq']} is off the pin"
        case "released":
            return f"{dispatch}: let go"
        case "cancel":
            return f"{dispatch or body.get('clip')}: cancelled"
        case "conflict":
            return f"the clip {body['id']} contradicts what is known of it; see the clips folder"
        case "epoch":
            return "a new history begins: the state here was put back or lost a part"
        case "restored" | "clips_left":
            return None
        case "settings":
            return (
                f"the pin refuses its settings: {body['error']}"
                if body.get("error")
                else "the pin has its settings"
            )
        case "attempt":
            return None
        case _:
            return f"{event.kind} {json.dumps(body, ensure_ascii=False)}"
