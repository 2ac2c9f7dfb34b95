"""Phones, agreement of a reading with a phrase, and the comparison of two readings over the sound."""

from __future__ import annotations

import pytest

from lapel_companion import matching
from lapel_companion.speech import phones
from lapel_companion.speech.agree import Agreement, Target
from lapel_companion.speech.confirm import Piece, worst_stretch

SOUNDS = {
    "how": "HH AW", "much": "M AH CH", "disk": "D IH S K", "desk": "D EH S K", "space": "S P EY S",
    "spaces": "S P EY S IH Z", "is": "IH Z", "left": "L EH F T", "does": "D AH Z", "make": "M EY K", "a": "AH",
    "note": "N OW T", "to": "T UW", "buy": "B AY", "milk": "M IH L K", "boat": "B OW T", "not": "N AA T",
    "ask": "AE S K", "bob": "B AA B", "taxi": "T AE K S IY", "me": "M IY", "call": "K AO L", "never": "N EH V ER",
    "bar": "B AA R",
}  # fmt: skip


def sounds(word: str) -> tuple[str, ...]:
    return tuple(SOUNDS.get(word, "").split())


def agreement(say: str, reading: str, ceiling: float = 0.6) -> Agreement | None:
    return Target(say, matching.pattern(say), sounds).agreement(reading.split(), ceiling)


def test_phones_that_sound_alike_are_nearer() -> None:
    near = phones.SUBSTITUTION
    assert near["T", "D"] < near["T", "M"] <= 0.9
    assert near["IH", "EH"] < near["IY", "AO"] <= 0.9
    assert near["S", "AA"] == 1.0
    assert all(near[a, b] == near[b, a] for a, b in near)
    assert all((cost == 0) == (a == b) for (a, b), cost in near.items())


def test_the_distance_belongs_to_the_words_it_is_in() -> None:
    said = [sounds(word) for word in ("disk", "space", "is")]
    heard = [phone for word in ("desk", "space", "is") for phone in sounds(word)]
    first, *rest = phones.distance_per_word(said, heard)
    assert 0 < first < 0.5 and rest == [0.0, 0.0]
    assert phones.distance_per_word(said, []) == pytest.approx([sum(map(phones.weight, word)) for word in said])
    assert sum(phones.distance_per_word(said, [*"T AE K S IY".split(), *heard])) > 2


def test_costs_for_every_number_of_words_heard() -> None:
    said = [sounds("disk"), sounds("space")]
    costs = phones.costs_at_words(said, [sounds(word) for word in ("disk", "space", "left")])
    assert costs[2] == 0 and costs[0] > costs[1] > 0 and costs[3] > 0
    assert phones.costs_at_words(said, [])[0] == pytest.approx(costs[0])


def test_a_reading_that_sounds_like_the_phrase_agrees() -> None:
    same = agreement("how much disk space is left", "how much disk space is left")
    assert same == Agreement(0.0, 0.0, tuple("how much disk space is left".split()))
    near = agreement("how much disk space is left", "how much does spaces left")
    assert near is not None and 0 < near.distance < 0.2 and near.filled == same.filled


def test_other_words_before_or_after_do_not() -> None:
    phrase = "how much disk space is left"
    for reading in ("call me a taxi", "how much", "ask bob how much disk space is left"):
        assert agreement(phrase, reading, 0.2) is None


def test_slots_take_whole_words_of_the_reading() -> None:
    found = agreement("make a note {text}", "make a boat to buy milk")
    assert found is not None and found.filled == tuple("make a note to buy milk".split())
    assert found.worst > 0.2
    assert agreement("make a note {text}", "make a note", 0.2) is None
    assert agreement("make a note {text}", "make a note to a", 0.2) is None
    middle = agreement("call {who} a taxi", "call bob a taxi")
    assert middle == Agreement(0.0, 0.0, ("call", "bob", "a", "taxi"))


def test_a_negation_more_or_less_is_another_sentence() -> None:
    for reading in ("not make a note to buy milk", "make a not to buy milk", "never make a note to buy milk"):
        found = agreement("make a note {text}", reading, 1.0)
        assert found is not None and found.turned
    inside = agreement("make a note {text}", "make a note not to buy milk")
    assert inside is not None and not inside.turned


def test_words_without_a_sound_are_named() -> None:
    say = "call {who} a zyzzyva"
    assert Target(say, matching.pattern(say), sounds).missing == ("zyzzyva",)


def test_a_phrase_sounds_as_it_is_said() -> None:
    SOUNDS.update({"what's": "W AH T S", "what": "W AH T", "ten": "T EH N", "don't": "D OW N T"})
    found = agreement("what's left is 10", "what's left is ten")
    assert found == Agreement(0.0, 0.0, ("what's", "left", "is", "ten"))
    # One negation, however it is written.
    kept = agreement("don't call me", "don't call me")
    assert kept is not None and not kept.turned
    lost = agreement("don't call me", "call me", 1.0)
    assert lost is not None and lost.turned


def line(*pieces: tuple[str, int, float]) -> list[Piece]:
    return [Piece(*piece) for piece in pieces]


def test_the_worst_stretch_is_where_the_rival_fits_better() -> None:
    phrase = line(("<sil>", 10, -30.0), ("disk", 40, -200.0), ("space", 80, -150.0))
    same = worst_stretch(phrase, phrase)
    rival = line(("<sil>", 10, -30.0), ("desk", 41, -160.0), ("space", 80, -150.0))
    assert same == 0 and worst_stretch(phrase, rival) == 40
    # Better in one stretch is not made good by worse in another.
    rival = line(("<sil>", 10, -30.0), ("desk", 40, -160.0), ("base", 80, -300.0))
    assert worst_stretch(phrase, rival) == 40
    assert worst_stretch(rival, phrase) == 150


def test_stretches_without_a_common_border_are_one() -> None:
    phrase = line(("a", 30, -100.0), ("b", 60, -100.0))
    rival = line(("c", 20, -50.0), ("d", 45, -50.0), ("e", 60, -60.0))
    assert worst_stretch(phrase, rival) == 40
    assert worst_stretch(phrase, line(("c", 20, -50.0), ("d", 90, -50.0))) == 100
