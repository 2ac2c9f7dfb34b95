"""A function called again and again by a hardware timer, with no event loop: for light while the REPL is free."""

import machine


class Ticker:
    """Calls `callback()` every `period_ms`, between two bytecodes of whatever runs, until close().

    `timer_id` is one of the ESP32-S3's four timers (0 to 3). On that port the callback is scheduled: it may
    allocate, and one that is late is called once, not several times.
    """

    def __init__(self, period_ms: int, callback, timer_id: int = 0) -> None:
        self._timer = machine.Timer(timer_id)
        self._timer.init(mode=machine.Timer.PERIODIC, period=period_ms, callback=lambda _: callback())

    def close(self) -> None:
        """No more calls."""
        self._timer.deinit()
