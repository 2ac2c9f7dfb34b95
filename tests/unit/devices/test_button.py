import asyncio

from drivers.button import Button

PERIOD = 1 << 30


class Pin:
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, level=1):
        self.level = level
        self.handler = None
        self.trigger = None

    def value(self):
        return self.level

    def irq(self, handler, trigger=0):
        self.handler, self.trigger = handler, trigger


class Bench:
    """A pin and a clock moved by hand. 0 is pressed."""

    def __init__(self, level=1, start=1000):
        self.now = start
        self.pin = Pin(level)
        self.button = Button(self.pin, ticks=lambda: self.now)

    def at(self, t, level, interrupt=True):
        """The pin changes at `t`; with `interrupt` its handler runs."""
        self.now = t
        self.pin.level = level
        if interrupt:
            self.pin.handler(self.pin)

    def edges(self, t=None):
        if t is not None:
            self.now = t
        found = []
        while True:
            edge = self.button.poll()
            if edge is None:
                return found
            found.append(edge)


def test_both_edges_are_asked_for():
    assert Bench().pin.trigger == 3


def test_a_clean_press_is_known_at_once():
    bench = Bench()
    bench.at(1100, 0)
    assert bench.edges() == [(True, 1100)] and bench.button.pressed
    bench.at(1500, 1)
    assert bench.edges() == [(False, 1500)] and not bench.button.pressed


def test_bouncing_is_one_edge_with_the_time_of_the_first():
    bench = Bench()
    for t, level in ((1100, 0), (1101, 1), (1102, 0), (1104, 1), (1105, 0)):
        bench.at(t, level)
    assert bench.edges() == [(True, 1100)]
    assert bench.edges(1200) == []
    for t, level in ((1300, 1), (1302, 0), (1303, 1)):
        bench.at(t, level)
    assert bench.edges() == [(False, 1300)]
    assert bench.edges(1400) == []


def test_a_press_that_was_told_is_followed_by_its_release():
    # However short it was.
    bench = Bench()
    bench.at(1100, 0)
    assert bench.edges() == [(True, 1100)]
    bench.at(1106, 1)
    assert bench.edges(1115) == []
    assert bench.edges(1116) == [(False, 1106)]


def test_a_pulse_that_is_over_when_it_is_seen_is_noise():
    bench = Bench()
    bench.at(1100, 0)
    bench.at(1103, 1)
    assert bench.edges() == [] and bench.edges(1200) == []
    bench.at(1300, 0)
    assert bench.edges() == [(True, 1300)]


def test_contacts_that_bounce_for_long():
    # Each time before it was quiet for 10 ms.
    bench = Bench()
    level = 1
    for t in range(1100, 1145, 9):
        level ^= 1
        bench.at(t, level)
        found = bench.edges()
        assert found == ([(True, 1100)] if t == 1100 else [])
    assert level == 0 and bench.edges(1300) == []


def test_bouncing_that_was_told_late():
    # The interpreter was busy: the handlers ran long after the edge before them.
    bench = Bench()
    bench.at(1100, 0)
    assert bench.edges() == [(True, 1100)]
    bench.at(1400, 1)
    assert bench.edges() == [(False, 1400)]
    for level in (0, 1, 0, 1):
        bench.at(1450, level)
    assert bench.edges() == [] and bench.edges(1600) == []
    # A real one that bounces, all of it told late, is one press.
    for level in (0, 1, 0, 1, 0):
        bench.at(1700, level)
    assert bench.edges() == [(True, 1700)] and bench.edges(1800) == []


def test_edges_that_waited_keep_order_and_time():
    bench = Bench()
    for t, level in ((1100, 0), (1200, 1), (1300, 0), (1302, 1), (1303, 0), (1400, 1)):
        bench.at(t, level)
    assert bench.edges(2000) == [(True, 1100), (False, 1200), (True, 1300), (False, 1400)]


def test_a_level_without_an_edge_is_noticed():
    bench = Bench()
    bench.at(1100, 0, interrupt=False)
    assert bench.edges(1150) == [(True, 1150)]
    assert bench.button.missed == 1
    bench.at(1200, 1)
    assert bench.edges() == [(False, 1200)]
    assert bench.button.missed == 1


def test_a_late_interrupt_after_the_level_was_noticed_is_nothing_new():
    bench = Bench()
    bench.at(1100, 0, interrupt=False)
    assert bench.edges(1150) == [(True, 1150)]
    bench.at(1155, 0)
    assert bench.edges() == [] and bench.edges(1300) == []


def test_two_edges_told_too_late_to_see_the_first():
    # Both handlers run after a flash operation and see the last level.
    bench = Bench()
    bench.at(1300, 1)
    bench.at(1300, 1)
    assert bench.edges(1400) == []


def test_a_full_ring_counts_and_recovers():
    bench = Bench()
    level = 1
    for number in range(40):
        level ^= 1
        bench.at(1100 + 20 * number, level)
    bench.at(3000, 0)
    found = bench.edges(3100)
    assert bench.button.dropped == 26
    assert [pressed for pressed, _ in found] == [i % 2 == 0 for i in range(len(found))]
    # Whatever was lost, the last word is the level.
    assert found[-1][0] is True and bench.button.pressed


def test_held_at_the_start_gives_only_the_release():
    bench = Bench(level=0)
    assert bench.button.pressed and bench.edges() == []
    bench.at(1300, 1)
    assert bench.edges() == [(False, 1300)]


def test_another_active_level():
    pin = Pin(0)
    button = Button(pin, pressed_level=1, ticks=lambda: 5)
    pin.level = 1
    pin.handler(pin)
    assert button.poll() == (True, 5)


def test_the_interrupt_only_stores():
    bench = Bench()
    bench.at(1100, 0)
    assert not bench.button.pressed
    assert bench.edges() == [(True, 1100)]


async def test_edges_are_awaited():
    bench = Bench()
    task = asyncio.create_task(bench.button.edge())
    await asyncio.sleep(0)
    bench.at(1100, 0)
    assert await task == (True, 1100)
    bench.at(1200, 1)
    assert await bench.button.edge() == (False, 1200)


async def test_a_timeout_gives_none_and_loses_nothing():
    pin = Pin()
    button = Button(pin)
    assert await button.edge(5) is None
    pin.level = 0
    pin.handler(pin)
    pressed, _ = await button.edge(1000)
    assert pressed


async def test_the_end_of_bouncing_is_awaited():
    pin = Pin()
    button = Button(pin)
    pin.level = 0
    pin.handler(pin)
    assert (await button.edge(1000))[0] is True
    pin.level = 1
    pin.handler(pin)
    # Too soon to be believed at once.
    assert button.poll() is None
    assert (await button.edge(1000))[0] is False


def test_close_ends_the_interrupts():
    bench = Bench()
    bench.button.close()
    assert bench.pin.handler is None
