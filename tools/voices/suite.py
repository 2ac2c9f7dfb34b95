"""Wrong actions and recall of the default recogniser, as tables: `python -m voices.suite` (`make wrong-actions`).

A wrong action is a phrase that would act although something else was said: another sentence, half a phrase, noise.
Exit 0 without any, 1 with one, 2 when the suite cannot run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lapel_companion import phrases
from lapel_companion.speech.sphinx import PocketSphinx
from voices import effects, flite, sentences, trials
from voices.sentences import OTHER, SAID, SAME
from voices.trials import HALF, NOISE, Trial

LISTS = ("tuning", "heldout")


@dataclass(frozen=True)
class Phrase:
    """A phrase of the lists, all of them harmless: what is confirmed acts."""

    say: str


@dataclass(frozen=True)
class Result:
    """acted: the phrase that would have been done, or None: held, or unheard."""

    trial: Trial
    heard: str
    no_speech: bool
    acted: str | None
    seconds: float

    @property
    def wrong(self) -> bool:
        return self.acted is not None and self.acted != self.trial.expected

    @property
    def right(self) -> bool:
        return self.acted is not None and self.acted == self.trial.expected


class _Worker:
    """One process's recogniser, made at its first trial."""

    recogniser: PocketSphinx | None = None


def run(job: tuple[Trial, Sequence[str]]) -> Result:
    """One clip through recogniser and matching, with all phrases of its list."""
    trial, says = job
    if _Worker.recogniser is None:
        _Worker.recogniser = PocketSphinx()
    pcm = trial.pcm()
    start = time.perf_counter()
    heard = _Worker.recogniser.transcribe(pcm, "en", says)
    found = phrases.match(heard, [Phrase(say) for say in says], trusted=False)
    took = time.perf_counter() - start
    return Result(trial, heard.text, heard.no_speech, found.phrase.say if found else None, took)


def forget() -> None:
    """Lets the recogniser of this process go."""
    _Worker.recogniser = None


def jobs(names: Iterable[str], every: int = 1) -> list[tuple[Trial, Sequence[str]]]:
    """All trials of the lists, noise with the phrases of all; `every` 10 takes one in ten of each kind."""
    found: list[tuple[Trial, Sequence[str]]] = []
    says: dict[str, None] = {}
    for name in names:
        lists = sentences.load(name)
        says.update(dict.fromkeys(lists.phrases))
        tried = [*trials.of_sentences(lists, flite.VOICES), *trials.of_halves(lists, flite.VOICES)]
        found += [(trial, lists.phrases) for trial in tried]
    found += [(trial, tuple(says)) for trial in trials.of_noise()]
    if every == 1:
        return found
    # Shuffled, always in the same way: a fixed step would take the same voice again and again.
    random.Random(every).shuffle(found)
    kinds: dict[tuple[str, str], list[tuple[Trial, Sequence[str]]]] = {}
    for job in found:
        kinds.setdefault((job[0].set_name, job[0].kind), []).append(job)
    return [job for group in kinds.values() for job in group[::every]]


def recall_table(results: Sequence[Result]) -> str:
    """Utterances that acted, by phrase and voice (plain clips), and by effect."""
    said = [one for one in results if one.trial.kind == SAID]
    lines = [f"{'recall: acted / said':44}" + "".join(f"{voice:>9}" for voice in flite.VOICES)]
    for name in dict.fromkeys(one.trial.set_name for one in said):
        here = [one for one in said if one.trial.set_name == name]
        plain = [one for one in here if one.trial.effect == "plain"]
        lines.append(f"{name}:")
        for phrase in dict.fromkeys(one.trial.expected for one in plain):
            row = [_part([r for r in plain if r.trial.expected == phrase and r.trial.voice == v]) for v in flite.VOICES]
            lines.append(f"  {phrase!s:42}" + "".join(f"{cell:>9}" for cell in row))
        row = [_percent([r for r in plain if r.trial.voice == v]) for v in flite.VOICES]
        lines.append(f"  {'all':42}" + "".join(f"{cell:>9}" for cell in row))
        for effect in list(effects.EFFECTS)[1:]:
            row = [_percent([r for r in here if (r.trial.effect, r.trial.voice) == (effect, v)]) for v in flite.VOICES]
            lines.append(f"  {'all, ' + effect:42}" + "".join(f"{cell:>9}" for cell in row))
    return "\n".join(lines)


def wrong_table(results: Sequence[Result]) -> str:
    """Clips, and how many of them acted, were held, or were unheard, by list and kind."""
    names = {OTHER: "other sentences", SAME: "same meaning, other words", HALF: "half phrases", NOISE: "no sentence"}
    lines = [f"{'':44}{'clips':>9}{'held':>9}{'unheard':>9}{'acted':>9}{'wrong':>9}"]
    for name in dict.fromkeys(one.trial.set_name for one in results):
        for kind, title in (*names.items(), (SAID, "phrases")):
            group = [one for one in results if (one.trial.set_name, one.trial.kind) == (name, kind)]
            if group:
                unheard = sum(one.no_speech for one in group)
                acted = sum(one.acted is not None for one in group)
                cells = (len(group), len(group) - acted - unheard, unheard, acted, sum(one.wrong for one in group))
                lines.append(f"{name + ': ' + title:44}" + "".join(f"{cell:>9}" for cell in cells))
    return "\n".join(lines)


def told(one: Result) -> str:
    """One result, in words."""
    trial = one.trial
    cut = f", first {trial.part:.0%}" if trial.part < 1 else ""
    said = f'said "{trial.text}" ({trial.voice}, {trial.effect}{cut}), heard "{one.heard}"'
    return f"{said}, did: {one.acted or 'nothing'}"


def _part(group: Sequence[Result]) -> str:
    return f"{sum(one.right for one in group)}/{len(group)}" if group else "-"


def _percent(group: Sequence[Result]) -> str:
    return f"{100 * sum(one.right for one in group) / len(group):.0f} %" if group else "-"


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="voices.suite", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take one in so many clips of each kind")
    parser.add_argument("--lists", default=",".join(LISTS), help="which lists: tuning, heldout")
    parser.add_argument("--missed", action="store_true", help="list the utterances that did not act, too")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    asked = parser.parse_args(argv)
    try:
        flite.find()
        todo = jobs(asked.lists.split(","), max(1, asked.every))
    except (flite.VoiceError, sentences.ListError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    start = time.monotonic()
    results: list[Result] = []
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        for number, one in enumerate(pool.imap(run, todo, chunksize=4), 1):
            results.append(one)
            if one.wrong:
                print(f"\nWRONG: {told(one)}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{number} of {len(todo)} clips", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    wrong = [one for one in results if one.wrong]
    print(recall_table(results), wrong_table(results), sep="\n\n")
    if asked.missed:
        print()
        for one in results:
            if one.trial.kind == SAID and not one.right:
                print(f"missed: {told(one)}")
    mean = sum(one.seconds for one in results) / max(1, len(results))
    print(f"\n{len(results)} clips in {time.monotonic() - start:.0f} s, {mean:.2f} s each; {len(wrong)} wrong actions")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
