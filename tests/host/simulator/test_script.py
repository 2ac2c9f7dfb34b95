"""The script language: every action, every mistake with its place."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from simulator.events import Event, Pattern
from simulator.script import ScriptError, hold_one, parse

WAV = b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
WAV += b"data" + struct.pack("<I", 4) + b"\1\0\2\0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a recording in it."""
    (tmp_path / "a.wav").write_bytes(WAV)
    (tmp_path / "with space.wav").write_bytes(WAV)
    return tmp_path


def test_every_action(folder: Path) -> None:
    text = """
    # a comment
    hold a.wav            # and one behind
    hold "with space.wav"
    tap
    tap 3
    reply a.wav
    wait notice
    wait notice kind=done text="*disk is*" 5
    wait linked 2.5s
    expect-not kept 3
    expect-not notice kind=failed 1
    sleep 0.5
    link down
    link up
    link loss 20
    power cut
    power cut after 3
    power cut after 12 torn
    power on
    companion kill
    companion start
    companion freeze
    companion thaw
    battery 3300
    relay lose 5
    relay double 7.5 up
    relay good
    """
    steps = parse(text, "x.script", folder)
    assert [step.verb for step in steps] == [
        "hold", "hold", "tap", "tap", "reply", "wait", "wait", "wait", "expect-not", "expect-not", "sleep",
        "link down", "link up", "link loss", "power cut", "power cut", "power cut", "power on",
        "companion kill", "companion start", "companion freeze", "companion thaw", "battery", "relay", "relay", "relay",
    ]  # fmt: skip
    assert list(steps[0].sound) == [1, 2]
    assert steps[0].where == "x.script:3"
    assert (steps[2].number, steps[3].number) == (1, 3)
    assert steps[5].number == 30
    assert steps[6].pattern == Pattern("notice", {"kind": "done", "text": "*disk is*"})
    assert (steps[6].number, steps[7].number) == (5, 2.5)
    assert (steps[8].pattern.name, steps[8].number) == ("kept", 3)
    assert (steps[15].number, steps[15].torn) == (3, False)
    assert (steps[16].number, steps[16].torn) == (12, True)
    relays = [(step.words, step.number) for step in steps[-3:]]
    assert relays == [(("lose",), 5), (("double", "up"), 7.5), (("good",), 0)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("dance", "no such action: 'dance'"),
        ("hold", "one WAV file"),
        ("hold a.wav b.wav", "one WAV file"),
        ("hold none.wav", "no such file"),
        ("tap zero", "from 1 to 9"),
        ("tap 0", "from 1 to 9"),
        ("wait", "name of an event"),
        ("wait kind=done", "name of an event"),
        ("wait notice soon", "'soon' is not a number of seconds"),
        ("wait notice 5 kind=done", "'5' is no key=value"),
        ("expect-not kept", "how many seconds"),
        ("sleep", "number of seconds"),
        ("sleep -1", "not a number of seconds"),
        ("sleep nan", "not a number of seconds"),
        ("link sideways", "down, up"),
        ("link loss 100", "below 100"),
        ("relay lose 101", "a percentage"),
        ("relay lose 5 left", "up or down"),
        ("relay burn 5", "lose, double, swap"),
        ("companion sleep", "freeze or thaw"),
        ("power off", "cut, on"),
        ("power cut after none", "cut, on"),
        ("companion wait", "kill, start"),
        ("battery full", "millivolts"),
        ('hold "a.wav', "cannot be read"),
    ],
)
def test_every_mistake_has_its_place(folder: Path, line: str, says: str) -> None:
    with pytest.raises(ScriptError) as error:
        parse(f"# first\n\n{line}\n", "x.script", folder)
    assert str(error.value).startswith("x.script:3: ")
    assert says in str(error.value)


def test_apostrophe_in_a_comment(folder: Path) -> None:
    assert parse("# the pin's way\ntap", "x", folder)[0].verb == "tap"


def test_wav_beside_the_script_or_in_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder)
    assert parse("hold a.wav", "x", folder / "sub")[0].file == Path("a.wav")
    (folder / "sub" / "a.wav").write_bytes(WAV)
    assert parse("hold a.wav", "x", folder / "sub")[0].file == folder / "sub" / "a.wav"


def test_hold_one(folder: Path) -> None:
    assert [step.verb for step in hold_one(folder / "a.wav")] == ["hold", "felt"]


def test_patterns() -> None:
    fields = {"kind": "done", "job": None, "up": True, "n": 3, "text": "a [b] c"}
    event = Event(0, 0.0, "pin", "notice", fields)
    assert Pattern("notice").matches(event)
    assert not Pattern("kept").matches(event)
    assert Pattern("notice", {"kind": "done", "who": "pin"}).matches(event)
    assert not Pattern("notice", {"kind": "failed"}).matches(event)
    assert not Pattern("notice", {"missing": "x"}).matches(event)
    assert Pattern("notice", {"job": "null", "up": "true", "n": "3"}).matches(event)
    assert Pattern("notice", {"text": "a [b] c"}).matches(event)
    assert Pattern("notice", {"text": "a *"}).matches(event)
