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
        self.upkeep = Upkeep(gauge, Battery(3500), self.told.append, None, None, self, None, None, None, None, None)

    def show(self, name):
        self.shown.append(name)

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
