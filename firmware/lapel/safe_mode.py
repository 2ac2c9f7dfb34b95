"""What a pin does whose app failed to start three times: says so, in every way it has, and leaves its console free.

Nothing here may need what an app may have broken. Each part is tried for itself: one that fails is told on the
console, and the others go on. main.py starts it, and keeps the watchdog from biting; it runs by a timer and by the
radio's events, with no event loop.
"""

from lapel.compat import const, ticks_diff, ticks_ms
from lapel.core import pattern
from lapel_wire import gatt, rescue

_TICK_MS = const(30)
# Between two rounds of the light, and how bright it is: it may have to last for hours.
_PAUSE_MS = const(1500)
_DIM = const(4)

_SILENT = {"watchdog": "it hung, and its watchdog reset it", "power": "it lost its power again and again"}

_HELP = """
Lapel: this pin is in safe mode. Its app did not start three times in a row; the last time:
  %s
On the computer: make flash puts a good app on it, make logs shows what it wrote down.
Power off and on, and the app is tried again. This console is yours: help() helps.
"""


class SafeMode:
    """What goes on while the console is free. close() ends it."""

    def __init__(self, pin, cause: str) -> None:
        self._pin = pin
        self.cause = cause
        self._beacon = None
        self._ticker = None
        # Changes of the light in a round: (ms since its begin, whether it is on then).
        self._changes = []
        self._at = 0
        self._began_ms = ticks_ms()
        self._round_ms = 0

    def start(self) -> None:
        """Every part, each for itself."""
        for part in (self._write_down, self._advertise, self._blink, self._trace):
            try:
                part()
            except Exception as error:
                print("Lapel: safe mode goes on without this: %s: %s" % (type(error).__name__, error))
        print(_HELP % self.cause)

    def close(self) -> None:
        """Light off, radio off."""
        if self._ticker:
            self._ticker.close()
            self._pin.light.show(*pattern.LIGHTS["off"])
        if self._beacon:
            self._beacon.stop()
        self._ticker = self._beacon = None

    def _write_down(self) -> None:
        from lapel.services.flight import Flight

        flight = Flight(self._pin.retained, ticks_ms)
        flight.boot(self._pin.reset_cause())
        flight.error("safe mode: " + self.cause)

    def _advertise(self) -> None:
        info = rescue.safe_info(self.cause)
        beacon = self._pin.beacon(gatt.NAME, gatt.SERVICE_UUID, gatt.INFO_UUID, info)
        beacon.start()
        self._beacon = beacon
        self._pin.trace("advertising")

    def _blink(self) -> None:
        at_ms = 0
        for letter in pattern.light("safe_mode"):
            self._changes.append((at_ms, letter not in pattern.PAUSES))
            at_ms += pattern.LENGTHS_MS[letter]
        self._changes.append((at_ms, False))
        self._round_ms = at_ms + _PAUSE_MS
        self._began_ms = ticks_ms()
        self._ticker = self._pin.every(_TICK_MS, self._tick)

    def _tick(self) -> None:
        since_ms = ticks_diff(ticks_ms(), self._began_ms)
        if since_ms >= self._round_ms:
            self._began_ms = ticks_ms()
            self._at = since_ms = 0
        if self._at < len(self._changes) and since_ms >= self._changes[self._at][0]:
            on = self._changes[self._at][1]
            self._at += 1
            r, g, b = pattern.colour("safe_mode") if on else pattern.LIGHTS["off"]
            self._pin.light.show(r // _DIM, g // _DIM, b // _DIM)

    def _trace(self) -> None:
        self._pin.trace("safe_mode", cause=self.cause)


def start(pin, cause: str) -> SafeMode:
    """`pin` as of a board's essentials(); `cause` is what the app died of, "" when it could not say. Returns at
    once; keep what it returns."""
    safe = SafeMode(pin, cause or _SILENT.get(pin.reset_cause(), "it was reset before it was well"))
    safe.start()
    return safe
