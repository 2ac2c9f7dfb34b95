"""Text against phrases: what acts, what its slots take, and what is near but not it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel_companion import matching, phrases, words
from lapel_companion.speech.base import Transcript


@dataclass(frozen=True)
class Phrase:
    say: str


SAYS = (
    "how much disk space is left",
    "show the newest files",
    "make a note {text}",
    "make a note to buy {item}",
    "remind me in {when} to {text}",
    "set the volume to {number} percent",
    "don't disturb me",
    "what is the time",
)
PHRASES = [Phrase(say) for say in SAYS]


def said(text: str) -> tuple[str, dict[str, str]] | None:
    found = phrases.match(Transcript(text), PHRASES, trusted=True)
    return None if found is None else (found.phrase.say, dict(found.slots))


@pytest.mark.parametrize(
    ("text", "say", "slots"),
    [
        ("how much disk space is left", SAYS[0], {}),
        ("How much disc space is left?", SAYS[0], {}),
        ("Show me the newest files.", SAYS[1], {}),
        ("please show the newest files", SAYS[1], {}),
        ("show the newest file", SAYS[1], {}),
        ("Make a note to call Bob tomorrow.", SAYS[2], {"text": "to call Bob tomorrow"}),
        ("make a note that it's raining", SAYS[2], {"text": "that it's raining"}),
        ("make a note to buy milk", SAYS[3], {"item": "milk"}),
        ("remind me in 10 minutes to go to bed", SAYS[4], {"when": "10 minutes", "text": "go to bed"}),
        ("remind me in an hour to call mum", SAYS[4], {"when": "an hour", "text": "call mum"}),
        ("set the volume to twenty-five percent", SAYS[5], {"number": "twenty-five"}),
        ("Don’t disturb me!", SAYS[6], {}),
        ("do not disturb me", SAYS[6], {}),
        ("what's the time", SAYS[7], {}),
    ],
)
def test_says_it(text: str, say: str, slots: dict[str, str]) -> None:
    assert said(text) == (say, slots)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "how much desk space is left",
        "how much disk space is used",
        "how much disk space is left on bob's machine",
        "ask bob how much disk space is left",
        "how much disk space",
        "don't show the newest files",
        "show the oldest files",
        "show the newest",
        "show me the newest file",
        "make a note",
        "make a note to",
        "never make a note to call bob",
        "remind me in 10 minutes",
        "remind me to call home",
        "disturb me",
        "set the volume to percent",
    ],
)
def test_does_not_say_it(text: str) -> None:
    assert said(text) is None


def test_two_that_are_equally_near_are_none() -> None:
    twins = [Phrase("open the {thing}"), Phrase("open the {door}")]
    assert phrases.match(Transcript("open the gate"), twins, trusted=True) is None


def test_silence_says_nothing_whatever_its_text() -> None:
    heard = Transcript("show the newest files", no_speech=True, confirmed=("show the newest files",))
    assert phrases.match(heard, PHRASES, trusted=True) is None
    assert phrases.match(heard, PHRASES, trusted=False) is None


def test_what_is_not_trusted_acts_only_when_confirmed() -> None:
    text = "show the newest files"
    assert phrases.match(Transcript(text), PHRASES, trusted=False) is None
    assert phrases.match(Transcript("show than us files", (text,)), PHRASES, trusted=False) is None
    found = phrases.match(Transcript("show than us files", confirmed=(text,)), PHRASES, trusted=False)
    assert found is not None and found.phrase.say == text and found.distance == 0
    # Confirmed is word for word; no slip is forgiven there.
    assert phrases.match(Transcript(text, confirmed=("show me " + text[5:],)), PHRASES, trusted=False) is None


def test_distance_counts_the_slips() -> None:
    found = phrases.match(Transcript("show me the newest files"), PHRASES, trusted=True)
    assert found is not None and found.distance == 1


def test_a_long_dictation_is_taken_whole_and_quickly() -> None:
    found = said("make a note " + "blah to the " * 100)
    assert found is not None and len(found[1]["text"].split()) == 300


@given(st.text(alphabet="abcdefg hijklmnoprstuvwyz{}'’.,0123456789-", max_size=80))
def test_any_text_is_read_without_error(text: str) -> None:
    matching.fit("remind me in {when} to {text}", text)
    matching.fit(text, "remind me in ten minutes to go")


@given(st.integers(0, 999_999))
def test_figures_and_words_are_one(number: int) -> None:
    spoken = " ".join(words.in_words(number))
    assert words.keys(str(number)) == words.keys(spoken)


def test_a_transcript_survives_the_events_table() -> None:
    whole = Transcript("a", ("b", "c"), 0.5, False, "x", ("d",))
    assert Transcript.from_body(whole.body()) == whole
    assert Transcript.from_body({"text": "a"}) == Transcript("a")
