"""Safe mode among stand-ins: every part for itself, and all of them with no event loop."""

from lapel import safe_mode
from lapel.core import pattern
from lapel_wire import flight_reading, gatt, rescue


class Pin:
    """A board's essentials. Parts named in `broken` raise."""

    def __init__(self, broken=(), cause="soft reset"):
        self.broken = broken
        self.cause = cause
        self.shown = []
        self.traced = []
        self.memory = b""
        self.beacons = []
        self.every_ms = None
        self.callback = None
        self.closed = False
        self.light = self.retained = self

    def show(self, r, g, b):
        self._check("light")
        self.shown.append((r, g, b))

    def load(self):
        return self.memory

    def save(self, data):
        self._check("memory")
        self.memory = bytes(data)

    def reset_cause(self):
        return self.cause

    def trace(self, event, **fields):
        self._check("trace")
        self.traced.append((event, fields))

    def beacon(self, *arguments):
        self._check("radio")
        self.beacons.append(Beacon(arguments))
        return self.beacons[-1]

    def every(self, period_ms, callback):
        self._check("timer")
        self.every_ms, self.callback = period_ms, callback
        return self

    def close(self):
        self.closed = True

    def _check(self, part):
        if part in self.broken:
            raise OSError(part + " is broken")


class Beacon:
    def __init__(self, arguments):
        self.arguments = arguments
        self.started = self.stopped = False

    def start(self):
        self.started = True

    def stop(self):
        self.stopped = True


def test_it_says_so_in_every_way():
    pin = Pin()
    safe = safe_mode.start(pin, "OSError: no radio")
    (beacon,) = pin.beacons
    assert beacon.started
    assert beacon.arguments[:3] == (gatt.NAME, gatt.SERVICE_UUID, gatt.INFO_UUID)
    assert rescue.safe_cause(beacon.arguments[3]) == "OSError: no radio"
    told = flight_reading.decode(pin.memory)
    assert told["last_error"] == "safe mode: OSError: no radio" and told["reset_cause"] == "soft reset"
    assert ("safe_mode", {"cause": "OSError: no radio"}) in pin.traced
    assert pin.callback is not None and pin.every_ms <= 50
    safe.close()
    assert beacon.stopped and pin.closed and pin.shown[-1] == (0, 0, 0)


def test_what_hung_or_was_reset_gets_a_cause_too():
    for reset, word in (("watchdog", "hung"), ("power", "power"), ("reset", "reset"), ("unknown", "reset")):
        pin = Pin(cause=reset)
        safe = safe_mode.start(pin, "")
        assert word in safe.cause
        assert rescue.safe_cause(pin.beacons[0].arguments[3]) == safe.cause


def test_one_broken_part_does_not_keep_the_others_from_it():
    for broken in ("memory", "radio", "timer", "trace"):
        pin = Pin((broken,))
        safe_mode.start(pin, "x")
        assert bool(pin.memory) == (broken != "memory")
        assert bool(pin.beacons) == (broken != "radio")
        assert (pin.callback is not None) == (broken != "timer")
        assert bool(pin.traced) == (broken != "trace")


def test_all_broken_still_returns_and_can_be_closed():
    pin = Pin(("memory", "radio", "timer", "trace", "light"))
    safe = safe_mode.start(pin, "x")
    safe.close()


def test_the_light_blinks_the_pattern_again_and_again():
    pin = Pin()
    now = [1000]
    real, safe_mode.ticks_ms = safe_mode.ticks_ms, lambda: now[0]
    try:
        safe_mode.start(pin, "x")
        seen = []
        rounds = 3
        light = pattern.light("safe_mode")
        round_ms = pattern.length_ms(light) + 1500
        for _ in range(rounds * round_ms // pin.every_ms + 5):
            before = len(pin.shown)
            pin.callback()
            for colour in pin.shown[before:]:
                seen.append((now[0] - 1000, colour != (0, 0, 0)))
            now[0] += pin.every_ms
    finally:
        safe_mode.ticks_ms = real
    # Of each round: when it was lit, and for how long.
    lit = [seen[i + 1][0] - at for i, (at, on) in enumerate(seen[:-1]) if on]
    wanted = [pattern.LENGTHS_MS[letter] for letter in light if letter not in pattern.PAUSES]
    assert len(lit) >= rounds * len(wanted)
    for i, length_ms in enumerate(lit[: rounds * len(wanted)]):
        assert abs(length_ms - wanted[i % len(wanted)]) <= 2 * pin.every_ms, (i, lit)
    violet = max(pin.shown)
    assert violet[0] and violet[2] and not violet[1] and max(violet) <= 64


def test_a_late_timer_does_not_stop_the_light():
    pin = Pin()
    now = [0]
    real, safe_mode.ticks_ms = safe_mode.ticks_ms, lambda: now[0]
    try:
        safe_mode.start(pin, "x")
        for late in (30, 10_000, 30, 60_000, 30, 30):
            now[0] += late
            pin.callback()
        shown = len(pin.shown)
        for _ in range(200):
            now[0] += 30
            pin.callback()
        assert len(pin.shown) > shown + 6
    finally:
        safe_mode.ticks_ms = real
