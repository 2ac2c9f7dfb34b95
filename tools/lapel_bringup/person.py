"""Who sits at the desk: a person at a terminal, a file with answers, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import click

GO, SKIP, AGAIN, STOP = "go", "skip", "again", "stop"


class BadAnswers(Exception):
    """A file of answers that cannot be read; the text says where."""


class Person(Protocol):
    """`key` names a question for those who answer from a file."""

    def tell(self, text: str) -> None:
        """Say something."""

    def ready(self, key: str, text: str) -> None:
        """Say what is about to happen and wait until they are ready."""

    def now(self, act: str, text: str) -> None:
        """They do it from this moment on: press, speak, quiet, feel."""

    def choose(self, key: str, question: str, choices: Mapping[str, str]) -> str | None:
        """One of the choices (answer: what it says); None when nobody answers."""

    def before(self, key: str) -> str:
        """GO, SKIP or STOP, before a step."""

    def after(self, key: str) -> str:
        """GO or AGAIN, after it."""


class AtTerminal:
    """Asks and waits."""

    def tell(self, text: str) -> None:
        click.echo(text)

    def ready(self, key: str, text: str) -> None:
        click.echo(f"\n  {text}")
        click.prompt("  Enter when you are ready", default="", show_default=False, prompt_suffix=" ")

    def now(self, act: str, text: str) -> None:
        click.secho(f"  NOW: {text}", bold=True)

    def choose(self, key: str, question: str, choices: Mapping[str, str]) -> str | None:
        listed = ", ".join(f"{answer} = {says}" if says != answer else answer for answer, says in choices.items())
        answer: str = click.prompt(
            f"  {question} ({listed})", type=click.Choice(list(choices)), show_choices=False, prompt_suffix=": "
        )
        return answer

    def before(self, key: str) -> str:
        return _asked("  Enter to begin, s to skip it, q to stop", {"": GO, "s": SKIP, "q": STOP})

    def after(self, key: str) -> str:
        return _asked("  Enter to go on, r to repeat it", {"": GO, "r": AGAIN})


def _asked(text: str, meanings: Mapping[str, str]) -> str:
    while True:
        answer = click.prompt(text, default="", show_default=False, prompt_suffix=": ").strip().lower()
        if answer in meanings:
            return meanings[answer]


class Nobody:
    """--yes: goes on, and leaves open what only a person knows. `answers` are given in a person's place."""

    def __init__(self, answers: Mapping[str, str] | None = None) -> None:
        self._answers = dict(answers or {})

    def tell(self, text: str) -> None:
        click.echo(text)

    def ready(self, key: str, text: str) -> None:
        click.echo(f"\n  {text}")

    def now(self, act: str, text: str) -> None:
        click.echo(f"  NOW: {text}")

    def choose(self, key: str, question: str, choices: Mapping[str, str]) -> str | None:
        answer = self._answers.get(key)
        if answer is None or answer not in choices:
            return None
        click.echo(f"  {question} {answer}")
        return answer

    def before(self, key: str) -> str:
        return SKIP if self._answers.get(f"step.{key}") == SKIP else GO

    def after(self, key: str) -> str:
        return GO


def answers(file: Path) -> dict[str, str]:
    """Lines `key = answer`; # begins a comment. Raises BadAnswers."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text file"
        raise BadAnswers(f"{file}: {why}") from error
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        key, equals, answer = line.partition("=")
        if not equals or not key.strip() or not answer.strip():
            raise BadAnswers(f"{file}, line {number}: write  question = answer,  for example  led.red = red")
        found[key.strip()] = answer.strip()
    return found
