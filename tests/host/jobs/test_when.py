"""Relative times, by table."""

import pytest

from lapel_companion import when

MINUTE, HOUR, DAY = 60, 3600, 86_400

SPANS = [
    ("in ten minutes", 10 * MINUTE),
    ("ten minutes", 10 * MINUTE),
    ("in a minute", MINUTE),
    ("in an hour", HOUR),
    ("in one hour", HOUR),
    ("in half an hour", 30 * MINUTE),
    ("in a half hour", 30 * MINUTE),
    ("half a minute", 30),
    ("in a quarter of an hour", 15 * MINUTE),
    ("in three quarters of an hour", 45 * MINUTE),
    ("in two and a half hours", 2.5 * HOUR),
    ("in an hour and a half", 1.5 * HOUR),
    ("in one and a half hours", 1.5 * HOUR),
    ("in two hours and a quarter", 2.25 * HOUR),
    ("in an hour and a quarter", 1.25 * HOUR),
    ("in two and three quarter hours", 2.75 * HOUR),
    ("in an hour and ten minutes", HOUR + 10 * MINUTE),
    ("in two hours, five minutes and ten seconds", 2 * HOUR + 5 * MINUTE + 10),
    ("in twenty-five minutes", 25 * MINUTE),
    ("in twenty five minutes", 25 * MINUTE),
    ("in a hundred seconds", 100),
    ("in one hundred and twenty minutes", 2 * HOUR),
    ("in ninety seconds", 90),
    ("in 10 minutes", 10 * MINUTE),
    ("in 2.5 hours", 2.5 * HOUR),
    ("in two point five hours", 2.5 * HOUR),
    ("in 1h 30min", 1.5 * HOUR),
    ("in 90s", 90),
    ("in a couple of minutes", 2 * MINUTE),
    ("in couple of hours", 2 * HOUR),
    ("In Ten Minutes.", 10 * MINUTE),
    ("in ten minutes' time", 10 * MINUTE),
    ("in an hour's time", HOUR),
    ("ten minutes from now", 10 * MINUTE),
    ("in three days", 3 * DAY),
    ("in two weeks", 14 * DAY),
    ("in a day and a half", 1.5 * DAY),
    ("in eleven hrs", 11 * HOUR),
    ("in five mins", 5 * MINUTE),
    ("in three hundred sixty five days", 365 * DAY),
]

NOT_A_SPAN = [
    "",
    "in",
    "later",
    "soon",
    "in a while",
    "in a few minutes",
    "at five",
    "at five o'clock",
    "tomorrow",
    "ten",
    "in ten",
    "minutes",
    "in minutes",
    "in zero minutes",
    "in to minutes",
    "in ten minutes and",
    "in ten minutes ten minutes",
    "in ten minutes and two hours",
    "in ten minutes to call mum",
    "in -5 minutes",
    "in a million years",
    "in 400 days",
    "in 9999999 minutes",
    "in half",
    "and a half hours",
    "in an hour and",
    "in ten ten minutes",
    "half past ten",
    "in ten minutes; rm",
]


@pytest.mark.parametrize(("text", "seconds"), SPANS)
def test_span(text: str, seconds: float) -> None:
    assert when.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", NOT_A_SPAN)
def test_not_a_span(text: str) -> None:
    assert when.parse(text) is None
