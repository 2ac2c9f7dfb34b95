from lapel.core import pattern

# Everything of the interaction table that can be felt.
NAMES = (
    "listening tick55 captured kept accepted unheard done failed question reminder held cancelled full "
    "unpaired error low_battery safe_mode pulse none_long forget forget_again forgotten"
).split()
STEP_MS = 10


def felt():
    """(name, rhythm) of all that can be felt, each count of the pulses for itself."""
    for name in NAMES:
        if name == "pulse":
            for count in range(1, pattern.JOBS_MAX + 1):
                yield "pulse %d" % count, pattern.haptic(name, count)
        else:
            yield name, pattern.haptic(name)


def envelope(rhythm):
    out = ""
    for letter in rhythm:
        out += ("." if letter in pattern.PAUSES else "#") * (pattern.LENGTHS_MS[letter] // STEP_MS)
    return out


def apart_ms(first, second):
    """For how long one is felt and the other is not, laid upon each other as well as can be."""
    best = None
    for shift in range(-30, 31):
        a = "." * max(0, shift) + first
        b = "." * max(0, -shift) + second
        length = max(len(a), len(b))
        a += "." * (length - len(a))
        b += "." * (length - len(b))
        differing = sum(x != y for x, y in zip(a, b)) * STEP_MS
        best = differing if best is None else min(best, differing)
    return best


def test_there_is_a_pattern_for_every_feedback():
    assert sorted(NAMES + [pattern.COUNT]) == sorted(pattern.PATTERNS)


def test_lengths_can_be_told_apart():
    for shorter, longer in ("ts", "sl", " -"):
        assert pattern.LENGTHS_MS[longer] >= 3 * pattern.LENGTHS_MS[shorter]


def test_no_two_rhythms_are_the_same_to_a_finger():
    rhythms = list(felt())
    for at, (name, rhythm) in enumerate(rhythms):
        for other, other_rhythm in rhythms[:at]:
            distance = apart_ms(envelope(rhythm), envelope(other_rhythm))
            # A tick more or less is the smallest difference there is; anything else is a pulse or more.
            assert distance >= 60 or {name, other} == {"listening", "tick55"}, (name, other, distance)
            assert distance >= 30


def test_notices_differ_by_a_long_pulse_or_a_pause():
    # What comes unexpected, through cloth: by half a long pulse at least.
    unexpected = "unheard done failed question reminder held cancelled accepted low_battery".split()
    for at, name in enumerate(unexpected):
        for other in unexpected[:at]:
            first, second = envelope(pattern.haptic(name)), envelope(pattern.haptic(other))
            assert apart_ms(first, second) >= 140, (name, other)


def test_listening_is_a_tick():
    assert pattern.length_ms(pattern.haptic("listening")) <= 40
    assert pattern.light("listening") == pattern.STAYS


def test_all_else_ends_and_is_short():
    for name in NAMES:
        if name != "listening":
            assert 0 < pattern.length_ms(pattern.light(name)) <= 2500
        assert 0 < pattern.length_ms(pattern.haptic(name)) <= 1500
        rhythm = pattern.haptic(name)
        assert rhythm[0] not in pattern.PAUSES and rhythm[-1] not in pattern.PAUSES


def test_pulses_count_the_running_jobs():
    assert [pattern.haptic("pulse", n).count("s") for n in (0, 1, 2, 5, 6, 99)] == [1, 1, 2, 5, 5, 5]
    assert pattern.light("pulse", 3) == pattern.haptic("pulse", 3)


def test_the_count_of_notices_is_seen():
    assert pattern.light("done", 1) == pattern.light("done")
    assert pattern.light("done", 3)[-5:] == "s-s-s"
    assert pattern.light("done", 30).count("s") == pattern.COUNT_MAX
    assert pattern.haptic(pattern.COUNT) == ""
    assert pattern.light(pattern.COUNT, 2) == "s-s"


def test_colours_and_lights_are_colours():
    for colour in [pattern.colour(name) for name in NAMES] + list(pattern.LIGHTS.values()):
        assert len(colour) == 3 and all(0 <= part <= 255 for part in colour)


def test_the_most_urgent():
    assert sorted(["done", "held", "question", "failed"], key=pattern.rank) == ["question", "failed", "held", "done"]
    assert pattern.rank("listening") < min(pattern.rank(n) for n in NAMES if n not in ("listening", "tick55"))
