"""The link to the companion: advertising, strangers, the session, what is sent and when.

Two unproved guests at most, three seconds each; the one whose first record verifies becomes the
session, and advertising stops until it has gone.
"""

import asyncio

from lapel.compat import const, sleep_ms, wait_for_ms
from lapel.core.pace import Pace
from lapel.core.vigil import Vigil
from lapel_wire import gatt as names
from lapel_wire import messages
from lapel_wire.channel import Channel
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import HANDSHAKE_BYTES

GUESTS_MAX = 2
_SUPERVISE_MS = const(1000)
# A block of audio is 16 ms: asking more often brings nothing.
_BUSY_MS = const(8)
_IDLE_MS = const(40)
# Our answer to the opening message may be lost; who is refused more often than this is no companion.
_REFUSED_MAX = const(3)
# What the companion says only when it has heard us; all else may come over a link of which our way is dead.
_ANSWERS = (messages.JOBS, messages.ACK, messages.RESUME, messages.ACCEPTED, messages.CANCELLED)


class Stranger(Exception):
    """A guest that proved nothing."""


def serve(gatt_class):
    """The pin's GATT server, not started yet, of a board's driver class."""
    return gatt_class(
        names.NAME,
        names.SERVICE_UUID,
        names.UP_UUID,
        names.DOWN_UUID,
        names.INFO_UUID,
        names.INFO,
        names.MTU_WANTED,
    )


class Link:
    """`gatt` as of `serve`; `new_session()` makes a responder's session; `feed` and `desk` hold what
    is said. `report(name, error)` hears what a task died of."""

    def __init__(self, gatt, feed, desk, clock, new_session, trace, report, check_in):
        self._gatt = gatt
        self._feed = feed
        self._desk = desk
        self._clock = clock
        self._new_session = new_session
        self._closed_error = gatt.LinkClosed
        self._trace = trace
        self._report = report
        self._check_in = check_in
        self._changed = asyncio.Event()
        self._advert = None
        self._guests = []
        self._session_link = None
        self._vigil: Vigil = None
        self.strangers = 0
        # Records and messages that were not taken; packets and messages that found their queue full.
        self.refused = 0
        self.dropped = 0

    @property
    def up(self) -> bool:
        """A companion proved itself, and its link holds."""
        return self._session_link is not None and not self._session_link.closed

    @property
    def near(self) -> bool:
        """The companion is in reach: it has just answered. True only while it is asked: see Vigil."""
        return self.up and self._vigil.is_near(self._clock.ms())

    async def run(self) -> None:
        """Runs until cancelled."""
        self._gatt.start()
        while True:
            self._check_in()
            self._changed.clear()
            wanted = self._session_link is None and len(self._guests) < GUESTS_MAX
            if wanted and self._advert is None:
                self._trace("advertising")
                self._advert = asyncio.create_task(self._accept())
            elif not wanted and self._advert is not None:
                await self._stop_advertising()
            try:
                await wait_for_ms(self._changed.wait(), _SUPERVISE_MS)
            except asyncio.TimeoutError:
                pass

    async def close(self) -> None:
        """Ends every link and switches the radio off."""
        await self._stop_advertising()
        for task in list(self._guests):
            await _ended(task)
        self._gatt.stop()

    async def _stop_advertising(self) -> None:
        task, self._advert = self._advert, None
        if task is not None:
            await _ended(task)

    async def _accept(self) -> None:
        try:
            link = await self._gatt.accept()
            self._guests.append(asyncio.create_task(self._host(link)))
        except Exception as e:
            self._report("link", e)
            await sleep_ms(_SUPERVISE_MS)
        self._advert = None
        self._changed.set()

    async def _host(self, link) -> None:
        try:
            channel, hello = await wait_for_ms(self._greet(link), names.HANDSHAKE_TIMEOUT_MS)
            await self._adopt(link, channel, hello)
        except (asyncio.TimeoutError, Stranger):
            self.strangers += 1
        except self._closed_error:
            pass
        except asyncio.CancelledError:
            raise
        except Exception as e:
            self._report("link", e)
        finally:
            await link.disconnect()
            self._guests.remove(asyncio.current_task())
            if self._session_link is link:
                self._session_link = None
                self._trace("link", up=False)
            self._changed.set()

    async def _greet(self, link):
        session = self._new_session()
        message = await self._first_record(link)
        reply = session.answer(message) if len(message) == HANDSHAKE_BYTES else None
        if reply is None:
            raise Stranger
        cutter = Cutter(link.mtu)
        channel = Channel(session, link.mtu)
        answered = -1
        while True:
            if channel.refused > answered:
                # What cannot be a record yet is the opening message again: our answer was lost.
                answered = channel.refused
                if answered > _REFUSED_MAX:
                    raise Stranger
                await self._answer(link, cutter, reply)
            got = channel.feed(await link.receive())
            if got is not None:
                kind, hello = got
                if kind != messages.HELLO_HOST or hello["v"] != names.PROTOCOL_VERSION:
                    raise Stranger
                return channel, hello

    async def _answer(self, link, cutter, reply) -> None:
        cutter.load(reply, len(reply))
        while cutter.busy:
            if link.send(cutter.packet()):
                cutter.advance()
            else:
                await sleep_ms(_IDLE_MS)

    async def _first_record(self, link):
        joiner = Joiner()
        while True:
            record = joiner.feed(await link.receive())
            if record is not None:
                return bytes(record)

    async def _adopt(self, link, channel, hello) -> None:
        old, self._session_link = self._session_link, link
        if old is not None:
            await old.disconnect()
        self._changed.set()
        self._vigil = vigil = Vigil(self._clock.ms())
        self._trace("link", up=True, mtu=link.mtu, interval_ms=link.interval_ms)
        self._desk.greet(channel, hello)
        self._feed.restart()
        sender = asyncio.create_task(self._send(link, channel, vigil))
        try:
            while True:
                got = channel.feed(await link.receive())
                if got is None:
                    continue
                if got[0] in _ANSWERS:
                    vigil.heard(self._clock.ms())
                if not self._feed.take(got[0], got[1], channel):
                    self._desk.take(got[0], got[1], channel)
        finally:
            self.refused += channel.refused
            self.dropped += channel.dropped + link.dropped
            await _ended(sender)

    async def _send(self, link, channel, vigil) -> None:
        clock, fill = self._clock, self._feed.fill
        pace = Pace(clock.ms())
        try:
            while not vigil.is_lost(clock.ms()):
                now_ms = clock.ms()
                channel.set_mtu(link.mtu)
                asks = vigil.must_ask(now_ms, self._feed.busy)
                if channel.idle:
                    # While a message waits for the radio, saying it again would only fill the queue.
                    self._desk.plan(now_ms, channel)
                    self._feed.plan(now_ms, channel)
                    if asks:
                        self._desk.ask(channel)
                packet = channel.next_packet(fill if pace.allows(now_ms) else None)
                if packet is None:
                    await sleep_ms(_BUSY_MS if self._feed.busy else _IDLE_MS)
                elif link.send(packet):
                    channel.sent()
                    pace.sent(len(packet))
                    await sleep_ms(0)
                else:
                    pace.refused(now_ms)
                    await sleep_ms(pace.paused_ms(now_ms))
            self._trace("silence")
        except asyncio.CancelledError:
            raise
        except self._closed_error:
            pass
        except Exception as e:
            self._report("link", e)
        # A link that cannot speak, or at which nobody listens, is no link.
        await link.disconnect()


async def _ended(task) -> None:
    """Cancels and awaits a task of ours; what it died of was reported where it happened."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
