"""The configuration that a first conversation leads to: the documented example with the answers in it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lapel_companion import config, durable, paths

TEST_LINE = "how much disk space is left"
KEPT_SUFFIX = ".before-setup"


class SetupError(Exception):
    """The answers cannot be written; the text is a sentence."""


@dataclass(frozen=True)
class Command:
    """A phrase of the user's own: what is said, and the program with its arguments."""

    say: str
    run: Sequence[str]
    harmless: bool


@dataclass
class Answers:
    """What was answered; None leaves the example's line as it is."""

    engine: str = "pocketsphinx"
    model: str | None = None
    url: str | None = None
    api_key_env: str | None = None
    channel: str = "auto"
    commands: list[Command] = field(default_factory=list)


def text_of(answers: Answers) -> str:
    """The example with the answers in it, checked. Raises config.ConfigError."""
    text = paths.EXAMPLE.read_text("utf-8")
    for key in ("engine", "model", "url", "api_key_env", "channel"):
        value = getattr(answers, key)
        if value is not None:
            text = _with_key(text, key, value)
    for command in answers.commands:
        text += _phrase(command)
    config.parse(text, Path("the answers"))
    return text


def check_command(command: Command) -> str | None:
    """None, or what is wrong with a phrase of the user's own."""
    try:
        text_of(Answers(commands=[command]))
    except config.ConfigError as error:
        # The place in a file that is not written yet helps nobody.
        return re.sub(r"^.*?, line \d+(, [^:]*)?: ", "", error.problems[0])
    return None


def write(file: Path, text: str) -> Path | None:
    """Write the configuration; where the one before it was put, or None. Raises SetupError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = None
        if file.exists():
            kept = file.with_name(file.name + KEPT_SUFFIX)
            durable.write_atomic(kept, file.read_bytes(), "setup.kept")
        durable.write_atomic(file, text.encode(), "setup", 0o644)
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}.") from error
    return kept


def _with_key(text: str, key: str, value: str) -> str:
    # The first line of that key, commented out or not, is the one that its comment explains.
    line = f"{key} = {json.dumps(value)}"
    changed, count = re.subn(rf"(?m)^(# )?{key} = .*$", lambda _: line, text, count=1)
    if count != 1:
        raise SetupError(f"the example configuration has no line for '{key}'.")
    return changed


def _phrase(command: Command) -> str:
    words = ", ".join(json.dumps(word, ensure_ascii=False) for word in command.run)
    harmless = "harmless = true\n" if command.harmless else ""
    said = json.dumps(command.say, ensure_ascii=False)
    return f'\n[[phrase]]\nsay = {said}\nagent = "command"\nrun = [{words}]\n{harmless}'
