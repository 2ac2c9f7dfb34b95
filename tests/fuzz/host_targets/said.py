"""What the companion reads as text: what was said, what the user configured, what a recogniser answered."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from lapel_companion import config, flight_words, matching, when, words
from lapel_companion.clock import PinClock
from lapel_companion.config_keys import MAX_WORDS
from lapel_companion.speech import openai_api
from lapel_companion.speech.base import SpeechError
from lapel_wire import flight_log, flight_reading


def file(data: bytes, name: str = "file") -> Path:
    """A file with this content, alone in the folder for it."""
    path = Path(importlib.import_module("place").empty()) / name
    path.write_bytes(data)
    return path


def spans(data: bytes) -> str:
    """A text as a span of time."""
    seconds = when.parse(data.decode("utf-8", "replace"))
    assert seconds is None or 0 < seconds <= when.MAX_S
    return str(seconds)


def phrases(data: bytes) -> str:
    """The first line as a phrase of the user's, the rest as what was heard: slots hold words that were heard."""
    say, _, heard = data.decode("utf-8", "replace").partition("\n")
    if len(matching.pattern(say)) > MAX_WORDS:
        return "longer than the configuration takes"
    found = matching.fit(say, heard)
    if found is None:
        return "no"
    shown = " ".join(word.shown for word in words.split(heard) if word.first)
    assert all(taken and taken in shown for taken in found.slots.values())
    assert found.cost <= max(1, found.literals // 4)
    return f"{found.cost} {found.literals} {sorted(found.slots.items())}"


def configured(data: bytes) -> str:
    """A file as the configuration: every problem is a line that names the file."""
    try:
        found = config.load(file(data))
    except config.ConfigError as error:
        assert error.problems and all("file" in problem for problem in error.problems)
        return f"{len(error.problems)} problems"
    for phrase in found.phrases:
        assert phrase.line > 0 and phrase.say and (phrase.agent != "command" or phrase.run)
    return f"{len(found.phrases)} phrases"


def transcripts(data: bytes) -> str:
    """What a speech endpoint answers."""
    try:
        found = openai_api.transcript(data, "http://127.0.0.1")
    except SpeechError as error:
        return str(error)
    assert found.no_speech == (not found.text)
    assert found.confidence is None or 0 <= found.confidence <= 1
    return f"{len(found.text)} {found.confidence}"


def clock_file(data: bytes) -> str:
    """The file of the boots of the pin: a damaged one costs dates and nothing else."""
    clock = PinClock(file(data))
    clock.hello("01020304", 5, 1000)
    assert clock.press_unix_ms("01020304", 7) == 1002
    return json.dumps([clock.press_unix_ms(boot, 0) for boot in ("0badcafe", "a")])


def flight_told(data: bytes) -> str:
    """A flight recorder of nonsense that passes its checksum, in words for a person's terminal."""
    try:
        log = flight_reading.decode(importlib.import_module("wire_targets").sealed_flight(data))
    except flight_log.BadFlightLog:
        return "refused"
    told = [flight_words.headline(log), *flight_words.lines(log)]
    # Nothing that steers a terminal, of either set of control characters.
    assert not any(ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 for line in told for one in line), told
    return f"{len(told)} lines"
