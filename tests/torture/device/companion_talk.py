"""One connection of the model, as tools/lapel_companion/link/peer.py has it: handshake, hello, messages.

`port` is the carrier's: `mtu`, `write(packet)`, which it answers by written(), and `hang_up()`.
"""

import keys

from lapel_wire import gatt, messages
from lapel_wire.channel import REFUSED_IN_A_ROW_MAX, Channel
from lapel_wire.clips import WINDOW_BYTES
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import Session, prologue
from noise.initiator import Initiator
from noise.nnpsk0 import Ephemeral

INBOX_MAX_BYTES = 4 * WINDOW_BYTES
PACKET_MIN_BYTES = 20
WRITE_LIMIT_MS = 10_000
# The pin speaks every 30 s: silent for so long, nobody is there.
SILENCE_LIMIT_MS = 75_000
BACKOFF_MS = (30, 120)
HELLO_REPEAT_MS = 1000
TICK_MS = 500


class Talk:
    """`read_ms` is what it takes to read a packet: more than nothing for a slow reader. `over` says why it is of no
    more use, None while it is. A link is `proved` from the pin's hello on."""

    def __init__(self, port, mind, draws, now_ms, read_ms=0):
        self.port = port
        self.over = None
        self.proved = False
        self.read_ms = read_ms
        self.dropped_packets = 0
        self._mind = mind
        self._draws = draws
        self._until_ms = now_ms + gatt.HANDSHAKE_TIMEOUT_MS
        suite = keys.suite()
        self._initiator = Initiator(suite, keys.KEY, prologue(gatt.INFO), Ephemeral(suite, draws))
        self._channel = None
        self._joiner = Joiner()
        self._cutter = Cutter(port.mtu)
        self._opening = self._initiator.start()
        self._cutter.load(self._opening, len(self._opening))
        # [(packet, when it came)]
        self._inbox = []
        self._inbox_bytes = 0
        self._read_due_ms = now_ms
        # When the opening message, then our hello, was said last; None once it was answered.
        self._hello_ms = now_ms
        self._tick_ms = now_ms
        self._heard_ms = now_ms
        # The packet being written: since when, whether its answer is awaited, and when to try again.
        self._since_ms = None
        self._is_written = False
        self._again_ms = now_ms

    def arrived(self, packet, now_ms):
        """A notification."""
        size = max(len(packet), PACKET_MIN_BYTES)
        if self._inbox_bytes + size <= INBOX_MAX_BYTES:
            if not self._inbox:
                self._read_due_ms = max(self._read_due_ms, now_ms)
            self._inbox.append((packet, now_ms))
            self._inbox_bytes += size
        else:
            self.dropped_packets += 1

    def written(self, taken, now_ms):
        """The answer to port.write(): False for ATT error 0x11, the pin's radio queue is full."""
        if not self._is_written:
            return
        self._is_written = False
        if taken:
            self._since_ms = None
            self._again_ms = now_ms
            if self._channel is None:
                self._cutter.advance()
            else:
                self._channel.sent()
        else:
            self._again_ms = now_ms + self._draws.between(*BACKOFF_MS)

    def due_ms(self):
        """When poll() is due."""
        due = self._tick_ms + TICK_MS if self.proved else self._until_ms
        if self._inbox:
            due = min(due, self._read_due_ms)
        if self._hello_ms is not None:
            due = min(due, self._hello_ms + HELLO_REPEAT_MS)
        if self._is_written:
            return min(due, self._since_ms + WRITE_LIMIT_MS)
        if self._has_packet:
            due = min(due, self._again_ms)
        return due

    def poll(self, now_ms):
        """Does what is due. It is of no more use when `over` is set."""
        if not self.proved and now_ms >= self._until_ms:
            self.over = "no answer within 3 s"
        while self.over is None and self._inbox and now_ms >= self._read_due_ms:
            self._read_due_ms = now_ms + self.read_ms
            packet, came_ms = self._inbox.pop(0)
            self._inbox_bytes -= max(len(packet), PACKET_MIN_BYTES)
            self._take(packet, came_ms, now_ms)
        if self.over is not None:
            return
        if self._hello_ms is not None and now_ms >= self._hello_ms + HELLO_REPEAT_MS:
            if self._channel is not None:
                self._greet(now_ms)
            elif not self._cutter.busy:
                self._hello_ms = now_ms
                self._cutter.load(self._opening, len(self._opening))
            else:
                self._hello_ms = now_ms
        if self.proved and now_ms >= self._tick_ms + TICK_MS:
            self._tick_ms = now_ms
            if now_ms - self._heard_ms > SILENCE_LIMIT_MS:
                self.over = "nothing was heard for 75 s"
                return
            self._mind.tick(now_ms)
        self._write(now_ms)

    @property
    def _has_packet(self):
        if self._channel is None:
            return self._cutter.busy
        return not self._channel.idle or (self.proved and len(self._mind.wishes) > 0)

    def _write(self, now_ms):
        if self._since_ms is not None and now_ms >= self._since_ms + WRITE_LIMIT_MS:
            self.over = "nothing could be sent for 10 s"
            return
        if self._is_written or now_ms < self._again_ms:
            return
        packet = self._next()
        if packet is not None:
            if self._since_ms is None:
                self._since_ms = now_ms
            self._is_written = True
            self.port.write(bytes(packet))

    def _next(self):
        channel = self._channel
        if channel is None:
            return self._cutter.packet()
        if self.proved and channel.idle:
            wish = self._mind.wishes.take()
            if wish is not None:
                channel.post(*wish)
        return channel.next_packet()

    def _take(self, packet, came_ms, now_ms):
        if self._channel is None:
            answer = self._joiner.feed(packet)
            if answer is None:
                return
            ciphers = None
            if self._initiator.take(answer):
                while not self._initiator.step():
                    pass
                ciphers = self._initiator.result
            if ciphers is None:
                self.over = "its answer to the handshake is wrong"
                return
            self._channel = Channel(Session(*ciphers), self.port.mtu)
            self._greet(now_ms)
            return
        message = self._channel.feed(packet)
        if message is None:
            if self._channel.refused_in_a_row >= REFUSED_IN_A_ROW_MAX:
                self.over = "too much that arrives is damaged"
            return
        self._heard_ms = now_ms
        if self.proved:
            self._mind.take(message[0], message[1], came_ms, now_ms)
        elif message[0] == messages.HELLO_PIN:
            self._hello_ms = None
            self.proved = True
            self._tick_ms = now_ms
            if not self._mind.welcome(message[1], now_ms):
                self.over = "a new history begins"

    def _greet(self, now_ms):
        self._hello_ms = now_ms
        self._channel.post(messages.HELLO_HOST, self._mind.hello(now_ms))
