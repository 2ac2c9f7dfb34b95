"""What the pin's flight recorder says, in words: what went wrong last, and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lapel_companion.agents.output import plain

EVENTS_SHOWN = 10
# Less free heap than this, and the next large buffer may not be had.
LOW_HEAP_BYTES = 16_000
# A loop held up for so long is felt: patterns stretch, a press is answered late.
LONG_STALL_MS = 1000
# Only so many boots can the recorder tell apart (u16 in its events).
_BOOTS_WRAP = 1 << 16


@dataclass(frozen=True)
class Trouble:
    """`what` happened, `when`, and what to `do`."""

    what: str
    when: str
    do: str = ""


# What stands in the text of an error, and what helps. The first that fits counts.
_REMEDIES = (
    (
        "MemoryError",
        "the heap ran out: a board with PSRAM, or the app frozen into its firmware (make firmware), has room",
    ),
    ("flash is full", "let the computer come near so that recordings leave the pin, or save them: make backup"),
    ("set aside", "it cannot be read; its file is kept on the pin: make backup brings it here"),
    ("damaged: clip", "what could be read of it comes in as a recording that was cut short, and is held"),
    ("flash error", "the flash may be worn: make backup, and if it comes again use another board"),
    ("EIO", "the flash may be worn: make backup, and if it comes again use another board"),
    ("answers at", "check the wires and the power of that part; lapel bringup tests it"),
    ("ImportError", "a part of the app is missing on the pin: flash it again (make flash)"),
    ("no module named", "a part of the app is missing on the pin: flash it again (make flash)"),
    ("SyntaxError", "the app on the pin does not fit its MicroPython: flash it again (make flash)"),
    ("dies again and again", "flash the app again (make flash); if it goes on, tell us with the lines below"),
)


def last_trouble(log: dict[str, Any]) -> Trouble | None:
    """The newest thing that went wrong, of a decoded flight log (lapel_wire.flight_reading.decode); None: nothing."""
    events = log["events"]
    for at in range(len(events) - 1, -1, -1):
        found = _trouble(log, events, at)
        if found is not None:
            return found
    return None


def headline(log: dict[str, Any]) -> str:
    """One sentence or two: what went wrong last, when, and what to do; or that nothing did."""
    trouble = last_trouble(log)
    if trouble is None:
        return f"nothing went wrong in {_boots(log)}"
    text = f"{trouble.what} ({trouble.when})"
    return f"{text}; {trouble.do}" if trouble.do else text


def no_opus(log: dict[str, Any]) -> str:
    """Why the pin records in ADPCM, by its own words of this boot; "" when it has said nothing of it."""
    said = [e["text"] for e in log["events"] if _ago(log, e) == 0 and e["text"].startswith(("no Opus: ", "codec "))]
    return _shown(said[-1]) if said and not said[-1].startswith("codec ") else ""


def lines(log: dict[str, Any]) -> list[str]:
    """The recorder in lines for a person: the counters in words, then the newest events as they were written."""
    out = [f"{_boots(log)} remembered, {_counted(log)}"]
    out += [text for text in (_heap(log), _stalled(log)) if text]
    for event in log["events"][-EVENTS_SHOWN:]:
        out.append(f"boot {event['boot']} {event['ms'] / 1000:9.3f} s {event['event']}: {event['text']}")
    return [_shown(line) for line in out]


def _trouble(log: dict[str, Any], events: list[dict[str, Any]], at: int) -> Trouble | None:
    event = events[at]
    kind, text = event["event"], _shown(event["text"])
    when = _when(log, event)
    if kind == "boot":
        return _reset(log, events, at)
    if kind == "died":
        error = _shown(log["last_error"])
        cause = error.partition(": ")[2] if error.startswith(event["text"] + ": ") else ""
        count = _times(events, "died", event["text"])
        what = f"its service '{text}' ended{count} and was started again" + (f": {cause}" if cause else "")
        return Trouble(what, when, _remedy(cause))
    if kind == "error":
        error = _shown(log["last_error"])
        # An event holds 24 bytes of it, the last error 128.
        whole = error if error.startswith(text) else text
        return Trouble(whole, when, _remedy(whole))
    if kind == "late":
        return Trouble(f"its service '{text}' did not report in time", when, "")
    if kind == "overrun":
        return Trouble("samples of the microphone were lost", when, "the pin was held up by something: see the stalls")
    if kind == "drop":
        return Trouble(f"the queue '{text}' was full and something was dropped", when, "")
    return None


def _reset(log: dict[str, Any], events: list[dict[str, Any]], at: int) -> Trouble | None:
    event = events[at]
    cause = event["text"]
    when = "at its last start" if _ago(log, event) == 0 else _starts_ago(log, event)
    if cause == "watchdog":
        late = next((e["text"] for e in reversed(events[:at]) if e["event"] == "late"), "")
        ran = log["last_task_before"] if _ago(log, event) == 0 else ""
        what = "its watchdog reset the pin"
        if late:
            what += f": the service '{_shown(late)}' had not reported"
        elif ran:
            what += f": nothing reported any more, the last one was '{_shown(ran)}'"
        return Trouble(what, when, "if it comes again, make logs shows what was done before")
    if cause == "unknown":
        do = "that is MicroPython itself or the supply: try a fuller cell, then a newer MicroPython"
        return Trouble("the chip reset itself without a cause that it could name", when, do)
    # Real loss of power forgets the recorder: remembered, the supply only dipped.
    if cause == "power" and at > 0:
        do = "check the cell, its wires and its charge; the radio and the motor draw the most"
        return Trouble("its supply dipped and the pin started again", when, do)
    return None


def _remedy(text: str) -> str:
    lowered = text.lower()
    return next((remedy for sign, remedy in _REMEDIES if sign.lower() in lowered), "")


def _times(events: list[dict[str, Any]], kind: str, text: str) -> str:
    count = sum(e["event"] == kind and e["text"] == text for e in events)
    return f" {count} times" if count > 1 else ""


def _ago(log: dict[str, Any], event: dict[str, Any]) -> int:
    boots: int = ((log["boots"] or 0) - event["boot"]) % _BOOTS_WRAP
    return boots


def _starts_ago(log: dict[str, Any], event: dict[str, Any]) -> str:
    ago = _ago(log, event)
    return "one start ago" if ago == 1 else f"{ago} starts ago"


def _when(log: dict[str, Any], event: dict[str, Any]) -> str:
    ago = _ago(log, event)
    if ago == 0:
        return f"{_span((log['written_ms'] or 0) - event['ms'])} ago"
    boot = "in the run before" if ago == 1 else _starts_ago(log, event)
    return f"{boot}, {_span(event['ms'])} after it started"


def _span(ms: int) -> str:
    seconds = max(0, ms) // 1000
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"


def _boots(log: dict[str, Any]) -> str:
    return "one start" if log["boots"] == 1 else f"{log['boots'] or 0} starts"


def _counted(log: dict[str, Any]) -> str:
    names = {
        "deaths": "services ended",
        "overruns": "times the microphone lost samples",
        "drops": "times a queue was full",
    }
    told = [f"{log[name]} {text}" for name, text in names.items() if log[name]]
    return ", ".join(told) if told else "nothing lost"


def _heap(log: dict[str, Any]) -> str:
    low = log["heap_low_bytes"]
    if low is None:
        low, since = log["heap_low_before_bytes"], " before the last reset"
    else:
        since = ""
    if low is None:
        return ""
    tight = ": that is tight" if low < LOW_HEAP_BYTES else ""
    return f"lowest free heap{since} {low:,} B{tight}"


def _stalled(log: dict[str, Any]) -> str:
    if not log["stalls"]:
        return ""
    # What is known of a pin's numbers may be nothing: its recorder can hold nonsense.
    longest = log["stall_max_ms"] or 0
    felt = ", which is felt" if longest >= LONG_STALL_MS else ""
    return f"{log['stalls']} times held up for 25 ms or more (flash erases, collections), {longest} ms at most{felt}"


def _shown(text: str) -> str:
    """Text of the pin's within one line: it does nothing to a terminal."""
    return plain(text).replace("\n", " ").replace("\t", " ")
