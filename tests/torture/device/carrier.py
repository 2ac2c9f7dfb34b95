"""Between the pin and the model of a companion: connections, and packets by connection event.

As Bluetooth LE would carry them: some packets an event and direction, one write with response at a time, a queue
of notifications on the pin that refuses more (ENOMEM) and, while it is full, the central's writes with it (ATT error
0x11; measured). What Troubles adds is what a relay could do, or a broken stack.
"""

import troubles as words
from companion import FIND_MS
from troubles import DOWN, UP

QUEUE_MAX = 16
# Connection events that a central needs for discovery, MTU and subscription.
SETUP_EVENTS = 8
# A link that is gone is missed by the other side after so long.
SUPERVISION_MS = 100


class Air:
    """How fast the radio is: `interval_ms` between connection events, `packets` an event and direction."""

    def __init__(self, mtu=247, interval_ms=30, packets=4):
        self.mtu = mtu
        self.interval_ms = interval_ms
        self.packets = packets


class Port:
    """One connection: the companion's end of it, and what waits in between."""

    def __init__(self, carrier, link, air):
        self._carrier = carrier
        self.link = link
        self.mtu = air.mtu
        self.is_open = True
        # Whether the pin, and the companion, know that it is over.
        self.queue = []
        self.write_waits = None
        self.answer = None
        # A full queue takes nothing of the other direction either.
        self.was_full = False
        self.event = None

    def write(self, packet):
        """A write with response; the answer comes by the companion's written()."""
        self.write_waits = packet
        self._carrier.stir(self)

    def hang_up(self):
        """The companion ends it."""
        self._carrier.hung_up(self)


class Carrier:
    """`companion` companion.Companion, or None for nobody in reach. `sent` counts the packets of each direction,
    `lost_writes` those that found the pin's inbox full."""

    def __init__(self, world, companion, air=None, troubles=None):
        self.world = world
        self.companion = companion
        self.air = air or Air()
        self.troubles = troubles or words.Troubles()
        self.sent = [0, 0]
        self.queue_high = 0
        self.refused = 0
        # (ms, direction, length) of every packet, when it is a list.
        self.log = None
        # When what a case asked for here is over; what was seen that must not be.
        self.script_ms = 0
        self.broken = ""
        self.port = None
        self._gatt = None
        self._timer = None
        self._finding = None

    # -- what a case asks for

    def crash(self, back_ms=None):
        """The companion is killed; it is back at that time of the world, or soon."""
        self.companion.crash(self.world.now_ms, back_ms)
        self._asked()

    def remind(self, kind, text):
        """The companion has news that are no dispatch's."""
        self.companion.remind(self.world.now_ms, kind, text)
        self._asked()

    def read_here(self, text):
        """The person reads a notice on the computer."""
        self.companion.read_here(self.world.now_ms, text)
        self._asked()

    def retract(self, text):
        """A notice is settled elsewhere."""
        self.companion.retract(self.world.now_ms, text)
        self._asked()

    def _asked(self):
        self.script_ms = self.world.now_ms
        self.wake()

    @property
    def quiet(self):
        """Nothing is on its way."""
        port = self.port
        return port is not None and not port.queue and port.write_waits is None and port.answer is None

    # -- what the pin's radio tells

    def advertising(self, gatt):
        """The pin can be found."""
        self._gatt = gatt
        self.wake()

    def hidden(self, gatt):
        """It cannot be found any more."""
        if self._gatt is gatt:
            self._gatt = None

    def up(self, link, packet):
        """The pin sends a packet; False when its radio is full."""
        port = self.port
        if port is None or port.link is not link:
            # The other end has gone, and the pin does not know: its packets go nowhere.
            return not self.troubles.refuses(self.world.now_ms)
        if len(port.queue) >= QUEUE_MAX or self.troubles.refuses(self.world.now_ms):
            self.refused += 1
            port.was_full = True
            self.stir(port)
            return False
        port.queue.append(packet)
        self.queue_high = max(self.queue_high, len(port.queue))
        self.stir(port)
        return True

    def gone(self, link):
        """The pin ended the link, or its power went."""
        port = self.port
        if port is not None and port.link is link:
            self.port = None
            port.is_open = False
            self.world.after_ms(SUPERVISION_MS, self._companion_gone, port)

    # -- the companion's side

    def hung_up(self, port):
        """The companion ended a connection, or died."""
        if self.port is port:
            self.port = None
        if port.is_open:
            port.is_open = False
            if self.troubles.half(self.world.now_ms) != words.GHOST:
                self.world.after_ms(SUPERVISION_MS, port.link.end)

    def cut(self):
        """The connection is lost for both."""
        port = self.port
        if port is not None:
            self.port = None
            port.is_open = False
            port.link.end()
            self._companion_gone(port)

    def wake(self):
        """Something changed: asks the companion when it is due, and connects it when it wants to."""
        if self._timer is not None:
            self.world.cancel(self._timer)
            self._timer = None
        if self.companion is None:
            return
        now_ms = self.world.now_ms
        due_ms = self.companion.due_ms()
        if self.companion.wants_link(now_ms):
            if self._finding is None and self._gatt is not None and self.port is None:
                self._finding = self.world.after_ms(FIND_MS, self._found)
        elif self.companion.seek_ms is not None and self.companion.seek_ms > now_ms:
            due_ms = self.companion.seek_ms if due_ms is None else min(due_ms, self.companion.seek_ms)
        if due_ms is not None:
            self._timer = self.world.after_ms(max(0, due_ms - now_ms), self._poll)

    def stir(self, port):
        """There is something to carry at the next connection event."""
        if port.event is None and port.is_open:
            now_ms, interval_ms = self.world.now_ms, self.air.interval_ms
            at_ms = self.troubles.stalled_until(now_ms)
            if at_ms is None:
                at_ms = (now_ms // interval_ms + 1) * interval_ms
            port.event = self.world.after_ms(at_ms - now_ms, self._event, port)

    def _poll(self):
        self._timer = None
        self.companion.poll(self.world.now_ms)
        self.wake()

    def _found(self):
        self._finding = None
        gatt = self._gatt
        if gatt is None or self.port is not None or not self.companion.wants_link(self.world.now_ms):
            self.wake()
            return
        link = gatt.connect(self.air.mtu, self.air.interval_ms)
        if link is None:
            self._finding = self.world.after_ms(1000, self._found)
            return
        self.port = port = Port(self, link, self.air)
        self.world.after_ms(SETUP_EVENTS * self.air.interval_ms, self._ready, port)

    def _ready(self, port):
        if self.port is port and self.companion.wants_link(self.world.now_ms):
            self.companion.connected(port, self.world.now_ms)
        elif port.is_open:
            self.hung_up(port)
        self.wake()

    def _companion_gone(self, port):
        talk = self.companion.talk
        if talk is not None and talk.port is port:
            self.companion.gone(self.world.now_ms)
        self.wake()

    def _event(self, port):
        """A connection event."""
        port.event = None
        now_ms, troubles = self.world.now_ms, self.troubles
        if not port.is_open:
            return
        if troubles.stalled_until(now_ms) is not None:
            self.stir(port)
            return
        if port.answer is not None:
            answer, port.answer = port.answer, None
            if troubles.half(now_ms) != words.HUNG:
                self.companion.written(answer, now_ms)
        if port.write_waits is not None:
            packet, port.write_waits = port.write_waits, None
            if port.was_full or len(port.queue) >= QUEUE_MAX or troubles.refuses(now_ms):
                port.answer = False
            else:
                port.answer = True
                self._carry(DOWN, packet, port)
        port.was_full = False
        for _ in range(min(self.air.packets, len(port.queue))):
            if port.is_open:
                self._carry(UP, port.queue.pop(0), port)
        if port.queue or port.answer is not None or port.write_waits is not None:
            self.stir(port)
        self.wake()

    def _carry(self, direction, packet, port):
        now_ms, k = self.world.now_ms, self.sent[direction]
        self.sent[direction] += 1
        if self.log is not None:
            self.log.append((now_ms, direction, len(packet)))
        how = self.troubles.fate(direction, k)
        half = self.troubles.half(now_ms)
        if how == words.BEFORE:
            self.cut()
            return
        if how == words.LOST or half in (words.HUNG, words.GHOST):
            return
        if half == (words.NOTHING_UP if direction == UP else words.NOTHING_DOWN):
            return
        if how == words.DELAYED:
            self.world.after_ms(self.troubles.delay_ms, self._late, direction, packet)
            return
        self._hand_over(direction, packet, port)
        if how == words.DOUBLED:
            self._hand_over(direction, packet, port)
        elif how == words.AFTER:
            self.cut()

    def _late(self, direction, packet):
        # To whoever is connected by then: a relay does not know sessions.
        if self.port is not None:
            self._hand_over(direction, packet, self.port)
            self.wake()

    def _hand_over(self, direction, packet, port):
        if direction == DOWN:
            port.link.take(packet)
        elif self.companion.talk is not None and self.companion.talk.port is port:
            self.companion.talk.arrived(packet, self.world.now_ms)
