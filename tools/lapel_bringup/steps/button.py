"""The button: does it press, which level, how long its contacts bounce."""

from __future__ import annotations

from typing import Any

from lapel_bringup.desk import Desk, Step
from lapel_bringup.result import Result
from lapel_bringup.sound import percentile

# what the driver waits before it believes a contact
_DEBOUNCE_US = 10_000
_MUCH_US = 10_000


def run(desk: Desk) -> Result:
    """Ten presses, each seen with all its edges."""
    result = Result()
    presses = desk.plan.presses
    desk.person.ready(
        "button.press", f"You will press the button {presses} times, as you would in use. Keep off it now."
    )
    seen = pressed_level = 0

    def heard(event: dict[str, Any]) -> None:
        nonlocal seen, pressed_level
        if event["event"] == "idle":
            pressed_level = event["pressed_level"]
            desk.person.now("press", f"press and let go, {presses} times")
        elif event["event"] == "edges" and event["level"] == pressed_level:
            seen += 1
            desk.person.tell(f"  {seen} of {presses}")

    told = desk.bench.run(
        "contacts",
        presses=presses,
        timeout_ms=desk.plan.press_limit_s * 1000,
        timeout_s=desk.plan.press_limit_s + 20,
        on_event=heard,
    )
    idle, ended = told.one("idle"), told.one("ended")
    groups = told.all("edges")
    down = [group for group in groups if group["level"] == pressed_level]
    up = [group for group in groups if group["level"] != pressed_level]
    result.figures.update(
        pressed_level=pressed_level,
        idle_level=round(idle["high"] / idle["looks"]),
        presses=len(down),
        press_bounce_us=_worst(down),
        release_bounce_us=_worst(up),
        knocks=len(told.all("knock")),
        edges_lost=ended["lost"],
    )
    result.series.update(
        press_bounce_us=[group["bounce_us"] for group in down],
        release_bounce_us=[group["bounce_us"] for group in up],
        press_edges=[group["count"] for group in down],
        release_edges=[group["count"] for group in up],
    )
    result.cannot_know("bounces shorter than about 50 us, and what years of use will do to the contacts")
    _judge(result, idle, groups, presses)
    return result


def _worst(groups: list[dict[str, Any]]) -> int:
    return max((int(group["bounce_us"]) for group in groups), default=0)


def _judge(result: Result, idle: dict[str, Any], groups: list[dict[str, Any]], presses: int) -> None:
    pressed = result.figures["pressed_level"]
    level_name = "high" if pressed else "low"
    if 0 < idle["high"] < idle["looks"]:
        result.bad(
            "The button's line wavers while nobody presses.", "It floats: check the button's wires and the pull-up."
        )
    if not groups and result.figures["idle_level"] == pressed:
        result.bad(
            f"The button is stuck: its line is {level_name} all the time, as if pressed.",
            "A short to ground, a four-legged button turned by 90 degrees, or another GPIO than in board.py.",
        )
        return
    if not groups:
        result.bad(
            "No press arrived.",
            "A wire is off, or the button is on another GPIO than board.py says (see the wiring table).",
        )
        return
    if result.figures["idle_level"] == pressed:
        result.bad(
            "The button works the wrong way round: at rest its line is as board.py expects it when pressed.",
            "It is a normally-closed button, or wired to 3V3: change the wiring, or pressed_level in board.py.",
        )
    if result.figures["presses"] < presses:
        result.look(
            f"{result.figures['presses']} of {presses} presses arrived.",
            "Too few presses within the time, or a loose contact: repeat the step and press firmly.",
        )
    worst = max(result.figures["press_bounce_us"], result.figures["release_bounce_us"])
    bounces = result.series["press_bounce_us"] + result.series["release_bounce_us"]
    usual = percentile(bounces, 0.5) if bounces else 0
    if worst >= _MUCH_US:
        result.look(
            f"The contacts bounce for up to {worst / 1000:.1f} ms; the driver waits {_DEBOUNCE_US // 1000} ms.",
            "Give Button debounce_ms=20 in board.py, or take another button.",
        )
    else:
        result.good(
            f"{result.figures['presses']} presses, {level_name} when pressed; "
            f"bounces last {usual / 1000:.2f} ms at the median, {worst / 1000:.2f} ms at most."
        )
    if result.figures["edges_lost"]:
        result.look(f"{result.figures['edges_lost']} edges found no room.", "The contacts flutter: another button.")


STEP = Step("button", "Button", "You press the button ten times; every edge of its contacts is timed.", run)
