"""The decision, by table: what acts, what waits, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lapel_companion.config import Phrase
from lapel_companion.dispatcher import (
    Clip,
    Decision,
    Limits,
    Refused,
    Reply,
    Said,
    ago,
    decide,
    yes_or_no,
)

NOW = 1_000_000.0
HARMLESS = Phrase(say="show it", agent="command", harmless=True, run=("true",))
SERIOUS = Phrase(say="sell it", agent="command", harmless=False, run=("true",))


@dataclass
class Match:
    phrase: Phrase
    slots: Mapping[str, str]


UNSURE = Said("show it")
SURE = replace(UNSURE, trusted=True)
TYPED = replace(SURE, by_person=True)
FRESH = Clip(NOW - 5)
OLD = Clip(NOW - 31 * 60)
UNDATED = Clip(None)
CUT = Clip(NOW - 5, cut=True)
NONE = None

TABLE: list[tuple[str, Said, Clip, Phrase | None, str, str]] = [
    ("silence", Said("", no_speech=True), FRESH, NONE, "unheard", "no_speech"),
    ("only blanks", Said("  "), FRESH, NONE, "unheard", "no_speech"),
    ("silence in a cut clip", Said("", no_speech=True), CUT, NONE, "held", "cut"),
    ("no recogniser", Said("", failure="its model is not there"), FRESH, NONE, "held", "speech_failed"),
    ("unsure and harmless", UNSURE, FRESH, HARMLESS, "jobs", "matched"),
    ("unsure and serious", UNSURE, FRESH, SERIOUS, "held", "not_trusted"),
    ("unsure and no phrase", UNSURE, FRESH, NONE, "held", "no_match"),
    ("sure and harmless", SURE, FRESH, HARMLESS, "jobs", "matched"),
    ("sure and serious", SURE, FRESH, SERIOUS, "jobs", "matched"),
    ("sure and no phrase", SURE, FRESH, NONE, "held", "no_match"),
    ("cut, though harmless", UNSURE, CUT, HARMLESS, "held", "cut"),
    ("cut, though sure", SURE, CUT, SERIOUS, "held", "cut"),
    ("old and harmless", UNSURE, OLD, HARMLESS, "jobs", "matched"),
    ("old and serious", SURE, OLD, SERIOUS, "held", "old"),
    ("undated and harmless", UNSURE, UNDATED, HARMLESS, "jobs", "matched"),
    ("undated and serious", SURE, UNDATED, SERIOUS, "held", "unknown_time"),
    ("too little confidence", replace(SURE, confidence=0.3), FRESH, HARMLESS, "held", "unsure"),
    ("enough confidence", replace(SURE, confidence=0.8), FRESH, HARMLESS, "jobs", "matched"),
    ("no figure of confidence", replace(SURE, confidence=None), FRESH, HARMLESS, "jobs", "matched"),
    ("typed and serious", TYPED, OLD, SERIOUS, "jobs", "matched"),
    ("typed, of a cut clip", TYPED, CUT, SERIOUS, "jobs", "matched"),
    ("typed and no phrase", TYPED, FRESH, NONE, "held", "no_match"),
    ("typed, unsure figure", replace(TYPED, confidence=0.1), UNDATED, SERIOUS, "jobs", "matched"),
]


def settle(said: Said, clip: Clip, phrase: Phrase | None, **more: Any) -> Decision:
    match = Match(phrase, {"text": "x"}) if phrase else None
    return decide(
        said,
        clip,
        match,
        lambda matched: {"slots": dict(matched.slots)},
        now_s=NOW,
        limits=Limits(1800, 0.5),
        **more,
    )


@pytest.mark.parametrize(
    ("said", "clip", "phrase", "outcome", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_table(said: Said, clip: Clip, phrase: Phrase | None, outcome: str, reason: str) -> None:
    found = settle(said, clip, phrase)
    assert (found.outcome, found.reason) == (outcome, reason)
    if outcome == "jobs":
        assert found.phrase is phrase
        assert found.plan == {"slots": {"text": "x"}}
    else:
        assert found.plan is None
        assert found.why
        assert not found.why.endswith(".")


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_a_cancel_that_came_first_wins_over_everything(row: tuple[Any, ...]) -> None:
    assert settle(row[1], row[2], row[3], cancelled=True).outcome == "cancelled"


def test_an_agent_that_refuses_holds() -> None:
    def refuse(_: object) -> dict[str, Any]:
        raise Refused('"in a while" is no time.')

    found = decide(SURE, FRESH, Match(HARMLESS, {}), refuse, now_s=NOW)
    assert (found.outcome, found.reason, found.why) == ("held", "refused", '"in a while" is no time')


HELD = Reply(known=True, kind="held", open=True, dispatch="d1")
HELD_HARMLESS = replace(HELD, harmless=True)
CLOSED = replace(HELD, open=False)
QUESTION = replace(HELD, kind="question")
DONE = Reply(known=True, kind="done", dispatch="d1", job="d1.1")
STRANGE = Reply(known=False)

REPLIES: list[tuple[str, Said, Phrase | None, Reply, str, str]] = [
    ("yes, sure", replace(SURE, text="Yes."), NONE, HELD, "answer", "answer"),
    (
        "yes, unsure, to something serious",
        replace(UNSURE, text="yes"),
        NONE,
        HELD,
        "held",
        "answer_not_trusted",
    ),
    (
        "yes, unsure, to something harmless",
        replace(UNSURE, text="yes"),
        NONE,
        HELD_HARMLESS,
        "answer",
        "answer",
    ),
    ("no, unsure", replace(UNSURE, text="no"), NONE, HELD, "answer", "answer"),
    ("yes, too late", replace(SURE, text="yes"), NONE, CLOSED, "held", "reply_closed"),
    ("yes to nobody", replace(SURE, text="yes"), NONE, STRANGE, "held", "reply_unknown"),
    ("silence is never consent", Said("", no_speech=True), NONE, HELD, "unheard", "no_speech"),
    ("said again, clearly", SURE, SERIOUS, HELD, "jobs", "matched"),
    ("said again, unsure and serious", UNSURE, SERIOUS, HELD, "held", "not_trusted"),
    ("said again, still no phrase", SURE, NONE, HELD, "held", "no_match"),
    ("words for a question, sure", replace(SURE, text="the blue one"), NONE, QUESTION, "answer", "answer"),
    (
        "words for a question, unsure",
        replace(UNSURE, text="the blue one"),
        NONE,
        QUESTION,
        "held",
        "answer_not_trusted",
    ),
    ("a phrase, to a closed question", SURE, SERIOUS, CLOSED, "held", "reply_closed"),
    ("yes to a result", replace(SURE, text="yes"), NONE, DONE, "held", "no_match"),
    ("a phrase after a result", UNSURE, HARMLESS, DONE, "jobs", "matched"),
]


@pytest.mark.parametrize(
    ("said", "phrase", "reply", "outcome", "reason"),
    [row[1:] for row in REPLIES],
    ids=[row[0] for row in REPLIES],
)
def test_replies(said: Said, phrase: Phrase | None, reply: Reply, outcome: str, reason: str) -> None:
    found = settle(said, FRESH, phrase, reply=reply)
    assert (found.outcome, found.reason) == (outcome, reason)
    assert (found.target == "d1") == (outcome == "answer")


def test_a_reply_says_what_it_replaces_or_follows() -> None:
    assert settle(SURE, FRESH, SERIOUS, reply=HELD).closes == "d1"
    assert settle(SURE, FRESH, SERIOUS, reply=HELD).follows is None
    assert settle(SURE, FRESH, HARMLESS, reply=DONE).follows == "d1.1"
    assert settle(SURE, FRESH, HARMLESS, reply=DONE).closes is None
    assert settle(UNSURE, FRESH, SERIOUS, reply=HELD).closes is None


def test_a_cut_answer_is_none() -> None:
    assert settle(replace(SURE, text="yes"), CUT, NONE, reply=HELD).outcome == "held"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("yes", "yes"),
        ("Yes, please.", "yes"),
        ("go ahead", "yes"),
        ("OK!", "yes"),
        ("no", "no"),
        ("Don’t", "no"),
        ("never mind", "no"),
        ("yes and no", None),
        ("yes but later", None),
        ("not yes", None),
        ("know", None),
        ("", None),
    ],
)
def test_yes_or_no(text: str, answer: str | None) -> None:
    assert yes_or_no(text) == answer


def test_ago() -> None:
    spans = [(5, "just now"), (60, "1 minute ago"), (7_300, "2 hours ago"), (86_400 * 3, "3 days ago")]
    for seconds, words in spans:
        assert ago(seconds) == words
