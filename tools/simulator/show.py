"""The timeline for people: on the left what the person does and feels, on the right what happens behind
it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

import click

from simulator.events import Event

LEFT = 34
TIME = 8
WIDTH_MIN = 80
PLAIN_WIDTH = 110

Fields = Mapping[str, Any]
Teller = Callable[[Fields], str]

FEELS = {
    "listening": "a tick: speak now",
    "captured": "two short: captured",
    "kept": "captured, will be sent later",
    "accepted": "a light tap: taken on",
    "full": "refused: no room for 60 s",
    "forget": "let go, then tap three times: it forgets you",
    "forget_again": "a recording was not sent: tap three times again",
    "forgotten": "it has forgotten everything",
}


def _haptic(f: Fields) -> str:
    name = str(f.get("pattern", "?"))
    return f"~ {FEELS.get(name, name)}"


def _jobs(f: Fields) -> str:
    return f"job {f.get('id')} ({f.get('agent')}): {f.get('state')}"


def _dispatch(f: Fields) -> str:
    reason = f.get("reason")
    return f"dispatch {f.get('id')}: {f.get('outcome')}{f' ({reason})' if reason else ''}"


def _transcript(f: Fields) -> str:
    if not f.get("text"):
        return "heard nothing intelligible"
    return f"heard \"{f.get('text')}\" ({f.get('engine')})"


def _clip(f: Fields) -> str:
    return f"{_short(f.get('id'))} whole and durable, {_seconds(f.get('ms'))}"


def _captured(f: Fields) -> str:
    return f"{_short(f.get('clip'))} on flash: {_seconds(f.get('ms'))}, {f.get('bytes')} B"


# what is felt: (who, event) -> text; "" shows nothing
PERSON: dict[tuple[str, str], Teller] = {
    ("sim", "press"): lambda f: "press",
    ("sim", "release"): lambda f: "let go",
    ("sim", "speak"): lambda f: f"speaks {f.get('file')}, {f.get('seconds')} s",
    ("sim", "not_listening"): lambda f: "no tick: nothing said",
    ("sim", "power"): lambda f: "power on" if f.get("on") else "POWER CUT",
    ("sim", "link"): lambda f: f"radio: {f.get('how')}",
    ("sim", "relay"): lambda f: " ".join(["relay:", *(str(f[key]) for key in ("fault", "percent", "way") if key in f)]),
    ("sim", "companion"): lambda f: f"companion: {f.get('how')}",
    ("sim", "battery"): lambda f: f"battery: {f.get('mv')} mV",
    ("pin", "haptic"): _haptic,
    ("pin", "safe_mode"): lambda f: "~ the light blinks violet: safe mode",
    ("pin", "notice"): lambda f: f"{f.get('kind')}: {f.get('text')}",
}
BEHIND: dict[tuple[str, str], Teller] = {
    ("pin", "boot"): lambda f: f"boots (cause: {f.get('cause')})",
    ("pin", "recording"): lambda f: "microphone on",
    ("pin", "captured"): _captured,
    ("pin", "kept"): lambda f: f"no companion in reach: keeps {_short(f.get('clip'))}",
    ("pin", "accepted"): lambda f: f"{_short(f.get('clip'))} is {f.get('dispatch')}: its copy may go",
    ("pin", "dropped"): lambda f: f"dropped {f.get('count')} from {f.get('queue')}",
    ("pin", "task_died"): lambda f: f"task {f.get('task')} died: {f.get('error')}",
    ("pin", "silence"): lambda f: "nobody answers: ends the link",
    ("pin", "link"): lambda f: "session with the companion" if f.get("up") else "no companion in reach",
    ("pin", "formatted"): lambda f: "flash was empty: new file system",
    ("pin", "failed_boots"): lambda f: f"{f.get('count')} boots failed before: {f.get('error')}",
    ("pin", "fault"): lambda f: f"fault: {f.get('error')}",
    ("pin", "forget"): lambda f: f"forgetting: {f.get('step')}",
    ("radio", "connected"): lambda f: f"connected, an event each {f.get('interval_ms')} ms",
    ("radio", "disconnected"): lambda f: f"disconnected (reason {f.get('reason')})",
    ("companion", "linked"): lambda f: f"linked: MTU {f.get('mtu')}, interval {f.get('interval_ms')} ms",
    ("companion", "unlinked"): lambda f: f"link lost: {f.get('reason')}",
    ("companion", "safe_mode"): lambda f: f"the pin is in safe mode: {f.get('cause')}",
    ("companion", "clip"): _clip,
    ("companion", "transcript"): _transcript,
    ("companion", "dispatch"): _dispatch,
    ("companion", "job"): _jobs,
    ("companion", "exited"): lambda f: f"ended by itself (exit {f.get('code')}): {f.get('error')}",
    ("sim", "overrun"): lambda f: f"microphone overrun: {f.get('blocks')} blocks lost",
    ("sim", "reset"): lambda f: f"the pin resets ({f.get('cause')})",
    ("sim", "repl"): lambda f: f"main has {f.get('why')}: the prompt",
    ("sim", "failure"): lambda f: str(f.get("why")),
    ("sim", "note"): lambda f: str(f.get("text")),
}
BAD = {"task_died", "overrun", "failure", "exited", "dropped"}
COLOURS = {"pin": "cyan", "companion": "green", "radio": "blue", "sim": "yellow"}


class Screen:
    """Prints each event as a line. `verbose` shows what has no line of its own, too."""

    def __init__(self, out: IO[str] | None = None, colour: bool | None = None, verbose: bool = False) -> None:
        self._out = out or sys.stdout
        self._colour = self._out.isatty() if colour is None else colour
        self._verbose = verbose
        width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns if self._out.isatty() else PLAIN_WIDTH
        self._width = max(WIDTH_MIN, width)

    def head(self) -> None:
        """What the columns are."""
        self._line("", "what the person does and feels", "what happens behind it", "", bold=True)

    def show(self, event: Event) -> None:
        """One event; nothing for those that say nothing to a person."""
        key = (event.who, event.name)
        time = f"{event.t_s:6.2f} s"
        if key in PERSON:
            self._line(time, PERSON[key](event.fields), "", "")
        elif key in BEHIND:
            self._line(time, "", BEHIND[key](event.fields), event.who, bad=event.name in BAD)
        elif self._verbose:
            fields = " ".join(f"{k}={v}" for k, v in event.fields.items())
            self._line(time, "", f"{event.name} {fields}".rstrip(), event.who, dim=True)

    def _line(self, time: str, left: str, right: str, who: str, **style: bool) -> None:
        said = f"{who}: {right}" if who else right
        room = self._width - TIME - LEFT - 4
        if not right:
            text = f"{time:>{TIME}}  {left}"
            if len(text) > self._width:
                text = text[: self._width - 1] + "…"
        else:
            said = said if len(said) <= room else said[: room - 1] + "…"
            if self._colour:
                said = click.style(said, fg="red" if style.pop("bad", False) else COLOURS.get(who), **style)
            text = f"{time:>{TIME}}  {left:<{LEFT}}  {said}"
        print(text.rstrip(), file=self._out, flush=True)


class JsonLines:
    """Prints each event as one line of JSON."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout

    def head(self) -> None:
        """Nothing: every line is an event."""

    def show(self, event: Event) -> None:
        """One event."""
        print(json.dumps(event.as_json(), ensure_ascii=False, default=str), file=self._out, flush=True)


def _short(clip: object) -> str:
    # device and epoch say nothing to a person
    return f"clip {str(clip).rsplit('-', 1)[-1]}" if clip else "clip"


def _seconds(ms: object) -> str:
    return f"{ms / 1000:.2f} s" if isinstance(ms, int | float) else "? s"
