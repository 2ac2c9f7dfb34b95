"""One push button on a GPIO: debounced edges, in order, each with its time.

The interrupt stores time and level and sets a flag, nothing else. On the ESP32 it is a scheduled call: after
a long flash operation it comes late, and so is the time then.

Which pin of an ESP32-S3 (data sheet: strapping pins; ESP-IDF guide: GPIO & RTC GPIO, sleep modes):
- GPIO 0 to 21 can wake it from deep sleep (esp32.wake_on_ext0 takes one, ext1 several); 26 and above cannot.
- Not 0, 3, 45 and 46, which are read at reset: 0 held low starts the loader in ROM instead of the program.
- Not 19 and 20 (USB), nor 26 to 32, with octal PSRAM to 37 (flash and PSRAM).
"""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

try:
    from lapel.compat import ThreadSafeFlag, const, ticks_diff, ticks_ms, wait_for_ms
except ImportError:
    # Alone on a device, without the rest of Lapel: what compat gives there.
    from asyncio import ThreadSafeFlag, wait_for_ms
    from time import ticks_diff, ticks_ms

    from micropython import const

_RING = const(16)
# How often the level is compared although no edge came.
_LOOK_MS = const(1000)


class Button:
    """`pin` as machine.Pin: value(), irq(handler, trigger), IRQ_RISING, IRQ_FALLING. Times are ticks_ms().

    A press or release counts from its first edge, at once; what follows is its bouncing until nothing moved
    for `debounce_ms`. A level that is another after that, or that came without any edge, is reported as the
    edge it must have been.
    """

    def __init__(self, pin: "Pin", debounce_ms: int = 10, pressed_level: int = 0, ticks=ticks_ms) -> None:
        self.pin = pin
        self._debounce_ms = debounce_ms
        self.pressed_level = pressed_level
        self._ticks = ticks
        self._times = [0] * _RING
        self._levels = bytearray(_RING)
        self._head = 0
        self._tail = 0
        self._flag = ThreadSafeFlag()
        # Edges that found the ring full.
        self.dropped = 0
        # Edges that no interrupt told of.
        self.missed = 0
        # The level as last reported.
        self.pressed = pin.value() == pressed_level
        # Time of the last edge that counted or bounced.
        self._moved_ms = ticks()
        # Time of an edge too soon to count, None for none.
        self._doubt_ms: int = None
        self._settled = True
        pin.irq(self._on_edge, pin.IRQ_RISING | pin.IRQ_FALLING)

    def _on_edge(self, pin) -> None:
        following = (self._head + 1) % _RING
        if following == self._tail:
            self.dropped += 1
        else:
            self._times[self._head] = self._ticks()
            self._levels[self._head] = pin.value()
            self._head = following
        self._flag.set()

    async def edge(self, timeout_ms=None):
        """The next (pressed, time), or None after `timeout_ms`."""
        started_ms = self._ticks()
        while True:
            found = self.poll()
            if found is not None:
                return found
            wait_ms = _LOOK_MS
            if not self._settled:
                wait_ms = max(1, self._debounce_ms - self._since(self._moved_ms))
            if timeout_ms is not None:
                left_ms = timeout_ms - self._since(started_ms)
                if left_ms <= 0:
                    return None
                wait_ms = min(wait_ms, left_ms)
            try:
                await wait_for_ms(self._flag.wait(), wait_ms)
            except asyncio.TimeoutError:
                pass

    def poll(self):
        """The next (pressed, time) that is already known, or None."""
        while self._tail != self._head:
            t_ms = self._times[self._tail]
            pressed = self._levels[self._tail] == self.pressed_level
            bouncing = self._is_bouncing(t_ms)
            comes_back = not bouncing and pressed != self.pressed and self._comes_back()
            self._tail = (self._tail + 1) % _RING
            if pressed == self.pressed:
                self._doubt_ms = None
            elif bouncing or comes_back:
                self._doubt_ms = t_ms
            else:
                return self._changed(pressed, t_ms)
            if bouncing or comes_back:
                self._settled = False
                self._moved_ms = t_ms
        return self._look()

    def _comes_back(self) -> bool:
        """Whether the edges that wait go on without a pause until the level is what it was.

        That is bouncing of which the interrupts told late.
        """
        at = self._tail
        while True:
            t_ms, level = self._times[at], self._levels[at]
            at = (at + 1) % _RING
            if at == self._head or ticks_diff(self._times[at], t_ms) >= self._debounce_ms:
                return (level == self.pressed_level) == self.pressed

    def _look(self):
        """Compares the level itself, once the bouncing is over."""
        now_ms = self._ticks()
        if self._is_bouncing(now_ms):
            return None
        self._settled = True
        pressed = self.pin.value() == self.pressed_level
        if pressed == self.pressed or self._tail != self._head:
            return None
        if self._doubt_ms is None:
            self.missed += 1
            return self._changed(pressed, now_ms)
        return self._changed(pressed, self._doubt_ms)

    def _is_bouncing(self, t_ms: int) -> bool:
        return not self._settled and ticks_diff(t_ms, self._moved_ms) < self._debounce_ms

    def _since(self, t_ms: int) -> int:
        return ticks_diff(self._ticks(), t_ms)

    def _changed(self, pressed: bool, t_ms: int):
        self.pressed = pressed
        self._moved_ms = t_ms
        self._settled = False
        self._doubt_ms = None
        return pressed, t_ms

    def close(self) -> None:
        """No more interrupts."""
        self.pin.irq(None)
