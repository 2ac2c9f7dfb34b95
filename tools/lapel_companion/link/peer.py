"""One connection to one pin: the handshake, then messages both ways, until it ends.

It knows bytes and time limits, and nothing of what is said: that is the desk's.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError

from lapel_companion import durable
from lapel_companion.link.inbox import Inbox
from lapel_companion.link.proof import LinkFailed, NotOurPin, check_info, open_session
from lapel_companion.link.wishes import Wishes
from lapel_companion.pairing import Key
from lapel_wire import gatt, messages
from lapel_wire.channel import REFUSED_IN_A_ROW_MAX, Channel
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import Session, Spent, prologue
from noise import host
from noise.initiator import Initiator
from noise.nnpsk0 import Ephemeral

WRITE_LIMIT_S = 10.0
HANDSHAKE_LIMIT_S = gatt.HANDSHAKE_TIMEOUT_MS / 1000
# The pin speaks every 30 s. When nothing comes any more, nobody is there, although the radio holds the link.
SILENCE_LIMIT_S = 75.0
BACKOFF_S = (0.030, 0.120)
_ATT_INSUFFICIENT_RESOURCE = 0x11
_HELLO_REPEAT_S = 1.0
_TICK_S = 0.5
# Before Python 3.12 `wait_for` drops a cancellation that comes together with an answer, and libraries use it.
CANCEL_AGAIN_S = 1.0

# What a radio that fails raises; anything else is a mistake of ours and is not hidden.
EXPECTED = (LinkFailed, BleakError, OSError, TimeoutError, EOFError)


class Desk(Protocol):
    """Who understands what the pin says."""

    wishes: Wishes

    def hello(self) -> dict[str, Any]:
        """The body of our hello."""

    async def welcome(self, body: dict[str, Any], mtu: int, interval_ms: int) -> None:
        """The pin said hello: the link is open."""

    async def received(self, kind: int, body: Any, came_ms: int) -> None:
        """A message is read that came at `came_ms` (monotonic); the data of audio is valid only until the next one."""

    def tick(self) -> None:
        """Twice a second: repeat what was not answered."""


class Peer:
    """Runs one connected client, whose pin is to prove `key`, within `limit_s` if that is less than usual.
    `interval_ms` is 0 where the radio cannot tell it."""

    def __init__(
        self,
        client: BleakClient,
        desk: Desk,
        key: Key,
        *,
        interval_ms: int = 0,
        limit_s: float = WRITE_LIMIT_S,
        entropy: Callable[[int], bytes] = os.urandom,
        jitter: random.Random | None = None,
    ) -> None:
        self._client = client
        self._desk = desk
        self._key = key
        self._interval_ms = interval_ms
        self._limit_s = min(limit_s, HANDSHAKE_LIMIT_S)
        self._entropy = entropy
        self._jitter = jitter or random.Random()
        self._inbox = Inbox()
        self._closed = asyncio.Event()
        self._up: BleakGATTCharacteristic | None = None
        self._down: BleakGATTCharacteristic | None = None
        self._heard_s = 0.0
        self._session: Session | None = None
        self.proved = False

    def disconnected(self) -> None:
        """For the radio: the connection is gone."""
        self._closed.set()

    @property
    def refused(self) -> dict[str, int]:
        """Records of this connection that were not taken (`bad`), those of them whose turn was over (`replayed`), and
        those that never came (`gaps`)."""
        one = self._session
        return {} if one is None else {"bad": one.bad, "replayed": one.replayed, "gaps": one.gaps}

    @property
    def dropped(self) -> int:
        """Packets that came faster than they were read."""
        return self._inbox.dropped

    async def run(self) -> str:
        """Talk until the connection ends; why it ended. Raises NotOurPin while it is not proved."""
        talk = asyncio.create_task(self._talk())
        try:
            await run_until(self._closed.wait(), talk)
            reason = "the connection was lost"
        except EXPECTED as error:
            reason = _reason(error)
            if isinstance(error, NotOurPin):
                raise
        if not self.proved:
            raise NotOurPin(reason)
        return reason

    async def _talk(self) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                channel = await self._handshake()
                hello = await self._hello(channel)
        except TimeoutError:
            raise NotOurPin(f"no answer within {self._limit_s:.0f} s") from None
        self.proved = True
        self._heard_s = time.monotonic()
        await self._desk.welcome(hello, self._mtu, self._interval_ms)
        await run_until(self._send(channel), self._receive(channel), self._tick())

    async def _handshake(self) -> Channel:
        info = bytes(await self._client.read_gatt_char(self._characteristic(gatt.INFO_UUID)))
        check_info(info)
        self._up = self._characteristic(gatt.UP_UUID)
        self._down = self._characteristic(gatt.DOWN_UUID)
        await self._client.start_notify(self._up, self._arrived)
        initiator = Initiator(host, self._key.secret, prologue(info), Ephemeral(host, self._entropy))
        message = initiator.start()
        cutter, joiner = Cutter(self._mtu), Joiner()
        while True:
            cutter.load(message, len(message))
            while (packet := cutter.packet()) is not None:
                await self._write(bytes(packet))
                cutter.advance()
            try:
                async with asyncio.timeout(_HELLO_REPEAT_S):
                    while (answer := joiner.feed((await self._inbox.get())[0])) is None:
                        pass
            except TimeoutError:
                continue
            self._session = open_session(initiator, answer)
            return Channel(self._session, self._mtu)

    async def _hello(self, channel: Channel) -> dict[str, Any]:
        while True:
            await self._tell(channel, messages.HELLO_HOST, self._desk.hello())
            try:
                async with asyncio.timeout(_HELLO_REPEAT_S):
                    while True:
                        message = channel.feed((await self._inbox.get())[0])
                        if message is not None and message[0] == messages.HELLO_PIN:
                            return dict(message[1])
            except TimeoutError:
                continue

    async def _send(self, channel: Channel) -> None:
        while True:
            wish = self._desk.wishes.take()
            if wish is None:
                await self._desk.wishes.wait()
                continue
            await self._tell(channel, *wish)

    async def _tell(self, channel: Channel, kind: int, body: dict[str, Any]) -> None:
        with durable.step(f"link.send[{messages.TABLE[kind][0]}]"):
            channel.post(kind, body)
            try:
                while (packet := channel.next_packet()) is not None:
                    await self._write(bytes(packet))
                    channel.sent()
            except Spent:
                raise LinkFailed("this session has said all that it may; the next one begins") from None

    async def _receive(self, channel: Channel) -> None:
        while True:
            packet, came_ms = await self._inbox.get()
            message = channel.feed(packet)
            if message is not None:
                self._heard_s = time.monotonic()
                await self._desk.received(*message, came_ms)
            elif channel.refused_in_a_row >= REFUSED_IN_A_ROW_MAX:
                raise LinkFailed(f"too much that arrives is damaged (last: {channel.last_error})")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            if time.monotonic() - self._heard_s > SILENCE_LIMIT_S:
                raise LinkFailed(f"nothing was heard of the pin for {SILENCE_LIMIT_S:.0f} s")
            self._desk.tick()

    async def _write(self, packet: bytes) -> None:
        assert self._down is not None
        try:
            async with asyncio.timeout(WRITE_LIMIT_S):
                while True:
                    try:
                        await self._client.write_gatt_char(self._down, packet, response=True)
                        return
                    except BleakError as error:
                        if att_error(error) != _ATT_INSUFFICIENT_RESOURCE:
                            raise
                    # The pin's radio queue is full; asking again at once would keep it full.
                    await asyncio.sleep(self._jitter.uniform(*BACKOFF_S))
        except TimeoutError:
            raise LinkFailed(f"nothing could be sent for {WRITE_LIMIT_S:.0f} s") from None

    def _arrived(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        self._inbox.put(bytes(data))

    def _characteristic(self, uuid: str) -> BleakGATTCharacteristic:
        found = self._client.services.get_characteristic(uuid)
        if found is None:
            raise NotOurPin("it has not the service of a pin")
        return found

    @property
    def _mtu(self) -> int:
        # The one figure that is right on every backend (BlueZ gives 23 for mtu_size).
        assert self._down is not None
        size = self._down.max_write_without_response_size + gatt.ATT_HEADER_BYTES
        return max(gatt.MTU_MIN, min(size, gatt.MTU_WANTED))


def att_error(error: BaseException) -> int | None:
    """The ATT error code in what a backend raised, or None."""
    if isinstance(error, BleakGATTProtocolError):
        return int(error.code)
    if isinstance(error, BleakDBusError):
        match = re.search(r"ATT error: 0x([0-9a-fA-F]{2})", error.dbus_error_details or "")
        return int(match[1], 16) if match else None
    return None


async def run_until(*parts: Awaitable[Any]) -> None:
    """Run all parts until the first ends, end the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done = [task for task in tasks if task.done() and not task.cancelled()]
    finally:
        await ended(tasks)
    for task in done:
        task.result()


async def ended(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancel them, again if need be, and wait for that."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        left = (await asyncio.wait(left, timeout=CANCEL_AGAIN_S))[1]
    # What they raise now is of no interest; not asked for, it would be told as a mistake.
    await asyncio.gather(*tasks, return_exceptions=True)


def _reason(error: BaseException | None) -> str:
    text = str(error) if error else ""
    return text or type(error).__name__
