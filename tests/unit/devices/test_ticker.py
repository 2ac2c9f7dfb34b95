import sys

from instead import load


class Timer:
    PERIODIC = 1
    made = []

    def __init__(self, number):
        self.number = number
        self.ended = False
        Timer.made.append(self)

    def init(self, mode, period, callback):
        self.mode, self.period, self.callback = mode, period, callback

    def deinit(self):
        self.ended = True


def ticker():
    Timer.made = []
    return load("drivers.ticker", machine=sys.modules[__name__]).Ticker


def test_it_calls_every_period_until_closed():
    calls = []
    one = ticker()(40, lambda: calls.append(1))
    (timer,) = Timer.made
    assert timer.mode == Timer.PERIODIC and timer.period == 40 and timer.number == 0
    # The port hands the timer over.
    timer.callback(timer)
    timer.callback(timer)
    assert calls == [1, 1] and not timer.ended
    one.close()
    assert timer.ended


def test_another_timer_can_be_taken():
    ticker()(1000, lambda: None, timer_id=3)
    assert Timer.made[0].number == 3
