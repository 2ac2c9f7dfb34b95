"""How near two strings of phones are: the distance behind "the dictation agrees with the phrase".

Phones are those of the CMU dictionary (ARPABET without stress). Costs run from 0 (the same) to 1 (nothing in common):
consonants differ in place, manner and voice, vowels by where the tongue is, after the IPA chart.
"""

from __future__ import annotations

from collections.abc import Sequence

# place (front to back), manner, voiced
_CONSONANTS: dict[str, tuple[int, str, bool]] = {
    "P": (0, "stop", False), "B": (0, "stop", True), "T": (2, "stop", False), "D": (2, "stop", True),
    "K": (4, "stop", False), "G": (4, "stop", True), "F": (0, "fricative", False), "V": (0, "fricative", True),
    "TH": (1, "fricative", False), "DH": (1, "fricative", True), "S": (2, "sibilant", False),
    "Z": (2, "sibilant", True), "SH": (3, "sibilant", False), "ZH": (3, "sibilant", True),
    "CH": (3, "affricate", False), "JH": (3, "affricate", True), "M": (0, "nasal", True), "N": (2, "nasal", True),
    "NG": (4, "nasal", True), "L": (2, "glide", True), "R": (3, "glide", True), "W": (0, "glide", True),
    "Y": (3, "glide", True), "HH": (5, "fricative", False),
}  # fmt: skip
# Where a vowel begins and ends: (open 0..1, back 0..1).
_VOWELS: dict[str, tuple[float, float, float, float]] = {
    "IY": (0.0, 0.0, 0.0, 0.0), "IH": (0.2, 0.2, 0.2, 0.2), "EY": (0.4, 0.0, 0.1, 0.0), "EH": (0.6, 0.1, 0.6, 0.1),
    "AE": (0.8, 0.1, 0.8, 0.1), "AH": (0.5, 0.5, 0.5, 0.5), "ER": (0.4, 0.5, 0.4, 0.5), "AA": (1.0, 0.8, 1.0, 0.8),
    "AO": (0.7, 1.0, 0.7, 1.0), "OW": (0.5, 0.9, 0.2, 1.0), "UH": (0.2, 0.8, 0.2, 0.8), "UW": (0.0, 0.9, 0.0, 1.0),
    "AY": (1.0, 0.4, 0.2, 0.1), "AW": (1.0, 0.4, 0.2, 0.9), "OY": (0.6, 1.0, 0.2, 0.1),
}  # fmt: skip
PHONES = tuple(sorted({*_CONSONANTS, *_VOWELS}))

# Phones that come and go in ordinary speech cost less to lose or to gain.
_WEAK = frozenset(("AH", "HH", "T", "D", "IH"))
_WEAK_COST = 0.6


def _differ(a: str, b: str) -> float:
    if a == b:
        return 0.0
    if a in _VOWELS and b in _VOWELS:
        apart = sum(abs(x - y) for x, y in zip(_VOWELS[a], _VOWELS[b], strict=True)) / 2
        return min(0.9, max(0.3, apart))
    if a in _CONSONANTS and b in _CONSONANTS:
        place_a, manner_a, voiced_a = _CONSONANTS[a]
        place_b, manner_b, voiced_b = _CONSONANTS[b]
        cost = 0.2 * min(2, abs(place_a - place_b)) + 0.4 * (manner_a != manner_b) + 0.25 * (voiced_a != voiced_b)
        return min(0.9, max(0.3, cost))
    return 1.0


SUBSTITUTION = {(a, b): _differ(a, b) for a in PHONES for b in PHONES}


def weight(phone: str) -> float:
    """The cost of losing or gaining `phone`."""
    return _WEAK_COST if phone in _WEAK else 1.0


def distance_per_word(said: Sequence[Sequence[str]], heard: Sequence[str]) -> list[float]:
    """The cheapest way from the words `said` (phones of each word) to the phones `heard`, as a cost for each word said.

    A phone that was gained belongs to the word before it, at the very start to the first.
    """
    flat = [phone for word in said for phone in word]
    owner = [index for index, word in enumerate(said) for _ in word]
    rows = _table(flat, heard)
    costs = [0.0] * len(said)
    i, j = len(flat), len(heard)
    while i or j:
        here = rows[i][j]
        if i and j:
            step = SUBSTITUTION.get((flat[i - 1], heard[j - 1]), 1.0)
            if abs(here - rows[i - 1][j - 1] - step) < 1e-9:
                costs[owner[i - 1]] += step
                i, j = i - 1, j - 1
                continue
        if i and abs(here - rows[i - 1][j] - weight(flat[i - 1])) < 1e-9:
            costs[owner[i - 1]] += weight(flat[i - 1])
            i -= 1
            continue
        costs[owner[max(0, i - 1)]] += weight(heard[j - 1])
        j -= 1
    return costs


def _table(said: Sequence[str], heard: Sequence[str]) -> list[list[float]]:
    first = [0.0]
    for phone in heard:
        first.append(first[-1] + weight(phone))
    rows = [first]
    for phone in said:
        above = rows[-1]
        lose = weight(phone)
        row = [above[0] + lose]
        for j, other in enumerate(heard):
            best = above[j] + SUBSTITUTION.get((phone, other), 1.0)
            lost = above[j + 1] + lose
            gained = row[j] + weight(other)
            if lost < best:
                best = lost
            if gained < best:
                best = gained
            row.append(best)
        rows.append(row)
    return rows


def costs_at_words(said: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]) -> list[float]:
    """Cost from the words `said` to the first n words `heard`, for n from 0 to all of them."""
    last = _table([phone for word in said for phone in word], [phone for word in heard for phone in word])[-1]
    costs, at = [last[0]], 0
    for word in heard:
        at += len(word)
        costs.append(last[at])
    return costs
