"""Words as they are compared: case, marks, contractions, figures and spellings of one sound made the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Small words that may be missing or extra without another meaning.
SMALL = frozenset("a an the my our me us please of some that just so well hey okay ok um uh".split())
# A slot that holds nothing but these holds nothing.
EMPTY = SMALL | frozenset("to and in on at for about is with or but it's".split())
# A reading that has one of these more or less than the phrase says something else.
NEGATIONS = frozenset("not no never none nobody nothing neither nor without except stop cannot unless".split())
# Opposites that one ill-heard syllable tells apart.
OPPOSITES = (
    ("on", "off"), ("up", "down"), ("in", "out"), ("open", "close"), ("left", "right"), ("start", "stop"),
    ("before", "after"), ("oldest", "newest"), ("first", "last"), ("next", "last"), ("show", "hide"),
    ("lock", "unlock"), ("mute", "unmute"), ("enable", "disable"), ("add", "remove"), ("more", "less"),
    ("all", "none"), ("yes", "no"), ("light", "dark"), ("front", "back"),
)  # fmt: skip
_CONTRACTIONS = {
    "can't": "can not", "cannot": "can not", "won't": "will not", "shan't": "shall not", "let's": "let us",
    "what's": "what is", "it's": "it is", "that's": "that is", "there's": "there is", "where's": "where is",
    "who's": "who is", "how's": "how is", "when's": "when is", "he's": "he is", "she's": "she is",
    "here's": "here is", "i'm": "i am",
}  # fmt: skip
_ENDINGS = (("n't", " not"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'d", " would"))
# One sound, several spellings: the first stands for all.
_SAME_SOUND = (
    "disk disc", "to too two", "for four fore", "right write", "mail male", "week weak", "hear here",
    "there their", "by buy bye", "read red", "see sea", "know no", "new knew", "one won", "hour our",
    "light lite", "night nite", "check cheque", "colour color", "favourite favorite", "centre center",
    "programme program", "ok okay", "email e-mail", "wifi wi-fi", "grey gray", "tonight tonite", "whole hole",
    "mum mom", "plain plane", "meet meat", "weather whether", "through thru", "its it's", "sun son",
)  # fmt: skip
# Never made one with their sound-alikes: the meaning hangs on them.
_KEPT = frozenset(("no", "our", "us"))
_CANONICAL = {other: group.split()[0] for group in _SAME_SOUND for other in group.split() if other not in _KEPT}
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBERS = frozenset((*_ONES, *_TENS, "hundred", "thousand", "million"))
_FIGURES = re.compile(r"\d{1,6}")
_MARKS = "\"'.,;:!?()[]«»“”‘’…"


@dataclass(frozen=True)
class Word:
    """One word: `shown` as it was written, `plain` in lower case without marks, `key` as it is compared.

    `first` is False for the further keys that came out of one written word ("what's" has two, "25" has two).
    """

    shown: str
    plain: str
    key: str
    first: bool = True


def split(text: str) -> list[Word]:
    """The words of `text` in order; marks alone are no words."""
    words: list[Word] = []
    for written in text.replace("’", "'").replace("–", " ").split():
        shown = written.strip(_MARKS)
        plain = shown.lower()
        if not plain:
            continue
        for place, part in enumerate(_parts(plain)):
            words.append(Word(shown, part, _CANONICAL.get(part, part), first=place == 0))
    return words


def keys(text: str) -> list[str]:
    """Only the keys of `text`."""
    return [word.key for word in split(text)]


def _parts(plain: str) -> list[str]:
    if plain in _CONTRACTIONS:
        return _CONTRACTIONS[plain].split()
    for ending, full in _ENDINGS:
        if plain.endswith(ending) and len(plain) > len(ending):
            return (plain[: -len(ending)] + full).split()
    if _FIGURES.fullmatch(plain):
        return in_words(int(plain))
    if plain in _CANONICAL:
        return [plain]
    return [part for part in plain.split("-") if part] or [plain]


def in_words(number: int) -> list[str]:
    """The words of a number from 0 to 999 999: 25 is ["twenty", "five"]."""
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        return [_TENS[number // 10 - 2], *([_ONES[number % 10]] if number % 10 else [])]
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = number % size
    return [*in_words(number // size), name, *(in_words(rest) if rest else [])]


def alike(a: str, b: str) -> bool:
    """The same word but for its number or a typing slip at its end: "file" and "files"; never short words."""
    if a == b:
        return True
    short, long = sorted((a, b), key=len)
    return len(short) >= 3 and long in (short + "s", short + "es", short[:-1] + "ies" if short[-1] == "y" else "")


def says_something(words: Sequence[str]) -> bool:
    """True when there is more in `words` than small words."""
    return any(word not in EMPTY for word in words)


def negates(word: str) -> bool:
    """True for "not", "never", "don't" and their like."""
    return word in NEGATIONS or word.endswith("n't")
