"""The LED's colours, as the person sees them."""

from __future__ import annotations

from lapel_bringup.desk import Desk, Step
from lapel_bringup.result import Result

_COLOURS = {"red": (160, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 160), "white": (90, 90, 90)}
_ANSWERS = {
    "r": "red", "g": "green", "b": "blue", "w": "white", "o": "another colour", "p": "a plain light", "n": "nothing",
}  # fmt: skip
_SEEN = {"r": "red", "g": "green", "b": "blue", "w": "white", "o": "other", "p": "plain", "n": "nothing"}
_PLAIN = ("LedPlain", "PlainLed", "LedPwm")


def run(desk: Desk) -> Result:
    """Four colours, one after the other, then dark."""
    result = Result()
    seen: dict[str, str | None] = {}
    kind = ""
    desk.person.ready("led.look", "Look at the LED; you will be asked which colour it shows.")
    for name, colour in _COLOURS.items():
        told = desk.bench.run("light", colour=list(colour), ms=300, timeout_s=15)
        kind = told.one("shown")["kind"]
        desk.person.now("look", f"look at the LED ({len(seen) + 1} of {len(_COLOURS)})")
        answer = desk.person.choose(f"led.{name}", "Which colour is it?", _ANSWERS)
        seen[name] = _SEEN[answer] if answer else None
    desk.bench.run("light", colour=[0, 0, 0], ms=0, timeout_s=15)
    result.figures["led_kind"] = kind
    result.series["colours"] = [{"shown": name, "seen": what} for name, what in seen.items()]
    if None in seen.values():
        result.cannot_know("what the LED looked like: nobody answered")
        return result
    _judge(result, {name: str(what) for name, what in seen.items()}, kind)
    return result


def _judge(result: Result, seen: dict[str, str], kind: str) -> None:
    if set(seen.values()) == {"nothing"}:
        result.bad(
            "The LED stays dark.",
            "NeoPixel: data goes into DIN (not DOUT), 5V or BAT+ and GND; plain LED: turned round, or no resistor.",
        )
    elif all(seen[name] == name for name in seen):
        result.good("All colours are right.")
    elif kind in _PLAIN or set(seen.values()) == {"plain"}:
        result.good("A plain light, that shines for every colour: as this board has it.")
    elif seen["red"] == "green" and seen["green"] == "red":
        result.bad(
            "Red and green are exchanged.", "Your NeoPixel takes RGB and not GRB: give Pixel order='RGB' in board.py."
        )
    elif "nothing" in seen.values():
        dark = [name for name, what in seen.items() if what == "nothing"]
        result.bad(f"No {' and no '.join(dark)}.", "That die of the LED is dead, or one leg of it is not soldered.")
    else:
        wrong = [f"{name} looks {what}" for name, what in seen.items() if what != name]
        result.look(
            f"{'; '.join(wrong)}.", "Another order of colours than GRB, or too little voltage for blue (3.3 V)."
        )


STEP = Step("led", "LED", "Shows red, green, blue and white; you say what you see.", run)
