"""What an idle pin sees to: its battery, its flash, what it was told to report."""

from lapel.compat import const
from lapel.services.store_files import StoreError

_ROUND_MS = const(1000)
_BATTERY_EVERY_MS = const(5000)
_RECONCILE_EVERY_MS = const(60_000)
# Of `drops` what is no queue, but a chip that its bus did not reach.
_CHIPS = {"haptic": "haptic driver", "gauge": "fuel gauge"}


class Upkeep:
    """`gauge` is the board's battery (read_mv(), read_percent(), charging), `battery` core/battery.Battery,
    `set_percent(percent)` tells the world; `drops() -> {name: count}` is what bounded queues turned away since boot,
    and what chips missed; `at_rest()` is called each second in which nothing is recorded.
    """

    def __init__(
        self, gauge, battery, set_percent, store, recorder, feedback, drops, flight, timing, trace, check_in,
        at_rest,
    ) -> None:  # fmt: skip
        self._gauge = gauge
        self._battery = battery
        self._set_percent = set_percent
        self._store = store
        self._recorder = recorder
        self._feedback = feedback
        self._drops = drops
        self._flight = flight
        self._timing = timing
        self._trace = trace
        self._check_in = check_in
        self._at_rest = at_rest
        self._reported = {}

    async def run(self) -> None:
        """Runs until cancelled."""
        battery_ms = reconcile_ms = self._timing.ms()
        while True:
            self._check_in()
            now_ms = self._timing.ms()
            self._count_drops()
            if now_ms >= battery_ms:
                battery_ms = now_ms + _BATTERY_EVERY_MS
                self._measure()
            if not self._recorder.is_busy:
                self._at_rest()
            if now_ms >= reconcile_ms and not self._recorder.is_busy:
                reconcile_ms = now_ms + _RECONCILE_EVERY_MS
                try:
                    self._store.reconcile()
                except StoreError as e:
                    self._trace("store_error", error=str(e))
            await self._timing.sleep_ms(_ROUND_MS)

    def _measure(self) -> None:
        gauge, before = self._gauge, self._battery.percent
        if self._battery.measured(gauge.read_mv(), gauge.read_percent(), gauge.charging):
            self._feedback.show("low_battery")
        percent = self._battery.percent
        if percent is not None and percent != before:
            self._set_percent(percent)

    def _count_drops(self) -> None:
        for queue, count in self._drops().items():
            new = count - self._reported.get(queue, 0)
            if new > 0:
                self._reported[queue] = count
                if queue == "mic":
                    self._flight.overrun(queue, new)
                elif queue in _CHIPS:
                    self._flight.error("the %s did not answer %d times: check its wires" % (_CHIPS[queue], new))
                else:
                    self._flight.dropped(queue, new)
