"""The loop, from the press to the buzz."""

from __future__ import annotations

from pictures.svg import ACCENT, CALM, COOL, SOFT, Drawing

_STATIONS = (
    (20, "You", ACCENT, ("press, say one line,", "let go, walk away")),
    (270, "The pin", CALM, ("microphone, ADPCM,", "flash first, then radio")),
    (520, "The companion", COOL, ("speech to text, phrase,", "agent, job, notice")),
    (770, "Your agents", ACCENT, ("a command, a note,", "more to come")),
)
_BOX_W = 200
_BOX_H = 92
_TOP = 58


def draw() -> str:
    """SVG text of the loop."""
    d = Drawing(990, 262)
    for x, name, colour, lines in _STATIONS:
        d.box(x, _TOP, _BOX_W, _BOX_H, stroke=colour)
        d.text(x + 14, _TOP + 28, name, size=17, colour=colour, bold=True)
        for i, words in enumerate(lines):
            d.text(x + 14, _TOP + 52 + 19 * i, words, size=13)
    for (x, *_), words in zip(_STATIONS, ("voice", "BLE", "job"), strict=False):
        d.line(x + _BOX_W + 4, _TOP + 34, x + 246, _TOP + 34, arrow=True)
        d.text(x + _BOX_W + 25, _TOP + 24, words, size=12, colour=SOFT, anchor="middle")
    y = _TOP + _BOX_H + 42
    d.line(870, _TOP + _BOX_H + 4, 870, y)
    d.line(870, y, 120, y)
    d.line(120, y, 120, _TOP + _BOX_H + 6, arrow=True)
    d.text(
        495, y - 10, "the result: a buzz on the collar, and its text on your screen", size=13, anchor="middle"
    )
    d.text(20, 34, "Dispatch, don't chat", size=15, bold=True)
    d.text(
        20,
        y + 34,
        "The pin buzzes `captured` only when the clip is on its flash, and forgets it only when the "
        "companion holds it durably.",
        size=12,
        colour=SOFT,
    )
    return d.source()
