"""Relative times in spoken English: "in ten minutes", "in two and a half hours", "an hour from now"."""

from __future__ import annotations

import re

MAX_S = 366 * 24 * 3600

_UNITS_S = {
    "second": 1,
    "sec": 1,
    "minute": 60,
    "min": 60,
    "hour": 3600,
    "hr": 3600,
    "day": 86_400,
    "week": 7 * 86_400,
    "fortnight": 14 * 86_400,
}
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
]
_ONES += [
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * (place + 2) for place, word in enumerate(_TENS)
}
_FRACTIONS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25}
_DIGITS = re.compile(r"\d{1,6}(\.\d{1,3})?")
_GLUED = re.compile(r"(\d+(?:\.\d+)?)(s|sec|secs|m|min|mins|h|hr|hrs|d|w)")
_SHORT = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}


def parse(text: str) -> float | None:
    """Seconds that `text` names, counted from the moment it was said; None when it is not clearly a span of
    time.

    Greater than 0 and at most a year. Vague spans ("in a while", "later") and clock times ("at five") are
    None.
    """
    words = _words(text)
    if words[:1] == ["in"]:
        words = words[1:]
    if words[-2:] == ["from", "now"]:
        words = words[:-2]
    elif len(words) > 1 and words[-1] == "time":
        words = words[:-1]
    total, place = 0.0, 0
    last_unit = float("inf")
    while place < len(words):
        if total and words[place] == "and":
            place += 1
        span = _span(words, place)
        if span is None:
            return None
        amount, unit, place = span
        # "ten minutes and two hours" or "an hour an hour" is a mishearing, not a time.
        if unit >= last_unit:
            return None
        last_unit = unit
        total += amount * unit
    return total if 0 < total <= MAX_S else None


def _words(text: str) -> list[str]:
    words: list[str] = []
    # "twenty-five", but never a sign in front of a number.
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower()).replace("’", "'")
    for raw in re.split(r"[\s,]+", text):
        word = raw.strip(".!?;:").removesuffix("'s").removesuffix("'")
        glued = _GLUED.fullmatch(word)
        if glued:
            unit = glued.group(2)
            words += [glued.group(1), _SHORT.get(unit, unit)]
        elif word:
            words.append(word)
    return words


def _span(words: list[str], place: int) -> tuple[float, float, int] | None:
    """(amount, seconds of its unit, next place) of the span that starts at `place`."""
    fraction = _fraction_of(words, place)
    if fraction is not None:
        return fraction
    counted = _count(words, place)
    if counted is None:
        return None
    amount, place = counted
    # "two and a half hours"
    part, after = _and_part(words, place)
    if part and _unit(words, after) is not None:
        amount, place = amount + part, after
    unit = _unit(words, place)
    if unit is None:
        return None
    place += 1
    # "an hour and a half"
    part, after = _and_part(words, place)
    if part and _unit(words, after) is None:
        amount, place = amount + part, after
    return amount, unit, place


def _count(words: list[str], place: int) -> tuple[float, int] | None:
    if place >= len(words):
        return None
    word = words[place]
    if word in ("a", "an"):
        if words[place + 1 : place + 3] == ["couple", "of"]:
            return 2.0, place + 3
        if words[place + 1 : place + 2] == ["hundred"]:
            return 100.0, place + 2
        return 1.0, place + 1
    if word == "couple" and words[place + 1 : place + 2] == ["of"]:
        return 2.0, place + 2
    if _DIGITS.fullmatch(word):
        return float(word), place + 1
    if word not in _NUMBERS:
        return None
    value, place = float(_NUMBERS[word]), place + 1
    if value >= 20 and place < len(words) and 0 < _NUMBERS.get(words[place], 0) < 10:
        return value + _NUMBERS[words[place]], place + 1
    if value < 10 and words[place : place + 1] == ["hundred"]:
        return _hundreds(100 * value, words, place + 1)
    if value < 10 and words[place : place + 1] == ["point"] and _NUMBERS.get(_at(words, place + 1), 99) < 10:
        return value + _NUMBERS[words[place + 1]] / 10, place + 2
    return value, place


def _hundreds(value: float, words: list[str], place: int) -> tuple[float, int]:
    start = place + 1 if _at(words, place) == "and" else place
    if _at(words, start) in _NUMBERS:
        rest = _count(words, start)
        if rest is not None:
            return value + rest[0], rest[1]
    return value, place


def _fraction_of(words: list[str], place: int) -> tuple[float, float, int] | None:
    """The span in words like "half an hour", "a quarter of an hour" or "three quarters of an hour"."""
    many = 1.0
    if _at(words, place) in ("a", "one"):
        place += 1
    elif _at(words, place) in ("two", "three") and _at(words, place + 1) == "quarters":
        many = float(_NUMBERS[words[place]])
        place += 1
    part = _FRACTIONS.get(_at(words, place))
    if part is None:
        return None
    place += 1
    if _at(words, place) == "of":
        place += 1
    if _at(words, place) in ("a", "an"):
        place += 1
    unit = _unit(words, place)
    return None if unit is None else (many * part, unit, place + 1)


def _and_part(words: list[str], place: int) -> tuple[float, int]:
    """(part, next place) of "and a half", "and a quarter" or "and three quarters", else (0, place)."""
    if _at(words, place) != "and":
        return 0.0, place
    after, many = place + 1, 1.0
    if _at(words, after) in ("a", "one"):
        after += 1
    elif _at(words, after) == "three":
        after, many = after + 1, 3.0
    part = _FRACTIONS.get(_at(words, after))
    return (many * part, after + 1) if part else (0.0, place)


def _unit(words: list[str], place: int) -> float | None:
    word = _at(words, place)
    return _UNITS_S.get(word, _UNITS_S.get(word.removesuffix("s")))


def _at(words: list[str], place: int) -> str:
    return words[place] if place < len(words) else ""
