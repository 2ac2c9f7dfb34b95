"""What carries packets between pin and model: at which time, in which order, and what does not arrive."""

import troubles as words
from carrier import QUEUE_MAX, Air, Carrier
from companion import FIND_MS
from troubles import DOWN, UP, Troubles


class World:
    """Time that goes when the test says so."""

    def __init__(self):
        self.now_ms = 0
        self._events = []

    def after_ms(self, delay_ms, act, *arguments):
        entry = [self.now_ms + delay_ms, len(self._events), act, arguments]
        self._events.append(entry)
        return entry

    def cancel(self, entry):
        entry[2] = None

    def run(self, until_ms):
        while True:
            due = sorted([entry[:2] for entry in self._events if entry[2] and entry[0] <= until_ms])
            if not due:
                break
            entry = self._events[due[0][1]]
            self.now_ms = max(self.now_ms, entry[0])
            act, entry[2] = entry[2], None
            act(*entry[3])
        self.now_ms = until_ms


class Link:
    def __init__(self):
        self.got = []
        self.ended = False

    def take(self, packet):
        self.got.append(packet)

    def end(self):
        self.ended = True


class Gatt:
    """A pin's radio that makes one link."""

    def __init__(self):
        self.link = Link()

    def connect(self, mtu, interval_ms):
        return self.link


class Talk:
    over = None

    def __init__(self, port):
        self.port = port
        self.got = []

    def arrived(self, packet, now_ms):
        self.got.append((now_ms, packet))


class Companion:
    """Wants a link at once and notes what it is told."""

    seek_ms = None

    def __init__(self):
        self.talk = None
        self.answers = []
        self.gone_ms = None

    def wants_link(self, now_ms):
        return self.talk is None and self.gone_ms is None

    def connected(self, port, now_ms):
        self.talk = Talk(port)

    def written(self, taken, now_ms):
        self.answers.append((now_ms, taken))

    def gone(self, now_ms):
        self.talk, self.gone_ms = None, now_ms

    def due_ms(self):
        return None


def made(troubles=None):
    world, companion, gatt = World(), Companion(), Gatt()
    carrier = Carrier(world, companion, Air(247, 30, 2), troubles or Troubles())
    carrier.advertising(gatt)
    world.run(FIND_MS + 1000)
    assert companion.talk is not None
    return world, carrier, companion, gatt.link


def packets(companion):
    return [packet for _, packet in companion.talk.got]


def test_so_many_packets_a_connection_event():
    world, carrier, companion, link = made()
    for k in range(5):
        assert carrier.up(link, k)
    world.run(1400)
    times = [ms for ms, _ in companion.talk.got]
    assert packets(companion) == [0, 1, 2, 3, 4]
    assert times[0] == times[1] and times[2] - times[0] == 30 and times[4] - times[0] == 60


def test_a_full_radio_refuses_and_takes_no_write_either():
    world, carrier, companion, link = made()
    assert [carrier.up(link, k) for k in range(QUEUE_MAX + 1)] == [True] * QUEUE_MAX + [False]
    companion.talk.port.write("w")
    world.run(1400)
    assert companion.answers[0][1] is False and link.got == []
    companion.talk.port.write("w")
    world.run(2000)
    assert companion.answers[1][1] is True and link.got == ["w"]


def test_packets_are_lost_doubled_and_late():
    troubles = Troubles()
    troubles.packets = {(UP, 0): words.LOST, (UP, 1): words.DELAYED, (UP, 2): words.DOUBLED, (DOWN, 0): words.LOST}
    world, carrier, companion, link = made(troubles)
    for k in range(4):
        carrier.up(link, k)
    companion.talk.port.write("w")
    world.run(2500)
    assert packets(companion) == [2, 2, 3, 1]
    # Whoever relays has taken the write, and lost it.
    assert companion.answers[0][1] is True and link.got == []


def test_the_link_ends_before_or_after_a_packet():
    for how, came in ((words.BEFORE, []), (words.AFTER, ["w"])):
        troubles = Troubles()
        troubles.packets = {(DOWN, 0): how}
        world, carrier, companion, link = made(troubles)
        companion.talk.port.write("w")
        world.run(1400)
        assert link.got == came and link.ended and companion.gone_ms


def test_half_open_links_lose_what_they_lose_and_nobody_is_told():
    for how, up, down, answered in (
        (words.NOTHING_UP, 0, 1, 1),
        (words.NOTHING_DOWN, 1, 0, 1),
        (words.HUNG, 0, 0, 0),
    ):
        troubles = Troubles()
        troubles.half_open = [(1300, 9000, how)]
        world, carrier, companion, link = made(troubles)
        carrier.up(link, "u")
        companion.talk.port.write("w")
        world.run(2000)
        assert (len(companion.talk.got), len(link.got), len(companion.answers)) == (up, down, answered), how
        assert not link.ended


def test_a_stalled_radio_carries_everything_later():
    troubles = Troubles()
    troubles.stalls = [(1300, 5000)]
    world, carrier, companion, link = made(troubles)
    carrier.up(link, "u")
    world.run(6000)
    assert companion.talk.got[0][0] == 5000
