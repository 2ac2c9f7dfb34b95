from lapel.core.clock import Clock

PERIOD = 1 << 30


class Ticks:
    """Ticks that wrap as MicroPython's do, moved by hand."""

    def __init__(self, at=0):
        self.at = at

    def __call__(self):
        return self.at % PERIOD

    @staticmethod
    def diff(end, start):
        return (end - start + PERIOD // 2) % PERIOD - PERIOD // 2


def test_time_goes_on_over_the_wrap_of_the_ticks():
    ticks = Ticks(PERIOD - 5)
    clock = Clock(ticks, ticks.diff)
    assert clock.ms() == 0
    for step in (3, 3, PERIOD // 2 - 1, PERIOD // 2 - 1, PERIOD // 2 - 1):
        before = clock.ms()
        ticks.at += step
        assert clock.ms() == before + step


def test_wall_time_is_unknown_until_told():
    ticks = Ticks()
    clock = Clock(ticks, ticks.diff)
    assert clock.unix_ms() is None and clock.minute_of_day() is None
    ticks.at = 1000
    # 2026-11-20 22:30:00 UTC, in a zone two hours ahead.
    clock.set_wall(1795213800000, 120)
    assert clock.unix_ms() == 1795213800000
    assert clock.unix_ms(0) == 1795213799000
    assert clock.minute_of_day() == 30
    ticks.at += 61_000
    assert clock.minute_of_day() == 31


def test_a_tick_has_its_place_in_time():
    ticks = Ticks(PERIOD - 10)
    clock = Clock(ticks, ticks.diff)
    pressed = ticks()
    ticks.at += 500
    assert clock.at(pressed) == 0
    assert clock.at(ticks()) == 500
