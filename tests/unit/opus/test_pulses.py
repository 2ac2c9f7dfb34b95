# Pulses and their numbers, against a plain enumeration; halves, against floating point.
import math
import random
from array import array

from lapel_audio.opus import halves, pvq, tables

OFFSET = 1 << 28
AT, N, K, BLOCKS, SPREAD, OFFSET_AT, WAYS, INDEX, RAWS, RAW, TILT = 88, 89, 90, 91, 92, 93, 94, 95, 100, 101, 162


def sizes():
    """Each n that there is, with its numbers of pulses."""
    for n in (2, 3, 4, 6, 8, 12, 16, 24, 32, 48):
        at = 66 + tables.COSTS[n]
        most = tables.COSTS[at]
        yield n, [q if q < 8 else (8 + (q & 7)) << (q >> 3) - 1 for q in range(1, most + 1)]


class Ways:
    """V(n, k), and the pulses that a number stands for (RFC 6716, section 4.3.4.2)."""

    def count(self, n, k):
        if k == 0:
            return 1
        # So many places have pulses: which ones, how many each, and their signs.
        total, which, shared = 0, 1, 1
        for places in range(1, min(n, k) + 1):
            which = which * (n + 1 - places) * 2 // places
            total += which * shared
            shared = shared * (k - places) // places
        return total

    def pulses(self, n, k, number):
        found = []
        while n:
            # First those where this place is 0 or more, and of them those with the least pulses behind it.
            below = self.count(n - 1, k)
            positive = below + sum(self.count(n - 1, k - size) for size in range(1, k + 1))
            sign = 1
            if number >= positive:
                number -= positive
                sign = -1
            size = k
            while size:
                ways = self.count(n - 1, k - size)
                if number < ways:
                    break
                number -= ways
                size -= 1
            if size == 0 and sign < 0:
                raise ValueError("no such number")
            found.append(sign * size)
            k -= size
            n -= 1
        assert number == 0 and k == 0
        return found


class Places:
    def __init__(self):
        self.frame = array("i", [0] * 164)
        self.spectrum = array("i", [OFFSET] * 320)
        self.counts = pvq.Counts()

    def set(self, at, values, k, blocks=1, spread=2):
        frame = self.frame
        frame[AT], frame[N], frame[K], frame[BLOCKS], frame[SPREAD] = at, len(values), k, blocks, spread
        frame[OFFSET_AT] = OFFSET
        for number, value in enumerate(values):
            self.spectrum[at + number] = OFFSET + value

    def quantise(self, at, values, k):
        """The pulses, and their number with how many there are."""
        self.set(at, values, k)
        counts, frame = self.counts, self.frame
        pvq.quantise(
            0, 0, frame, self.spectrum, counts.magnitudes, counts.pulses, counts.ways, counts.columns
        )
        pulses = [counts.pulses[number] * (-1 if values[number] < 0 else 1) for number in range(len(values))]
        raws = frame[RAWS]
        assert frame[RAW] < 1 << raws
        return pulses, frame[INDEX] << raws | frame[RAW], frame[WAYS], raws


def any_values(n):
    size = 1 << random.randrange(24)
    kind = random.randrange(5)
    if kind == 0:
        return [random.randrange(-3, 4) for _ in range(n)]
    if kind == 1:
        return [0 if random.randrange(4) else random.randrange(-size, size + 1) for _ in range(n)]
    if kind == 2:
        return [random.choice((-size, size)) for _ in range(n)]
    return [random.randrange(-size, size + 1) >> random.randrange(6) for _ in range(n)]


def test_the_number_is_that_of_the_pulses():
    ways, places = Ways(), Places()
    random.seed(3)
    for n, amounts in sizes():
        for k in amounts:
            pulses, number, symbols, raws = places.quantise(random.randrange(320 - n), any_values(n), k)
            assert sum(abs(pulse) for pulse in pulses) == k
            last = ways.count(n, k) - 1
            assert raws == max(0, len(bin(last)) - 2 - 8) and symbols == (last >> raws) + 1
            if k < 40:
                assert ways.pulses(n, k, number) == pulses


def test_nothing_becomes_pulses_too():
    places = Places()
    for n, amounts in sizes():
        pulses, number, _, _ = places.quantise(0, [0] * n, amounts[-1])
        assert sum(pulses) == amounts[-1]


def test_no_other_place_for_one_pulse_is_better_by_much():
    places = Places()
    random.seed(9)
    for n, amounts in sizes():
        for _ in range(6):
            k = random.choice(amounts[:12])
            values = [random.randrange(-9000, 9001) * random.randrange(1, 5) for _ in range(n)]
            pulses, _, _, _ = places.quantise(8, values, k)
            mine = likeness(values, pulses)
            for one in range(n):
                for other in range(n):
                    if pulses[one] and one != other:
                        moved = list(pulses)
                        moved[one] -= 1 if pulses[one] > 0 else -1
                        moved[other] += 1 if values[other] >= 0 else -1
                        assert likeness(values, moved) < mine + 0.02


def likeness(values, pulses):
    product = sum(value * pulse for value, pulse in zip(values, pulses))
    return product * product / (sum(value * value for value in values) + 1) / sum(pulse * pulse for pulse in pulses)


def test_what_is_turned_has_the_same_energy():
    random.seed(4)
    few = ((48, 3, 1, 1), (32, 2, 1, 3), (16, 2, 8, 2), (24, 1, 4, 2), (8, 1, 8, 1), (48, 5, 16, 2))
    for n, k, blocks, spread in few:
        places = Places()
        values = [random.randrange(-4000, 4001) for _ in range(n)]
        places.set(40, values, k, blocks, spread)
        pvq.rotate(0, 0, places.frame, places.spectrum, places.counts.magnitudes)
        turned = [places.spectrum[40 + number] - OFFSET for number in range(n)]
        energies = [sum(value * value for value in some) for some in (values, turned)]
        assert abs(energies[1] / energies[0] - 1) < 0.01
        assert (turned != values) == (blocks < n)
        assert places.spectrum[39] == OFFSET and places.spectrum[40 + n] == OFFSET


def test_the_angle_is_that_between_the_halves():
    places = Places()
    random.seed(6)
    for _ in range(200):
        n = random.choice((2, 3, 4, 6, 8, 12, 16, 24))
        angles = 2 * random.randrange(1, 129)
        loud = [1 << random.randrange(2, 24) for _ in range(2)]
        values = [random.randrange(-loud[half], loud[half] + 1) for half in (0, 1) for _ in range(n)]
        places.set(16, values, 1)
        angle = halves.halve(0, 0, places.frame, places.spectrum, 16, n, angles)
        first, second = (math.sqrt(sum(value * value for value in values[half * n : half * n + n])) for half in (0, 1))
        exact = math.atan2(second, first) / (math.pi / 2) * angles
        assert abs(angle - exact) < 0.5 + 0.01 * angles
        tilt = places.frame[TILT] - (1 << 20)
        if 0 < angle < angles:
            radians = angle / angles * math.pi / 2
            assert abs(tilt - 8 * (n - 1) * math.log(math.tan(radians)) / math.log(2)) < 2 + n
        else:
            assert tilt == (16384 if angle else -16384)
