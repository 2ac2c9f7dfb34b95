"""Small circuits drawn into the box of a part that is no breakout: what is soldered between its pins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pictures.svg import INK, PAPER, Drawing

THIN = 1.6


@dataclass(frozen=True)
class Place:
    """Where the part's pins are: `edge` x of its pins, `inward` -1 or 1, `ports` the y of each pin."""

    drawing: Drawing
    edge: float
    inward: int
    ports: Mapping[str, float]

    def line(self, *points: tuple[float, float]) -> None:
        """Through points (distance from the edge, y)."""
        for (d1, y1), (d2, y2) in pairwise(points):
            self.drawing.line(self._x(d1), y1, self._x(d2), y2, width=THIN)

    def text(self, distance: float, y: float, words: str) -> None:
        anchor = "start" if self.inward > 0 else "end"
        self.drawing.text(self._x(distance), y + 4, words, size=11, anchor=anchor)

    def standing(self, distance: float, y1: float, y2: float, name: str) -> None:
        """A resistor between two heights."""
        middle = (y1 + y2) / 2
        self.line((distance, y1), (distance, y2))
        self.drawing.box(self._x(distance) - 5, middle - 9, 10, 18, radius=1)
        self.text(distance + 10, middle, name)

    def lying(self, d1: float, d2: float, y: float, name: str) -> None:
        """A resistor between two distances."""
        middle = (d1 + d2) / 2
        self.line((d1, y), (d2, y))
        self.drawing.box(self._x(middle) - 11, y - 5, 22, 10, radius=1)
        self.drawing.text(self._x(middle), y - 9, name, size=11, anchor="middle")

    def capacitor(self, distance: float, y1: float, y2: float, name: str) -> None:
        middle = (y1 + y2) / 2
        self.line((distance, y1), (distance, middle - 3))
        self.line((distance, middle + 3), (distance, y2))
        self.line((distance - 9, middle - 3), (distance + 9, middle - 3))
        self.line((distance - 9, middle + 3), (distance + 9, middle + 3))
        self.text(distance + 14, middle, name)

    def diode(self, distance: float, y1: float, y2: float, *, up: bool) -> None:
        """Its bar, the ring on the part, is where the current leaves: above when it goes up."""
        middle = (y1 + y2) / 2
        tip, foot = (middle - 6, middle + 6) if up else (middle + 6, middle - 6)
        self.line((distance, y1), (distance, y2))
        x = self._x(distance)
        self.drawing.shape([(x - 7, foot), (x + 7, foot), (x, tip)], fill=INK)
        self.line((distance - 7, tip), (distance + 7, tip))

    def circle(self, distance: float, y: float, letter: str) -> None:
        self.drawing.disc(self._x(distance), y, 12, PAPER)
        self.drawing.text(self._x(distance), y + 4, letter, size=12, anchor="middle", bold=True)

    def knot(self, distance: float, y: float) -> None:
        self.drawing.disc(self._x(distance), y, 2, INK)

    def _x(self, distance: float) -> float:
        return self.edge + self.inward * distance


def _button(at: Place) -> None:
    a, b = at.ports["A"], at.ports["B"]
    at.line((34, a), (110, a), (110, a + 5))
    at.line((34, b), (110, b), (110, b - 5))
    at.line((110, b - 5), (121, a + 4))
    at.knot(110, a + 5)
    at.knot(110, b - 5)


def _divider(at: Place) -> None:
    top, mid, bottom = at.ports["TOP"], at.ports["MID"], at.ports["BOTTOM"]
    at.line((44, top), (100, top))
    at.line((44, mid), (200, mid))
    at.line((72, bottom), (200, bottom))
    at.standing(100, top, mid, "220 kΩ")
    at.standing(100, mid, bottom, "220 kΩ")
    at.capacitor(200, mid, bottom, "100 nF")
    for distance, y in ((100, mid), (100, bottom)):
        at.knot(distance, y)


def _led(at: Place) -> None:
    a, k = at.ports["A"], at.ports["K"]
    at.lying(34, 130, a, "330 Ω")
    at.diode(130, a, k, up=False)
    at.line((34, k), (130, k))


def _motor(at: Place) -> None:
    plus, gate, ground = at.ports["+"], at.ports["IN"], at.ports["GND"]
    drain = gate - 12
    at.line((34, plus), (238, plus))
    at.line((56, ground), (200, ground))
    at.lying(40, 130, gate, "100 Ω")
    at.line((130, gate), (182, gate))
    at.standing(146, gate, ground, "10 kΩ")
    # the MOSFET: gate, channel, drain above, source below
    at.line((182, gate - 12), (182, gate + 12))
    at.line((187, gate - 14), (187, gate + 14))
    at.line((187, drain), (200, drain), (200, plus))
    at.line((187, gate + 10), (200, gate + 10), (200, ground))
    at.text(206, gate + 10, "N-MOSFET")
    at.circle(200, (plus + drain) / 2 - 2, "M")
    at.line((200, drain), (238, drain))
    at.diode(238, plus, drain, up=True)
    for distance, y in ((200, plus), (200, drain), (146, gate), (146, ground)):
        at.knot(distance, y)


# The order of the pins from above, and what lies between them.
CIRCUITS: dict[str, tuple[tuple[str, ...], Callable[[Place], None]]] = {
    "button": (("A", "B"), _button),
    "divider": (("TOP", "MID", "BOTTOM"), _divider),
    "led": (("A", "K"), _led),
    "motor": (("+", "IN", "GND"), _motor),
}
# A pin's height in a box with a circuit.
PITCH = 42
