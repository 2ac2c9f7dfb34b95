"""The script language of `lapel sim`: one action a line, `#` begins a comment. Its words are in README.md."""

from __future__ import annotations

import shlex
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from simulator.events import Pattern
from simulator.relay import FAULTS, WAYS
from simulator.wav import BadWav, load

WAIT_S = 30.0
TAPS_MAX = 9
BATTERY_MAX_MV = 5000


class ScriptError(Exception):
    """A script that cannot be run; the text says file, line and what is wrong there."""


@dataclass(frozen=True)
class Step:
    """One line. Which of the fields say something depends on `verb`."""

    verb: str
    where: str = ""
    text: str = ""
    file: Path = Path()
    sound: array[int] = field(default_factory=lambda: array("h"))
    pattern: Pattern = field(default_factory=lambda: Pattern(""))
    number: float = 0.0
    torn: bool = False
    words: tuple[str, ...] = ()


class _Wrong(Exception):
    pass


def parse(text: str, name: str, folder: Path) -> list[Step]:
    """The steps of a script. Files are looked for beside the script (`folder`), then in the working folder.

    Raises ScriptError.
    """
    sounds = Sounds(folder)
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        try:
            words = _words(line)
            if words:
                step = _step(words, sounds)
                steps.append(replace(step, where=where, text=" ".join(words)))
        except (_Wrong, BadWav) as error:
            raise ScriptError(f"{where}: {error}") from error
    return steps


def hold_one(path: Path) -> list[Step]:
    """What `--wav FILE` does: hold it, wait for the notice, then for the end of its pattern. Raises
    BadWav."""
    file = str(path)
    return [
        Step("hold", where=file, text=f"hold {path.name}", file=path, sound=load(path)),
        Step("felt", where=file, text="wait notice", pattern=Pattern("notice"), number=WAIT_S),
    ]


class Sounds:
    """Recordings by name, each loaded once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[Path, array[int]] = {}

    def find(self, name: str) -> tuple[Path, array[int]]:
        """Path and samples. Raises BadWav."""
        beside = self._folder / Path(name).expanduser()
        path = beside if beside.exists() else Path(name).expanduser()
        if path not in self._loaded:
            self._loaded[path] = load(path)
        return path, self._loaded[path]


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in _tokens(lexer):
            if word.startswith("#"):
                break
            words.append(word)
    except ValueError as error:
        # a quotation mark in a comment opens nothing
        if not words and line.lstrip().startswith("#"):
            return []
        raise _Wrong(f"cannot be read: {str(error).lower()}") from error
    return words


def _tokens(lexer: shlex.shlex) -> Iterator[str]:
    while (word := lexer.get_token()) is not None:
        yield word


def _step(words: Sequence[str], sounds: Sounds) -> Step:
    verb, rest = words[0], list(words[1:])
    if verb not in VERBS:
        raise _Wrong(f"no such action: {verb!r}; there are {', '.join(VERBS)}")
    return VERBS[verb](verb, rest, sounds)


def _spoken(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if len(rest) != 1:
        raise _Wrong(f"{verb} takes one WAV file")
    path, sound = sounds.find(rest[0])
    return Step(verb, file=path, sound=sound)


def _tap(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if len(rest) > 1 or (rest and not (rest[0].isdecimal() and 1 <= int(rest[0]) <= TAPS_MAX)):
        raise _Wrong(f"tap takes a number from 1 to {TAPS_MAX}, or nothing for one")
    return Step(verb, number=int(rest[0]) if rest else 1)


def _bare(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if rest:
        raise _Wrong(f"{verb} takes nothing more")
    return Step(verb)


def _wait(verb: str, rest: list[str], sounds: Sounds) -> Step:
    seconds = WAIT_S
    if rest[1:] and "=" not in rest[-1]:
        seconds = _seconds(rest.pop())
    return Step(verb, pattern=_pattern(verb, rest), number=seconds)


def _expect_not(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if len(rest) < 2 or "=" in rest[-1]:
        raise _Wrong("expect-not takes an event, then how many seconds it must not come")
    seconds = _seconds(rest.pop())
    return Step(verb, pattern=_pattern(verb, rest), number=seconds)


def _sleep(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if len(rest) != 1:
        raise _Wrong("sleep takes a number of seconds")
    return Step(verb, number=_seconds(rest[0]))


def _link(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if rest in (["down"], ["up"], ["stall"]):
        return Step(f"link {rest[0]}")
    if len(rest) == 2 and rest[0] == "loss":
        percent = _number(rest[1], "a percentage")
        if 0 <= percent < 100:
            return Step("link loss", number=percent)
    raise _Wrong("link takes down, up, stall, or loss and a percentage below 100")


def _power(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if rest in (["cut"], ["on"]):
        return Step(f"power {rest[0]}")
    if len(rest) in (3, 4) and rest[:2] == ["cut", "after"] and rest[2].isdecimal() and int(rest[2]) > 0:
        if rest[3:] in ([], ["torn"]):
            return Step("power cut", number=int(rest[2]), torn=bool(rest[3:]))
    raise _Wrong("power takes cut, on, or cut after N [torn] (the N-th flash operation from now)")


def _companion(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if rest not in (["kill"], ["start"], ["freeze"], ["thaw"]):
        raise _Wrong("companion takes kill, start, freeze or thaw")
    return Step(f"companion {rest[0]}")


def _relay(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if rest == ["good"]:
        return Step(verb, words=("good",))
    if len(rest) in (2, 3) and rest[0] in FAULTS and (rest[2:] == [] or rest[2] in WAYS):
        percent = _number(rest[1], "a percentage")
        if percent <= 100:
            return Step(verb, number=percent, words=(rest[0], *rest[2:]))
    raise _Wrong(f"relay takes one of {', '.join(FAULTS)}, a percentage, and up or down for one way; or good")


def _battery(verb: str, rest: list[str], sounds: Sounds) -> Step:
    if len(rest) != 1 or not rest[0].isdecimal() or int(rest[0]) > BATTERY_MAX_MV:
        raise _Wrong(f"battery takes a number of millivolts, up to {BATTERY_MAX_MV}")
    return Step(verb, number=int(rest[0]))


VERBS: dict[str, Callable[[str, list[str], Sounds], Step]] = {
    "hold": _spoken,
    "tap": _tap,
    "reply": _spoken,
    "press": _bare,
    "release": _bare,
    "wait": _wait,
    "expect-not": _expect_not,
    "sleep": _sleep,
    "link": _link,
    "power": _power,
    "companion": _companion,
    "relay": _relay,
    "battery": _battery,
}


def _pattern(verb: str, words: list[str]) -> Pattern:
    if not words or "=" in words[0]:
        raise _Wrong(f"{verb} takes the name of an event first")
    fields = {}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise _Wrong(f"{word!r} is no key=value")
        fields[key] = value
    return Pattern(words[0], fields)


def _seconds(word: str) -> float:
    return _number(word.removesuffix("s"), "a number of seconds")


def _number(word: str, what: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e6:
        raise _Wrong(f"{word!r} is not {what}")
    return number
