"""What becomes of something that was said: the one decision, pure, from facts that were gathered before.

Silence is never consent, a doubt is never acted on: whatever is not clearly allowed is `held` and asked
about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lapel_companion.config import Phrase

Plan = dict[str, Any]

_YES = frozenset(
    [
        "yes",
        "yes please",
        "yes do it",
        "yeah",
        "yep",
        "yup",
        "sure",
        "ok",
        "okay",
        "do it",
        "go ahead",
        "please do",
        "run it",
        "run it again",
        "yes run it again",
        "do it again",
    ]
)
_NO = frozenset(
    [
        "no",
        "no thanks",
        "no thank you",
        "nope",
        "don't",
        "do not",
        "don't do it",
        "cancel",
        "cancel it",
        "forget it",
    ]
    + ["never mind", "stop"]
)
ASKING = ("held", "question")


class Refused(Exception):
    """An agent will not do this with these words; the text is a sentence for a person."""


class Match(Protocol):
    """A phrase that was said as a whole, and what its slots took."""

    @property
    def phrase(self) -> Phrase: ...

    @property
    def slots(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Said:
    """What was heard. `trusted`: its text may act by itself. `by_person`: typed or released by a person,
    who need not be asked again. `failure`: why there is no text."""

    text: str
    no_speech: bool = False
    trusted: bool = False
    by_person: bool = False
    confidence: float | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Clip:
    """`press_unix_s` is None when nobody knows when the button was pressed; `restored`: it may have been done
    in a history that is lost."""

    press_unix_s: float | None
    cut: bool = False
    restored: bool = False


@dataclass(frozen=True)
class Reply:
    """The notice that was replied to. `open`: it asks, and was not answered yet. `harmless`: what it asks
    about."""

    known: bool
    kind: str = ""
    open: bool = False
    dispatch: str | None = None
    job: str | None = None
    harmless: bool = False


@dataclass(frozen=True)
class Limits:
    ask_after_s: float = 1800.0
    min_confidence: float = 0.0


@dataclass(frozen=True)
class Decision:
    """outcome: jobs, answer, held, unheard or cancelled. `reason` is a code, `why` a sentence without its
    full stop.

    jobs: `plan` for the agent of `phrase`; `follows` is the job that it continues, `closes` a held dispatch
    that it replaces. answer: `answer` ("yes", "no" or the words) to the dispatch `target`.
    """

    outcome: str
    reason: str = ""
    why: str = ""
    phrase: Phrase | None = None
    plan: Plan | None = None
    follows: str | None = None
    closes: str | None = None
    target: str | None = None
    answer: str | None = None


def decide(
    said: Said,
    clip: Clip,
    match: Match | None,
    plan: Callable[[Match], Plan],
    *,
    now_s: float,
    reply: Reply | None = None,
    cancelled: bool = False,
    limits: Limits = Limits(),
) -> Decision:
    """The decision. `plan` asks the agent of a match what it would do, and may raise Refused."""
    if cancelled:
        return Decision("cancelled", "cancelled", "you cancelled it")
    if said.failure is not None:
        return Decision("held", "speech_failed", said.failure)
    if clip.cut and not said.by_person:
        # Also where nothing was heard: what is missing may be all that was said.
        return Decision("held", "cut", "the recording was cut short, so it may be half a sentence")
    if said.no_speech or not said.text.strip():
        return Decision("unheard", "no_speech", "nothing intelligible was in it, so nothing was done")
    if said.by_person:
        return _act(match, plan)
    if clip.restored:
        return Decision("held", "restored", "it may have been done before the state here was put back")
    if said.confidence is not None and said.confidence < limits.min_confidence:
        return Decision("held", "unsure", f"the recogniser is only {said.confidence:.0%} sure")
    if reply is None:
        return _task(said, clip, match, plan, now_s, limits)
    return _replied(said, clip, match, plan, now_s, limits, reply)


def yes_or_no(text: str) -> str | None:
    """Whether `text` is a plain "yes" or "no"; None when it says anything else."""
    words = " ".join(text.lower().replace("’", "'").replace(",", " ").strip(" .!?").split())
    return "yes" if words in _YES else "no" if words in _NO else None


def _replied(
    said: Said,
    clip: Clip,
    match: Match | None,
    plan: Callable[[Match], Plan],
    now_s: float,
    limits: Limits,
    reply: Reply,
) -> Decision:
    if not reply.known:
        return Decision("held", "reply_unknown", "it replies to a notice that is not known here")
    if reply.kind not in ASKING:
        done = _task(said, clip, match, plan, now_s, limits)
        return _with(done, follows=reply.job)
    if not reply.open:
        return Decision("held", "reply_closed", "what it replies to was settled already")
    answer = yes_or_no(said.text)
    if answer is None and reply.kind == "question":
        answer = said.text.strip()
    if answer is None:
        # Other words than yes and no: said again, better. They replace what was held, if they are clear.
        done = _task(said, clip, match, plan, now_s, limits)
        return _with(done, closes=reply.dispatch) if done.outcome == "jobs" else done
    if not said.trusted and answer != "no" and not reply.harmless:
        return Decision(
            "held", "answer_not_trusted", f"a spoken yes is not sure enough to let {reply.dispatch} go"
        )
    return Decision("answer", "answer", "", target=reply.dispatch, answer=answer)


def _task(
    said: Said, clip: Clip, match: Match | None, plan: Callable[[Match], Plan], now_s: float, limits: Limits
) -> Decision:
    if match is not None and not match.phrase.harmless:
        if not said.trusted:
            return Decision(
                "held", "not_trusted", f'"{match.phrase.say}" is not marked harmless, so you are asked first'
            )
        if clip.press_unix_s is None:
            return Decision(
                "held", "unknown_time", "nobody knows how long ago it was said, so you are asked first"
            )
        age_s = now_s - clip.press_unix_s
        if age_s > limits.ask_after_s:
            return Decision("held", "old", f"it was said {ago(age_s)}, so you are asked first")
    return _act(match, plan)


def _act(match: Match | None, plan: Callable[[Match], Plan]) -> Decision:
    if match is None:
        return Decision("held", "no_match", "no phrase of yours says that")
    try:
        return Decision("jobs", "matched", phrase=match.phrase, plan=plan(match))
    except Refused as refused:
        return Decision("held", "refused", str(refused).rstrip("."))


def _with(decision: Decision, *, follows: str | None = None, closes: str | None = None) -> Decision:
    return replace(decision, follows=follows, closes=closes)


def ago(seconds: float) -> str:
    """How long ago, in words: "3 minutes ago"."""
    for unit_s, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit_s:
            many = int(seconds // unit_s)
            return f"{many} {name}{'' if many == 1 else 's'} ago"
    return "just now"
