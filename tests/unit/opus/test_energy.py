import math
import random
from array import array

from lapel_audio.opus import energy, mdct, tables

random.seed(5)

BANDS = 17


def words(values=(), count=BANDS):
    made = array("i", bytes(4 * count))
    for at, value in enumerate(values):
        made[at] = value
    return made


def stepped(level):
    """A level in steps of 6 dB."""
    return (level - energy.HIGH) / 1024


class Decoder:
    """Levels as RFC 6716, 4.3.2, tells a decoder to make them, in floating point."""

    def __init__(self):
        self.levels = [0.0] * BANDS

    def coarse(self, steps, intra):
        alpha, beta = (0.0, 4915 / 32768) if intra else (16384 / 32768, 6554 / 32768)
        carried = 0.0
        for band in range(BANDS):
            self.levels[band] = max(-28.0, alpha * max(-9.0, self.levels[band]) + carried + steps[band] - 128)
            carried += (steps[band] - 128) * (1 - beta)

    def fine(self, values, widths):
        for band in range(BANDS):
            if widths[band]:
                self.levels[band] += (values[band] + 0.5) / (1 << widths[band]) - 0.5

    def last(self, values, widths, ranks, left):
        at = 0
        for rank in (0, 1):
            for band in range(BANDS):
                if left and widths[band] < 8 and ranks[band] == rank:
                    self.levels[band] += (values[at] - 0.5) / (1 << widths[band] + 1)
                    at += 1
                    left -= 1
        return at


def test_levels_are_logarithms():
    for peak in (100_000, 4000, 130, 9, 1):
        spectrum = words([random.randrange(-peak, peak + 1) for _ in range(320)], 320)
        spectrum[0] = -peak
        levels = words()
        shown = words([mdct.ZERO + x for x in spectrum], 320)
        energy.measure(0, 0, shown, tables.EDGES, tables.E_MEANS, levels, energy.LONG_SCALE - 3 * 1024)
        for band in range(BANDS):
            bins = spectrum[8 * tables.EDGES[band] : 8 * tables.EDGES[band + 1]]
            total = sum(x * x for x in bins)
            # -1 alone is nothing
            if max(bins) > 0 or min(bins) < -1:
                wanted = math.log(total / 25600) / math.log(4) + 3 - tables.E_MEANS[band] / 16
                assert abs(stepped(levels[band]) - wanted) < 0.01, (peak, band)
            else:
                assert levels[band] == energy.LOWEST


def test_nothing_is_the_lowest_level():
    levels = words()
    energy.measure(0, 0, words([mdct.ZERO] * 320, 320), tables.EDGES, tables.E_MEANS, levels, 7498)
    assert list(levels) == [energy.LOWEST] * BANDS


def test_a_decoder_has_the_levels_that_the_encoder_believes_it_has():
    old, new, steps = words([energy.HIGH] * BANDS), words(), words()
    errors = words([energy.NO_ERROR] * BANDS)
    values, widths = words(), words()
    decoder = Decoder()
    centre = 0.0
    for frame in range(60):
        centre += random.uniform(-6, 6) - centre / 8
        wanted = [max(-27, min(14, centre + random.uniform(-6, 6))) for _ in range(BANDS)]
        levels = words([energy.HIGH + int(1024 * step) for step in wanted])
        intra = random.randrange(4) == 0
        energy.coarse(0, 0, levels, old, new, steps, errors, intra, 16384, 15)
        old, new = new, old
        decoder.coarse(steps, intra)
        ranks = [random.randrange(2) for _ in range(BANDS)]
        frame_words = words([random.randrange(6) for _ in range(BANDS)] + ranks, 34)
        energy.fine(0, 0, old, errors, frame_words, 0, values, widths)
        decoder.fine(values, widths)
        left = random.randrange(20)
        count = energy.last(0, 0, old, errors, frame_words, 0, BANDS, values, widths, left)
        assert count == decoder.last(values, frame_words[:BANDS], ranks, left) == min(left, BANDS)
        for band in range(BANDS):
            assert abs(stepped(old[band]) - decoder.levels[band]) < 0.02, (frame, band)
            if abs(steps[band] - 128) < 15 and stepped(levels[band]) > max(-9, stepped(new[band]) - 16):
                # what is left over is what it says, but for what a steady level leans to the last one
                left_over = (errors[band] - energy.NO_ERROR) / 1024
                leans = 0.126 if abs(levels[band] - new[band]) < 2048 else 0
                assert abs(stepped(levels[band]) - stepped(old[band]) - left_over) < 0.01 + leans, (frame, band)
                assert abs(left_over) < 0.51 / (1 << frame_words[band]), (frame, band)


def test_a_level_falls_no_faster_than_it_is_told():
    old, new, steps = words([energy.HIGH + 8 * 1024] * BANDS), words(), words()
    errors = words([energy.NO_ERROR] * BANDS)
    levels = words([energy.HIGH - 9 * 1024] * BANDS)
    energy.coarse(0, 0, levels, old, new, steps, errors, 0, 2048, 15)
    assert all(stepped(level) >= 4 for level in new)


def test_steps_are_no_larger_than_they_may():
    old, new, steps = words([energy.HIGH] * BANDS), words(), words()
    errors = words([energy.NO_ERROR] * BANDS)
    levels = words([energy.HIGH + (19000 if band & 1 else -19000) for band in range(BANDS)])
    for most in (15, 1):
        energy.coarse(0, 0, levels, old, new, steps, errors, 0, 16384, most)
        assert max(steps) == 128 + most and min(steps) >= 128 - most
        for band in range(BANDS):
            assert errors[band] - energy.NO_ERROR == levels[band] - new[band] or new[band] == energy.LOWEST


def test_a_steady_level_leans_to_the_last_one():
    old, new, steps = words([energy.HIGH] * BANDS), words(), words()
    levels = words([energy.HIGH + 100] * BANDS)
    errors = words([energy.NO_ERROR + 400] * BANDS)
    energy.coarse(0, 0, levels, old, new, steps, errors, 1, 16384, 15)
    assert list(steps) == [128] * BANDS and list(errors) == [energy.NO_ERROR] * BANDS
    levels = words([energy.HIGH + 4200] * BANDS)
    energy.coarse(0, 0, levels, old, new, steps, errors, 1, 16384, 15)
    assert errors[0] - energy.NO_ERROR == 4200 - 4096
