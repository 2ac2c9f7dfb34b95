from lapel.core.battery import Battery
from lapel.services.upkeep import Upkeep


class Gauge:
    def __init__(self, mv, percent=None, charging=None):
        self.mv, self.percent, self.charging = mv, percent, charging

    def read_mv(self):
        return self.mv

    def read_percent(self):
        return self.percent


class Desk:
    """An Upkeep that measures when it is told to; `told` and `shown` are what it said."""

    def __init__(self, gauge):
        self.told = []
        self.shown = []
        self.written = []
        self.counts = {}
        self.upkeep = Upkeep(
            gauge, Battery(3500), self.told.append, None, None, self, self.drops, self, None, None, None,
            None,
        )

    def show(self, name):
        self.shown.append(name)

    def drops(self):
        return self.counts

    def overrun(self, name, count):
        self.written.append(("overrun", name, count))

    def dropped(self, name, count):
        self.written.append(("dropped", name, count))

    def error(self, text):
        self.written.append(("error", text))

    def measure(self):
        self.upkeep._measure()


def test_percent_by_the_curve_and_by_a_gauge():
    gauge = Gauge(3820)
    desk = Desk(gauge)
    desk.measure()
    desk.measure()
    assert desk.told == [48]
    gauge.percent = 31
    desk.measure()
    gauge.mv = 3700
    desk.measure()
    assert desk.told == [48, 31] and desk.shown == []


def test_low_is_shown_once_and_not_on_the_charger():
    gauge = Gauge(3400, charging=True)
    desk = Desk(gauge)
    desk.measure()
    assert desk.shown == []
    gauge.charging = False
    desk.measure()
    desk.measure()
    assert desk.shown == ["low_battery"]


def test_nothing_measured_is_nothing_told():
    desk = Desk(Gauge(None))
    desk.measure()
    assert desk.told == [] and desk.shown == []


def test_what_was_lost_is_written_once():
    desk = Desk(Gauge(3820))
    desk.counts = {"mic": 256, "link": 2, "haptic": 0, "gauge": 0}
    desk.upkeep._count_drops()
    desk.upkeep._count_drops()
    assert sorted(desk.written) == [("dropped", "link", 2), ("overrun", "mic", 256)]
    desk.written.clear()
    desk.counts = {"mic": 256, "link": 3, "haptic": 3, "gauge": 0}
    desk.upkeep._count_drops()
    wires = "the haptic driver did not answer 3 times: check its wires"
    assert sorted(desk.written) == [("dropped", "link", 1), ("error", wires)]
