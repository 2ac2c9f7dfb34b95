"""The words of notices: short enough for the pin, beginning with what was heard."""

from __future__ import annotations

import json

from lapel_companion.agents.output import plain

TEXT_MAX_CHARS = 160
TEXT_MAX_BYTES = 240
_JSON_MAX_BYTES = 300
_HEARD_CHARS = 60
_RESULT_CHARS = 90


def outcome(heard: str, text: str) -> str:
    """What came of something that was done: "how much disk space is left: 35G free"."""
    heard = one_line(heard)
    room = max(_HEARD_CHARS, TEXT_MAX_CHARS - 2 - len(one_line(text)))
    return fit(f"{shorten(heard, room)}: {one_line(text)}" if heard else one_line(text))


def held(heard: str, why: str) -> str:
    """What waits for a person: "Heard: bye milk. No phrase of yours says that."."""
    heard = one_line(heard)
    why = sentence(why)
    room = max(TEXT_MAX_CHARS - _RESULT_CHARS, TEXT_MAX_CHARS - 9 - len(why))
    return fit(f"Heard: {shorten(heard, room)}. {why}" if heard else f"Heard nothing. {why}")


def how_to_release(dispatch: str, heard: str, *, known: bool) -> str:
    """What to type so that a held dispatch goes on."""
    corrected = f'lapel release {dispatch} "the right words"'
    if known and heard:
        return f"To do it: lapel release {dispatch}. If it was something else: {corrected}"
    return f"To do what was meant: {corrected}"


def how_to_run_again(dispatch: str) -> str:
    """What to say or type when something may have run already."""
    again = f'To run it again: reply "yes", or type: lapel release {dispatch}'
    return f'{again}\nTo leave it: reply "no", or type: lapel cancel {dispatch}'


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    text = one_line(text)
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def one_line(text: str) -> str:
    """Text as one line, without control characters."""
    return " ".join(plain(text).split())


def shorten(text: str, room: int) -> str:
    """At most `room` characters, cut at a word where there is one near."""
    if len(text) <= room:
        return text
    cut = text[: room - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > room * 0.6 else cut).rstrip(" ,.;:") + "…"


def fit(text: str) -> str:
    """`text` within what one notice on the wire holds: characters, bytes of UTF-8, and bytes as JSON."""
    text = shorten(text, TEXT_MAX_CHARS)
    while len(text.encode()) > TEXT_MAX_BYTES or len(json.dumps(text, ensure_ascii=False)) > _JSON_MAX_BYTES:
        text = shorten(text, len(text) - 1)
    return text
