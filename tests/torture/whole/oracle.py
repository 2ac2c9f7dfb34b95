"""What came of a run: by what the person felt, what the recogniser got, and what the agents wrote themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from lapel_companion import audio
from tests.torture.agent import scene
from tests.torture.agent.recordings import RATE_HZ
from tests.torture.verdict import Verdict
from tests.torture.whole.ear import Take
from tests.torture.whole.stage import Press, Stage
from tests.torture.whole.touch import Felt, felt

LOST_MAX_S = 1.2
_PROMISED = ("captured", "kept")
_TOLD = ("done", "failed", "held", "unheard", "cancelled")


@dataclass
class Findings:
    """Counts of a verdict, and a word on each: `words` on what was counted, `broken` on everything else."""

    clips_lost: int = 0
    run_twice: int = 0
    notices_lost: int = 0
    notices_doubled: int = 0
    wrong_data: int = 0
    words: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, name: str, sentence: str) -> None:
        """One more of `name` ("" for what is only broken)."""
        if name:
            setattr(self, name, getattr(self, name) + 1)
            self.words.append(sentence)
        else:
            self.broken.append(sentence)

    def verdict(self, kind: str, case: str, recovery_ms: int | None) -> Verdict:
        """As the table wants it."""
        counts = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("words", "broken")}
        broken, why = "; ".join(self.broken), "; ".join(self.words)
        return Verdict("c", kind, case, **counts, broken=broken, why=why, recovery_ms=recovery_ms)


@dataclass(frozen=True)
class Truth:
    """What is looked at. `notices` are those that the companion has recorded, `unseen` how many the pin showed at a
    tap (None: not asked), `seen` the numbers that were marked seen on the computer."""

    stage: Stage
    notices: Sequence[Mapping[str, Any]]
    unseen: int | None
    seen: frozenset[int]
    # May the companion begin a repeatable command again?
    interrupted: bool
    # An older state was put back: what it knew is told again, and its count is another one.
    restored: bool = False


def judge(truth: Truth) -> Findings:
    """Everything that must not be."""
    found = Findings()
    stage = truth.stage
    try:
        books = scene.read_books(stage.folder)
    except (ValueError, KeyError) as error:
        found.add("wrong_data", f"the ledger holds a line that no agent wrote: {error}")
        return found
    patterns = felt(stage.events, list(stage.sim.hardware.haptic))
    told = _told(stage)
    for press in stage.presses:
        promised = _promise(stage, press, patterns)
        _once(found, truth, books, told, press.number, promised)
        _data(found, stage, press, promised, told)
    for typed in stage.typed:
        _once(found, truth, books, told, typed.number, typed.answered)
    known = {press.number for press in stage.presses} | {typed.number for typed in stage.typed}
    for number in sorted({*books.begun, *books.noted} - known):
        found.add("wrong_data", f"the agent was given {number}, which nobody said")
    _notices(found, truth, patterns, told)
    if stage.sim.failure:
        found.add("", f"the simulation failed: {stage.sim.failure}")
    return found


def number_in(text: str) -> int | None:
    """The recording that a notice speaks of."""
    said = re.search(r"number (\d+)", text)
    return int(said[1]) if said else None


def _told(stage: Stage) -> list[tuple[float, str, str]]:
    """(time, kind, text) of each notice that the pin took."""
    return [
        (e.t_s, str(e.fields["kind"]), str(e.fields["text"]))
        for e in stage.events
        if e.who == "pin" and e.name == "notice"
    ]


def _promise(stage: Stage, press: Press, patterns: Sequence[Felt]) -> bool:
    later = [other.pressed_s for other in stage.presses if other.pressed_s > press.pressed_s]
    until_s = min(later, default=float("inf"))
    return any(p.name in _PROMISED and press.pressed_s < p.began_s < until_s for p in patterns)


def _once(
    found: Findings,
    truth: Truth,
    books: scene.Books,
    told: Sequence[tuple[float, str, str]],
    number: int,
    promised: bool,
) -> None:
    """Promised: exactly one invocation, or the person was told that there was none. Else none or one."""
    ran = books.invocations(number)
    kinds = Counter(kind for _, kind, text in told if number_in(text) == number)
    may_repeat = number // 100 * 100 == scene.REPEAT and truth.interrupted
    if ran > 1 and not may_repeat:
        found.add("run_twice", f"{scene.text(number)} was run {ran} times")
    if promised and not ran and not (kinds["held"] or kinds["failed"] or _nameless(told)):
        found.add("clips_lost", f"{scene.text(number)} was promised and never run")
    if ran and not any(kinds[kind] for kind in _TOLD):
        found.add("notices_lost", f"{scene.text(number)} was run and nothing told of it")
    if kinds["done"] and not (books.ended[number] or books.noted[number]):
        found.add("wrong_data", f"{scene.text(number)} was told as done and is not")


def _data(
    found: Findings, stage: Stage, press: Press, promised: bool, told: Sequence[tuple[float, str, str]]
) -> None:
    take = stage.ear.take_of(press.pressed_s, press.let_go_s)
    got = [each.pcm for each in stage.recogniser.received if each.number == press.number]
    if take is None or take.overrun:
        # A computer so busy that the microphone's own memory ran over: there is nothing to compare with.
        return
    whole = take.pcm()
    for pcm in got:
        if not whole.startswith(pcm):
            found.add("wrong_data", f"recording {press.number} came as something else")
        elif promised and len(pcm) // 2 < take.spoken_frames:
            found.add("wrong_data", f"recording {press.number} was promised whole and came short: {len(pcm)} bytes")
    if promised and not got and not (_nameless(told) and _lies_there(stage, whole, take.spoken_frames)):
        found.add("clips_lost", f"recording {press.number} was promised and nobody got it")
    if not promised and got:
        _kept_of_a_cut(found, press, take, max(map(len, got)) // 2)


def _nameless(told: Sequence[tuple[float, str, str]]) -> bool:
    """Whether something was held that has no words of its own to be known by: nothing was heard in it."""
    return any(kind in ("held", "unheard") and number_in(text) is None for _, kind, text in told)


def _lies_there(stage: Stage, whole: bytes, frames: int) -> bool:
    """Whether a file of the companion is that recording: its recogniser failed, and a person can listen to it."""
    for path in (stage.state / "clips").glob("*.adpcm"):
        pcm = audio.decode(path.read_bytes())
        if whole.startswith(pcm) and len(pcm) // 2 >= frames:
            return True
    return False


def _kept_of_a_cut(found: Findings, press: Press, take: Take, frames: int) -> None:
    lost_s = (take.good_frames - frames) / RATE_HZ
    if lost_s > LOST_MAX_S:
        found.add("wrong_data", f"recording {press.number} lacks its last {lost_s:.2f} s; {LOST_MAX_S} may be")


def _notices(found: Findings, truth: Truth, patterns: Sequence[Felt], told: Sequence[tuple[float, str, str]]) -> None:
    lights = [(e.t_s, int(e.fields.get("count", 0))) for e in truth.stage.events if e.who == "pin" and e.name == "led"]
    for notice in truth.notices:
        if notice["retracted"] or (notice["seen"] and notice["seq"] in truth.seen):
            continue
        # A notice's text may be shortened on its way, never changed.
        start = str(notice["text"])[:40]
        at_s = [t_s for t_s, kind, text in told if kind == notice["kind"] and text.startswith(start)]
        felt_it = any(p.began_s >= min(at_s) and p.name == notice["kind"] for p in patterns) if at_s else False
        shone = any(t_s >= min(at_s) and count > 1 for t_s, count in lights) if at_s else False
        if not (felt_it or shone):
            found.add("notices_lost", f"notice {notice['seq']} ({notice['text']}) was not felt")
    # What was never heard has no words of its own: two of those may say the same.
    texts = Counter((n["kind"], n["text"]) for n in truth.notices if number_in(n["text"]) and not n["retracted"])
    for (kind, text), count in texts.items():
        if count > 1 and not truth.restored:
            found.add("notices_doubled", f"{count} notices say the same: {kind}, {text}")
    if truth.unseen is None:
        return
    due = sum(not (n["seen"] or n["retracted"]) for n in truth.notices)
    if truth.unseen < due:
        found.add("notices_lost", f"the pin shows {truth.unseen} unseen notices and there are {due}")
    elif truth.unseen > due and not truth.restored:
        found.add("notices_doubled", f"the pin shows {truth.unseen} unseen notices and there are {due}")
