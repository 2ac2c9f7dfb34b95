"""What the person felt: the motor's own pulses say whether a pattern was played to its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulator.events import Event

_EDGE_S = 0.08
# How often the motor runs in a pattern; of others once will do.
_PULSES = {
    "captured": 2, "kept": 3, "accepted": 3, "done": 3, "failed": 3, "held": 3, "unheard": 2, "cancelled": 3,
    "question": 4, "reminder": 6, "full": 6, "error": 6,
}  # fmt: skip


@dataclass(frozen=True)
class Felt:
    """A pattern that was felt whole; `count` is what the light showed with it."""

    name: str
    began_s: float
    ended_s: float
    count: int


def felt(events: Iterable[Event], driven: Sequence[tuple[float, int]]) -> list[Felt]:
    """The patterns of a run. `driven`: time and strength of the motor at each change (simulator's Hardware).

    The pin's trace names a pattern; it counts only if the motor made all of its pulses meanwhile.
    """
    found: list[Felt] = []
    begun: Event | None = None
    for event in events:
        if event.who == "sim" and event.name == "power":
            begun = None
        elif event.who == "pin" and event.name == "haptic":
            begun = event
        elif event.who == "pin" and event.name == "haptic_end" and begun is not None:
            name, count = str(begun.fields["pattern"]), int(begun.fields.get("count", 0))
            pulses = _pulses(driven, begun.t_s - _EDGE_S, event.t_s + _EDGE_S)
            if pulses >= _PULSES.get(name, 1):
                found.append(Felt(name, begun.t_s, event.t_s, count))
            begun = None
    return found


def _pulses(driven: Sequence[tuple[float, int]], from_s: float, until_s: float) -> int:
    found, before = 0, 0
    for t_s, level in driven:
        if from_s <= t_s <= until_s and level and not before:
            found += 1
        before = level
    return found
