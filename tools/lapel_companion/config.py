"""The one configuration file: read, checked key by key, and refused with file, line, key and what to do."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lapel_companion import matching, paths, toml_lines
from lapel_companion.config_check import Checker, Problem
from lapel_companion.config_keys import COMMAND_ONLY, MAX_PHRASES, MAX_WORDS, PHRASE, SECTIONS, SLOTS

_MAX_BYTES = 1_000_000
_SLOT = re.compile(r"\{([^{}]*)\}")
_SLOT_NAME = re.compile(r"[a-z][a-z_]{0,19}")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*\.?")
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


class ConfigError(Exception):
    """What is wrong, a line each: file, line, key and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Phrase:
    """One sentence that does something. `say` holds literal words and `{slots}`; limits are None for the
    general ones."""

    say: str
    agent: str
    harmless: bool
    run: tuple[str, ...] = ()
    idempotent: bool = False
    timeout_s: float | None = None
    max_output_bytes: int | None = None
    cwd: Path | None = None
    env: tuple[str, ...] = ()
    result: str | None = None
    line: int = 0

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(_SLOT.findall(self.say))


@dataclass(frozen=True)
class Speech:
    engine: str
    language: str
    model: str | None
    url: str | None
    api_key_env: str | None
    timeout_s: float
    hints: tuple[str, ...]
    min_confidence: float


@dataclass(frozen=True)
class Jobs:
    at_once: int
    timeout_s: float
    max_output_bytes: int


@dataclass(frozen=True)
class Keep:
    """How long recordings and logs are kept, and how much of them."""

    days: float
    mb: int


@dataclass(frozen=True)
class Pin:
    """Settings that the companion hands to the pin. Quiet hours are local time, "HH:MM"."""

    preroll: bool
    quiet_from: str | None
    quiet_to: str | None
    haptic_percent: int
    led_percent: int
    codec: str


@dataclass(frozen=True)
class Config:
    """A checked configuration. `source` is None when there is no file and the example stands in."""

    source: Path | None
    speech: Speech
    jobs: Jobs
    keep: Keep
    pin: Pin
    ask_after_s: float
    notes_file: Path
    channel: str
    phrases: tuple[Phrase, ...] = field(default=())
    texts: str = "here"


def load(path: Path | None = None) -> Config:
    """The configuration at `path`; without one, the platform's usual place, or the example when nothing is
    there.

    Raises ConfigError.
    """
    named = path is not None
    source = (path or paths.config_file()).expanduser()
    try:
        raw = source.read_bytes()
    except FileNotFoundError:
        if named:
            raise ConfigError(
                [
                    f"{source}: there is no such file; name another with --config, or put a copy"
                    f" of {paths.EXAMPLE} there."
                ]
            ) from None
        return parse(paths.EXAMPLE.read_text("utf-8"), paths.EXAMPLE, None)
    except OSError as error:
        raise ConfigError(
            [f"{source}: it cannot be read ({error.strerror}); make it readable for you."]
        ) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError([f"{source}: it has {len(raw)} bytes; a configuration has at most {_MAX_BYTES}."])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            [f"{source}, line {line}: this is not UTF-8 text; save the file as UTF-8."]
        ) from error
    return parse(text, source, source)


def parse(text: str, name: Path, source: Path | None = None) -> Config:
    """The configuration in `text`; `name` is what its errors call the file. Raises ConfigError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_error(str(error), text, name)]) from error
    check = Checker(name, toml_lines.locate(text.replace("\r\n", "\n")))
    values = check.sections(document, SECTIONS, arrays=("phrase",))
    phrases = _phrases(check, document.get("phrase", []))
    pin = values["pin"]
    if (pin["quiet_from"] is None) != (pin["quiet_to"] is None):
        check.wrong(("pin",), "quiet hours need both ends: give quiet_from and quiet_to.")
    if check.problems:
        raise ConfigError([str(problem) for problem in sorted(check.problems, key=Problem.order)])
    return Config(
        source=source,
        speech=Speech(**values["speech"]),
        jobs=Jobs(**values["jobs"]),
        keep=Keep(**values["keep"]),
        pin=Pin(**pin),
        ask_after_s=values["dispatch"]["ask_after_min"] * 60,
        notes_file=values["notes"]["file"] or paths.notes_file(),
        channel=values["notices"]["channel"],
        texts=values["notices"]["texts"],
        phrases=phrases,
    )


def _syntax_error(message: str, text: str, name: Path) -> str:
    where = _AT_LINE.search(message)
    lines = text.split("\n")
    line = int(where.group(1)) if where and where.group(1) else len(text.rstrip("\n").split("\n"))
    what = message[: where.start()] if where else message
    shown = lines[line - 1].strip()[:60] if line <= len(lines) else ""
    # What a person wrote behind the = may be a key that has no place in this file, nor in a log.
    key, equals, value = shown.partition("=")
    shown = f"{key}= ..." if equals and value.strip() else shown
    return f"{name}, line {line}: `{shown}` is not TOML: {what[:1].lower()}{what[1:]}."


def _phrases(check: Checker, given: Any) -> tuple[Phrase, ...]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        check.wrong(("phrase",), "write each phrase as a section of its own, under [[phrase]].")
        return ()
    if len(given) > MAX_PHRASES:
        check.wrong(("phrase",), f"there are {len(given)} phrases; at most {MAX_PHRASES} can be told apart.")
    phrases: list[Phrase] = []
    said: dict[str, int] = {}
    for place, table in enumerate(given):
        path = ("phrase", place)
        before = len(check.problems)
        values = check.table(path, table, PHRASE)
        _check_phrase(check, path, table, values)
        for say in values["say"]:
            plain = " ".join(_SLOT.sub("{}", say.lower()).split())
            if plain in said:
                check.wrong(
                    (*path, "say"), f'"{say}" is said already in line {said[plain]}; remove one of the two.'
                )
            said.setdefault(plain, check.line((*path, "say")))
        if len(check.problems) == before:
            phrases += [_phrase(say, values, check.line((*path, "say"))) for say in values["say"]]
    return tuple(phrases)


def _phrase(say: str, values: dict[str, Any], line: int) -> Phrase:
    harmless = values["harmless"]
    # Writing down and reminding destroy nothing; a command is what its owner says it is.
    if harmless is None:
        harmless = values["agent"] in SLOTS
    rest = {key: values[key] for key in COMMAND_ONLY}
    return Phrase(say=" ".join(say.split()), agent=values["agent"], harmless=harmless, line=line, **rest)


def _check_phrase(
    check: Checker, path: tuple[str | int, ...], table: dict[str, Any], values: dict[str, Any]
) -> None:
    agent = values["agent"]
    if "say" not in table:
        check.wrong(path, 'a phrase needs the words that are said: say = "...".')
    if agent == "command":
        if "run" not in table:
            check.wrong(path, 'a command needs what it runs, word by word: run = ["program", "argument"].')
    else:
        for key in COMMAND_ONLY:
            if key in table:
                check.wrong((*path, key), f'only agent = "command" has this key, not "{agent}"; remove it.')
    for say in values["say"]:
        slots = _check_say(check, (*path, "say"), say)
        wanted = SLOTS.get(agent)
        if wanted is not None and sorted(slots) != sorted(wanted):
            named = " and ".join(f"{{{slot}}}" for slot in wanted)
            check.wrong(
                (*path, "say"),
                f'the agent "{agent}" needs {named} in what is said, and nothing else in braces.',
            )
        if agent == "command" and "run" in table:
            _check_run(check, (*path, "run"), values["run"], slots)


def _check_say(check: Checker, path: tuple[str | int, ...], say: str) -> list[str]:
    slots = _SLOT.findall(say)
    for slot in slots:
        if not _SLOT_NAME.fullmatch(slot):
            check.wrong(
                path, f"{{{slot}}} is no slot: a slot is a short lower-case name in braces, like {{text}}."
            )
    if len(set(slots)) != len(slots):
        check.wrong(path, "each slot may stand once; give the second one another name.")
    if re.search(r"\}\s*\{", say):
        check.wrong(path, "two slots need a word between them, or nobody knows where one ends.")
    words = _SLOT.sub(" ", say).split()
    # Figures are many words: "25" is two.
    count = len(matching.pattern(say))
    if count > MAX_WORDS:
        check.wrong(path, f"this has {count} words; nobody says more than {MAX_WORDS} the same way twice.")
    if not words and say:
        check.wrong(path, "a phrase needs words of its own beside its slots.")
    for word in words:
        if not _WORD.fullmatch(word.strip(",?!")):
            check.wrong(path, f'"{word}" cannot be said; write plain words, and slots in braces.')
    return slots


def _check_run(check: Checker, path: tuple[str | int, ...], run: tuple[str, ...], slots: list[str]) -> None:
    used: list[str] = []
    for place, argument in enumerate(run):
        names = _SLOT.findall(argument)
        inside = [name for name in names if name in slots]
        if not inside:
            unknown = [name for name in names if argument == f"{{{name}}}"]
            if unknown:
                check.wrong(path, f"{argument} is not said: put it into `say`, or remove it here.")
        elif place == 0:
            check.wrong(path, "spoken words are never the program: the first word of run must be fixed.")
        elif argument != f"{{{inside[0]}}}":
            check.wrong(
                path, f'"{argument}": a slot must be a whole argument of its own, like "{{{inside[0]}}}".'
            )
        used += inside
    for slot in slots:
        if slot not in used:
            check.wrong(
                path, f"{{{slot}}} is said but not used; add it as an argument, or take it out of `say`."
            )
