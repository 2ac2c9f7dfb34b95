"""The timeline for people, and the lines of --json."""

from __future__ import annotations

import io
import json

from simulator.events import Timeline
from simulator.show import BEHIND, PERSON, JsonLines, Screen


def lines(*, verbose: bool = False, colour: bool = False) -> tuple[Timeline, io.StringIO]:
    """A timeline shown on a string."""
    timeline, out = Timeline(), io.StringIO()
    timeline.listen(Screen(out, colour=colour, verbose=verbose).show)
    return timeline, out


def test_left_what_is_felt_right_what_is_behind() -> None:
    timeline, out = lines()
    timeline.add("sim", "press")
    timeline.add("pin", "haptic", pattern="listening", ms=30)
    timeline.add("pin", "captured", clip="1a2b3c4d-00112233445566ff-7", ms=2460, bytes=19680)
    timeline.add("companion", "transcript", text="how much", engine="pocketsphinx", confidence=None)
    shown = out.getvalue().splitlines()
    assert len(shown) == 4
    assert shown[0].endswith("s  press")
    assert "tick: speak now" in shown[1]
    assert "pin: clip 7 on flash: 2.46 s, 19680 B" in shown[2]
    assert shown[2].index("pin:") > 40
    assert 'companion: heard "how much" (pocketsphinx)' in shown[3]
    assert "\x1b" not in out.getvalue()


def test_colours_only_when_asked_for() -> None:
    timeline, out = lines(colour=True)
    timeline.add("pin", "task_died", task="link", error="ValueError: x")
    assert "\x1b[31m" in out.getvalue()


def test_what_has_no_line_is_shown_when_verbose() -> None:
    timeline, out = lines()
    timeline.add("pin", "state", state="idle")
    assert out.getvalue() == ""
    timeline, out = lines(verbose=True)
    timeline.add("pin", "state", state="idle")
    assert "pin: state state=idle" in out.getvalue()


def test_an_event_without_its_fields_breaks_nothing() -> None:
    timeline, out = lines()
    for who, name in [*PERSON, *BEHIND]:
        timeline.add(who, name)
    timeline.add("pin", "captured", clip=None, ms="?", bytes=[])
    assert len(out.getvalue().splitlines()) == len(PERSON) + len(BEHIND) + 1


def test_json_lines() -> None:
    timeline, out = Timeline(), io.StringIO()
    timeline.listen(JsonLines(out).show)
    timeline.add("pin", "notice", id="00-1", kind="done", text="12 G free, \u2026", who="x", t_ms=5)
    line = json.loads(out.getvalue())
    assert list(line)[:3] == ["t_ms", "who", "event"]
    assert (line["who"], line["event"], line["kind"]) == ("pin", "notice", "done")
    assert isinstance(line["t_ms"], int)
    assert line["text"] == "12 G free, \u2026"
