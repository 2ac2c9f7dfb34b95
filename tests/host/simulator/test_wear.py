"""Years of flash from measured erases."""

from simulator.bench import wear

FOUND = {
    "clip_5_s": 10.0,
    "clip_30_s": 60.0,
    "notice": 0.1,
    "seen": 0.15,
    "settings": 0.05,
    "app_blocks": 12.0,
    "most_of_mean": 1.25,
}


def test_years() -> None:
    # 500 blocks of 100,000 erases, 100 clips of 10.5 erases a day, the worst block 1.25 times as often.
    expected = 100_000 * 500 / (100 * 10.5 * 1.25) / 365
    assert abs(wear.years(FOUND, "clip_5_s", 512) - expected) < 0.01
    # No block is erased less than the mean.
    even = {**FOUND, "most_of_mean": 0.5}
    assert abs(wear.years(even, "clip_5_s", 512) - 1.25 * expected) < 0.01


def test_every_figure_is_told() -> None:
    text = wear.table(FOUND)
    assert "10.00" in text and "60.00" in text and "100,000 erases" in text
    assert len(text.splitlines()) == 1 + 5 + 1 + 1 + 4
