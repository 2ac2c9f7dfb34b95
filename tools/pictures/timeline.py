"""One dispatch on a time axis, from the event lines of `lapel sim --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pictures.svg import ACCENT, CALM, COOL, SOFT, Drawing

_LEFT = 150
_WIDTH = 980
_RIGHT = 60
_ROW = 34
_TOP = 66
_LABEL_PX = 6.4
# What tells the story; other events are left out.
_STORY = {
    ("sim", "press"): ("you", "press"),
    ("sim", "release"): ("you", "let go"),
    ("pin", "captured"): ("pin", "on flash"),
    ("pin", "accepted"): ("pin", "accepted"),
    ("pin", "notice"): ("pin", "notice"),
    ("companion", "clip"): ("companion", "whole clip"),
    ("companion", "transcript"): ("companion", "text"),
    ("companion", "job"): ("companion", "job"),
}
_LANES = (
    ("you", "You do", ACCENT),
    ("feel", "You feel", ACCENT),
    ("pin", "The pin", CALM),
    ("companion", "Companion", COOL),
)


def _words(event: Mapping[str, Any]) -> tuple[str, str] | None:
    key = (str(event.get("who")), str(event.get("event")))
    if key == ("pin", "haptic"):
        return "feel", f"{event.get('pattern')}"
    if key not in _STORY:
        return None
    lane, words = _STORY[key]
    if key[1] == "job":
        words = f"job {event.get('state')}"
    return lane, words


def draw(events: Iterable[Mapping[str, Any]]) -> str:
    """SVG text; `events` are objects with t_ms, who, event. ValueError when none tells anything."""
    points = [(int(e["t_ms"]), *said) for e in events if (said := _words(e)) is not None]
    start = next((t for t, lane, words in points if lane == "you" and words == "press"), None)
    if start is None:
        raise ValueError("no press is in these events: nothing to draw")
    # One story: what was felt and done until the next press.
    end = min((t for t, lane, words in points if words == "press" and t > start), default=points[-1][0] + 1)
    points = [(t - start, lane, words) for t, lane, words in points if start <= t < end]
    end = max(t for t, _, _ in points) + 600
    scale = (_WIDTH - _LEFT - _RIGHT) / end
    rows = {lane: 0 for lane, _, _ in _LANES}
    placed: list[tuple[int, str, str, int]] = []
    for lane, _, _ in _LANES:
        free: list[float] = []
        for t, _, words in [p for p in points if p[1] == lane]:
            x = _LEFT + t * scale
            row = next((i for i, used in enumerate(free) if used <= x), len(free))
            reach = x + 14 + _LABEL_PX * len(words)
            free[row : row + 1] = [reach]
            placed.append((t, lane, words, row))
        rows[lane] = max(1, len(free))
    d = Drawing(_WIDTH, _TOP + _ROW * sum(rows.values()) + 46)
    d.text(16, 30, "One line, handed over", size=15, bold=True)
    d.text(16, 48, "measured on the simulator, in seconds after the press", size=12, colour=SOFT)
    bottom = _TOP + _ROW * sum(rows.values())
    for second in range(end // 1000 + 1):
        x = _LEFT + second * 1000 * scale
        d.line(x, _TOP - 6, x, bottom, colour="#e5e7eb", width=1)
        d.text(x, bottom + 20, f"{second}", size=11, colour=SOFT, anchor="middle")
    y = float(_TOP)
    for lane, title, colour in _LANES:
        d.text(16, y + 20, title, size=13, bold=True, colour=colour)
        d.line(_LEFT, y + _ROW * rows[lane], _WIDTH - 20, y + _ROW * rows[lane], colour="#e5e7eb", width=1)
        for t, _, words, row in [p for p in placed if p[1] == lane]:
            cy = y + 16 + _ROW * row
            d.dot(_LEFT + t * scale, cy, colour)
            d.text(_LEFT + t * scale + 9, cy + 4, words, size=12)
        y += _ROW * rows[lane]
    return d.source()
