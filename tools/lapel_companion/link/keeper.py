"""The keeper of the link: scan, try each that advertises, keep to the one that proves the key, and begin again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from lapel_companion.link.advice import Advice
from lapel_companion.link.candidates import Candidates
from lapel_companion.link.desk import PinDesk
from lapel_companion.link.peer import EXPECTED, Peer, run_until
from lapel_companion.link.proof import CannotBeOurs, InSafeMode
from lapel_companion.link.radio import Radio, RadioError, radio_sentence
from lapel_companion.link.safe_mode import SafeModeWatch
from lapel_companion.pairing import Key, PairingError
from lapel_wire import gatt

# Connecting and the proof together: with three that prove nothing before ours, we are in within 15 s.
TRY_LIMIT_S = 4.0
PROOF_MIN_S = 2.0
FAREWELL_LIMIT_S = 1.0
# A system's Bluetooth service that hangs answers nothing, not even that.
SCAN_LIMIT_S = 10.0
# So long is listened for others before one is tried, so that each has its turn.
GATHER_S = 0.3
NO_RADIO_RETRY_S = (2.0, 5.0, 10.0, 20.0)
RESCAN_S = 60.0
# How often the key is looked at: it may be made, changed or revoked at any time.
KEY_LOOK_S = 2.0
# Up to so long after trouble that stays: each look may open a dialog that asks for the keyring's password.
KEY_AGAIN_S = 60.0

NO_KEY = "no pin is paired with this computer: plug yours in, and type lapel pair."


class Keeper:
    """Keeps the link to the pin whose key `load_key` gives (raises PairingError), for as long as `run` runs."""

    def __init__(
        self,
        radio: Radio,
        desk: PinDesk,
        load_key: Callable[[], Key | None],
        safe: SafeModeWatch,
        report: Callable[[str], None],
    ) -> None:
        self._radio = radio
        self._desk = desk
        self._load_key = load_key
        self._safe = safe
        self._report = report
        self._candidates = Candidates()
        self._advice = Advice(report)
        self._said: str | None = None
        self._keyless = NO_KEY
        self._state = "starting"
        self._look = asyncio.Event()
        self._peer: Peer | None = None
        self._refused: Counter[str] = Counter(bad=0, replayed=0, gaps=0)
        self._dropped = 0
        self.strangers = 0

    @property
    def state(self) -> str:
        """starting, not paired, no radio, searching, connecting or linked (to a pin that has proved itself)."""
        return self._state if self._desk.pin is None else "linked"

    @property
    def advice(self) -> str:
        """What a person might do, or ""."""
        return self._keyless if self._state == "not paired" else self._advice.sentence

    @property
    def refused(self) -> dict[str, int]:
        """What was refused in all sessions, see Peer."""
        now = self._peer.refused if self._peer else {}
        return {name: count + now.get(name, 0) for name, count in self._refused.items()}

    @property
    def dropped(self) -> int:
        """Packets that came faster than they were read, of all connections."""
        return self._dropped + (self._peer.dropped if self._peer else 0)

    async def run(self) -> None:
        """Until cancelled. No error of a radio, a key store or a pin ends it."""
        attempts = 0
        while True:
            await self._paired()
            try:
                await self._radio.start()
                self._state = "searching"
                device = await self._find()
                attempts = 0
                if device is not None:
                    self._said = None
                    # While it was searched, the key may have been revoked.
                    await self._try(device, await self._paired())
            except (RadioError, *EXPECTED) as error:
                await self._radio.stop()
                self._state = "no radio"
                self._say(radio_sentence(self._radio.name, error))
                await asyncio.sleep(NO_RADIO_RETRY_S[min(attempts, len(NO_RADIO_RETRY_S) - 1)])
                attempts += 1

    def look(self) -> None:
        """The key may be another: it is looked at now, and not after a while."""
        self._look.set()

    async def close(self) -> None:
        """Give the radio back."""
        await self._radio.stop()

    async def _paired(self) -> Key:
        """The key, as soon as there is one. Without one nothing is searched."""
        pause_s = 0.0
        while True:
            try:
                key = await asyncio.to_thread(self._load_key)
                self._keyless, pause_s = NO_KEY, KEY_LOOK_S
            except PairingError as error:
                key, self._keyless, pause_s = None, str(error), _longer(pause_s)
            if key is not None:
                return key
            self._state = "not paired"
            self._say(self._keyless)
            await self._pause(pause_s)

    async def _find(self) -> BLEDevice | None:
        """The advertiser whose turn it is; None when the radio went away, or nobody was heard."""
        found: dict[str, BLEDevice] = {}
        first, ours = asyncio.Event(), asyncio.Event()

        def heard(device: BLEDevice, adv: AdvertisementData) -> None:
            self._safe.heard(device.address)
            if gatt.SERVICE_UUID not in adv.service_uuids and adv.local_name != gatt.NAME:
                return
            if self._candidates.heard(device.address, time.monotonic()):
                found[device.address] = device
                first.set()
                if device.address == self._candidates.proved:
                    ours.set()

        scanner = self._radio.scanner(heard)
        try:
            async with asyncio.timeout(SCAN_LIMIT_S):
                await scanner.start()
        except TimeoutError:
            await _quietly(scanner.stop())
            raise RadioError(
                f"no link to the pin: the radio '{self._radio.name}' does not answer. Lapel keeps trying."
            ) from None
        try:
            async with asyncio.timeout(RESCAN_S):
                await run_until(first.wait(), self._radio.lost())
            if first.is_set():
                await run_until(ours.wait(), asyncio.sleep(GATHER_S))
        except TimeoutError:
            # Some systems let a scan die without a word; a new one would say what is wrong.
            pass
        finally:
            await _quietly(scanner.stop())
        return found[self._candidates.first(list(found))] if found else None

    async def _try(self, device: BLEDevice, key: Key) -> None:
        self._state = "connecting"
        begun_s = time.monotonic()
        gone = asyncio.Event()
        client = self._radio.client(device, lambda _: gone.set())
        reason = "it did not answer"
        try:
            async with asyncio.timeout(TRY_LIMIT_S):
                await client.connect()
            # A pin with others at its door lets us in late.
            left_s = max(PROOF_MIN_S, TRY_LIMIT_S - (time.monotonic() - begun_s))
            reason = await self._talk(client, device, key, left_s, gone)
        except InSafeMode as error:
            # It is asked again: it may be another pin, or say something else.
            reason = str(error)
            self._candidates.failed(device.address, time.monotonic())
            await asyncio.to_thread(self._safe.found, device.address, reason)
        except EXPECTED as error:
            # It is left alone for a while, so that whoever else advertises has its turn.
            reason = str(error) or type(error).__name__
            self._candidates.failed(device.address, time.monotonic())
            if isinstance(error, CannotBeOurs):
                self._advice.give(reason)
            else:
                self.strangers += 1
        finally:
            await self._desk.left(reason)
            await _quietly(client.disconnect())

    async def _talk(
        self, client: BleakClient, device: BLEDevice, key: Key, limit_s: float, gone: asyncio.Event
    ) -> str:
        peer = Peer(client, self._desk, key, interval_ms=self._radio.interval_ms(client), limit_s=limit_s)
        watch = asyncio.create_task(self._watch(gone, key, peer))
        self._peer = peer
        try:
            return await peer.run()
        finally:
            self._peer = None
            self._refused.update(peer.refused)
            self._dropped += peer.dropped
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            if peer.proved:
                self._safe.over()
                self._advice.over()
                self._candidates.succeeded(device.address)

    async def _watch(self, gone: asyncio.Event, key: Key, peer: Peer) -> None:
        try:
            await run_until(gone.wait(), self._radio.lost(), self._changed(key))
        finally:
            # However this ended: a link that nobody watches would outlive its key.
            peer.disconnected()

    async def _changed(self, key: Key) -> None:
        """Returns when another key is held, or none: who had this one is not talked to any more."""
        pause_s = 0.0
        while True:
            try:
                if await asyncio.to_thread(self._load_key) != key:
                    return
                pause_s = KEY_LOOK_S
            except PairingError:
                # Locked, or not readable just now: the link that stands was proved.
                pause_s = _longer(pause_s)
            await self._pause(pause_s)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._look.wait()
        except TimeoutError:
            pass
        self._look.clear()

    def _say(self, sentence: str) -> None:
        # The same trouble every few seconds is said once.
        if sentence != self._said:
            self._said = sentence
            self._report(sentence)


def _longer(pause_s: float) -> float:
    return min(max(KEY_LOOK_S, 2 * pause_s), KEY_AGAIN_S)


async def _quietly(farewell: Awaitable[None]) -> None:
    # What is gone cannot be closed. An error here would also hide that we are being cancelled.
    try:
        async with asyncio.timeout(FAREWELL_LIMIT_S):
            await farewell
    except EXPECTED:
        pass
