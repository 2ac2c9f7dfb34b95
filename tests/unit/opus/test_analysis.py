import random
from array import array

from lapel_audio.opus import analysis

random.seed(5)

ZERO = 1 << 28
HIGH = 32768


def words(values):
    made = array("i", bytes(4 * len(values)))
    for at, value in enumerate(values):
        made[at] = value
    return made


def levels(steps):
    return words([HIGH + round(1024 * step) for step in steps])


def test_what_begins_within_the_frame_is_an_attack():
    for quiet, loud in ((0, 100), (5, 2000), (30, 1 << 20)):
        noise = [random.randrange(quiet + 1) - quiet // 2 for _ in range(360)]
        steady = analysis.attack(0, 0, words([ZERO + sample for sample in noise]), 0)
        for at in (60, 200, 330):
            begun = [sample + random.randrange(-loud, loud) * (n >= at) for n, sample in enumerate(noise)]
            shift = max(0, len(bin(loud)) - 14)
            assert analysis.attack(0, 0, words([ZERO + sample for sample in begun]), shift) > 4 * max(steady, 16)


def test_an_even_sound_and_one_that_ends_are_none():
    even = [random.randrange(-5000, 5000) for _ in range(360)]
    assert analysis.attack(0, 0, words([ZERO + sample for sample in even]), 0) < 32
    ends = [sample if n < 150 else 0 for n, sample in enumerate(even)]
    assert analysis.attack(0, 0, words([ZERO + sample for sample in ends]), 0) < 32
    assert analysis.attack(0, 0, words([ZERO] * 360), 0) == 0


def test_a_loud_band_hides_weak_ones_behind_it():
    assert analysis.loudness(0, 0, levels([3] * 17)) == HIGH + 3 * 1024
    assert analysis.loudness(0, 0, levels([16] + [-9] * 16)) == HIGH + 8 * 1024
