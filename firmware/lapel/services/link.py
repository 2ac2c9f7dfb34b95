"""The link to the companion: advertising, strangers, the session, what is sent and when.

Two unproved guests at most, three seconds each; the one whose first record verifies becomes the session, and
advertising stops until it has gone. Whose opening is wrong goes at once. For a full house see core/strangers.py.
"""

import asyncio

from lapel.compat import const, sleep_ms, wait_for_ms
from lapel.core.pace import Pace
from lapel.core.strangers import Strangers
from lapel.core.vigil import Vigil
from lapel.services.greeting import Stranger, greet
from lapel_wire import gatt as names
from lapel_wire import messages
from lapel_wire.channel import REFUSED_IN_A_ROW_MAX
from lapel_wire.session import Spent

GUESTS_MAX = 2
_SUPERVISE_MS = const(1000)
# After who is sent away unheard nobody comes for so long: a crowd is not to keep us busy.
_SENT_AWAY_MS = const(100)
# A block of audio is 16 ms: asking more often brings nothing.
_BUSY_MS = const(8)
_IDLE_MS = const(40)
# What the battery's service reads while anybody but the companion could.
_BATTERY_HIDDEN = const(100)
# What the companion says only when it has heard us; all else may come over a link of which our way is dead.
_ANSWERS = (messages.JOBS, messages.ACK, messages.RESUME, messages.ACCEPTED, messages.CANCELLED)


def serve(gatt_class, info: bytes):
    """The pin's GATT server, not started yet, of a board's driver class; `info` is what anybody may read."""
    return gatt_class(
        names.NAME,
        names.SERVICE_UUID,
        names.UP_UUID,
        names.DOWN_UUID,
        names.INFO_UUID,
        info,
        names.MTU_WANTED,
    )


class Link:
    """`gatt` as of `serve`; `handshakes` as services.handshakes; `feed` and `desk` hold what is said.
    `report(name, error)` hears what a task died of."""

    def __init__(self, gatt, feed, desk, clock, handshakes, trace, report, check_in):
        self._gatt = gatt
        self._feed = feed
        self._desk = desk
        self._clock = clock
        self._handshakes = handshakes
        self._closed_error = gatt.LinkClosed
        self._trace = trace
        self._report = report
        self._check_in = check_in
        self._changed = asyncio.Event()
        self._advert = self._keys = self._session_link = None
        # Task, link and turn of each.
        self._guests = []
        self._addresses = Strangers()
        self._vigil: Vigil = None
        self._battery = self._battery_shown = _BATTERY_HIDDEN
        # Guests that proved nothing, and those of them that came again too soon.
        self.strangers = 0
        self.turned_away = 0
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

    @property
    def interval_ms(self) -> int:
        """The connection's, 0 without a session or while it is not known."""
        return self._session_link.interval_ms if self.up else 0

    def set_battery(self, percent: int) -> None:
        """How full the cell is: for the companion when it alone is connected, as it would tell one pin from another."""
        self._battery = percent
        self._changed.set()

    async def run(self) -> None:
        """Runs until cancelled. What it dies of ends every link and all that it began: it can be run again."""
        try:
            await self._run()
        except Exception:
            await self.close()
            raise

    async def _run(self) -> None:
        self._gatt.start()
        self._keys = asyncio.create_task(self._make_keys())
        while True:
            self._check_in()
            self._changed.clear()
            wanted = self._session_link is None
            if wanted and self._advert is None:
                self._trace("advertising")
                self._advert = asyncio.create_task(self._accept())
            elif not wanted:
                await self._stop_advertising()
                # Who came as advertising ended is no guest, and must not hold a link for ever.
                await self._gatt.dismiss()
            self._show_battery()
            try:
                await wait_for_ms(self._changed.wait(), _SUPERVISE_MS)
            except asyncio.TimeoutError:
                pass

    async def close(self) -> None:
        """Ends every link and switches the radio off."""
        await self._stop_advertising()
        for task, _, _ in self._guests:
            await _ended(task)
        if self._keys is not None:
            await _ended(self._keys)
        self._gatt.stop()

    def _show_battery(self) -> None:
        shown = self._battery if self.up and len(self._guests) == 1 else _BATTERY_HIDDEN
        if shown != self._battery_shown:
            self._battery_shown = shown
            self._gatt.set_battery(shown)

    async def _stop_advertising(self) -> None:
        if self._advert is not None:
            await _ended(self._advert)
            self._advert = None

    async def _make_keys(self) -> None:
        try:
            await self._handshakes.run()
        except Exception as e:
            # Handshakes go on: each then makes its own.
            self._report("link", e)

    async def _accept(self) -> None:
        try:
            link = await self._gatt.accept()
            now_ms = self._clock.ms()
            turn_ms = self._addresses.turn_ms(link.address, now_ms)
            if self._session_link is None and turn_ms <= now_ms and self._has_room(turn_ms):
                self._guests.append((asyncio.create_task(self._host(link)), link, turn_ms))
            else:
                self.turned_away += 1
                await link.disconnect()
                await sleep_ms(_SENT_AWAY_MS)
        except Exception as e:
            self._report("link", e)
            await sleep_ms(_SUPERVISE_MS)
        self._advert = None
        self._changed.set()

    def _has_room(self, turn_ms: int) -> bool:
        if len(self._guests) >= GUESTS_MAX:
            task, _, latest_ms = max(self._guests, key=lambda guest: guest[2])
            if latest_ms <= turn_ms:
                return False
            task.cancel()
        return True

    async def _host(self, link) -> None:
        proved, heard = False, True
        try:
            channel, hello = await wait_for_ms(greet(link, self._handshakes), names.HANDSHAKE_TIMEOUT_MS)
            proved = True
            self._handshakes.proved()
            self._addresses.proved(link.address)
            await self._adopt(link, channel, hello)
        except (asyncio.TimeoutError, Stranger, self._closed_error):
            pass
        except asyncio.CancelledError:
            heard = False
            raise
        except Exception as e:
            self._report("link", e)
        finally:
            await link.disconnect()
            self.strangers += not proved
            # Who had to leave for another keeps its turn.
            if heard and not proved:
                self._addresses.failed(link.address, self._clock.ms())
            self._guests = [guest for guest in self._guests if guest[1] is not link]
            if self._session_link is link:
                self._session_link = None
                self._trace("link", up=False)
            self._changed.set()

    async def _adopt(self, link, channel, hello) -> None:
        old, self._session_link = self._session_link, link
        if old is not None:
            await old.disconnect()
        self._changed.set()
        self._vigil = vigil = Vigil(self._clock.ms())
        self._trace("link", up=True, mtu=link.mtu, interval_ms=link.interval_ms, strangers=self.strangers)
        self._desk.greet(channel, hello)
        self._feed.restart()
        sender = asyncio.create_task(self._send(link, channel, vigil))
        try:
            while channel.refused_in_a_row < REFUSED_IN_A_ROW_MAX:
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
            session = channel.session
            self._trace("session_over", bad=session.bad, replayed=session.replayed, gaps=session.gaps)
            session.wipe()

    async def _send(self, link, channel, vigil) -> None:
        clock, fill = self._clock, self._feed.fill
        pace = Pace(clock.ms())
        try:
            # What is said of a clip over a link that has gone would be missed in the session after it.
            while not link.closed:
                now_ms = clock.ms()
                if vigil.is_lost(now_ms):
                    self._trace("silence")
                    break
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
        except asyncio.CancelledError:
            raise
        except (self._closed_error, Spent):
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
