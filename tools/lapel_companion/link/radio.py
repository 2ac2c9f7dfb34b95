"""Radios by spec, and the keeper of the link: scan, try, connect, keep trying."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError

from lapel_companion.link.desk import PinDesk
from lapel_companion.link.peer import EXPECTED, InSafeMode, Peer, run_until
from lapel_companion.link.safe_mode import SafeModeWatch
from lapel_wire import gatt

CONNECT_LIMIT_S = 15.0
FAREWELL_LIMIT_S = 3.0
NO_RADIO_RETRY_S = (2.0, 5.0, 10.0, 20.0)
RESCAN_S = 60.0
FAILURES_KEPT = 64
FAILURE_PAUSE_S = (1.0, 3.0, 10.0, 30.0, 60.0)

OnAdvertisement = Callable[[BLEDevice, AdvertisementData], None]


class RadioError(Exception):
    """The radio cannot be used now; the text is a sentence for a person."""


class Radio(Protocol):
    """What the keeper needs of a Bluetooth radio."""

    name: str

    async def start(self) -> None:
        """Make it ready; again after it failed. Raises RadioError, OSError."""

    async def stop(self) -> None:
        """Give it back."""

    async def lost(self) -> None:
        """Returns when the radio is gone and must be started again."""

    def scanner(self, found: OnAdvertisement) -> BleakScanner:
        """A scanner, not started."""

    def client(self, device: BLEDevice, gone: Callable[[BleakClient], None]) -> BleakClient:
        """A client of that device, not connected."""

    def interval_ms(self, client: BleakClient) -> int:
        """The connection interval; 0 where the radio cannot tell."""


class SystemRadio:
    """The computer's own Bluetooth, through bleak."""

    name = "bleak"

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def lost(self) -> None:
        # The system tells of it by errors only.
        await asyncio.get_running_loop().create_future()

    def scanner(self, found: OnAdvertisement) -> BleakScanner:
        # The filter goes to the operating system: other people's devices never wake the daemon.
        return BleakScanner(found, service_uuids=[gatt.SERVICE_UUID])

    def client(self, device: BLEDevice, gone: Callable[[BleakClient], None]) -> BleakClient:
        return BleakClient(device, gone, services=[gatt.SERVICE_UUID], timeout=CONNECT_LIMIT_S)

    def interval_ms(self, client: BleakClient) -> int:
        return 0


def radio_of(spec: str) -> Radio:
    """The radio that a spec names: `bleak`, or `bumble:<transport>`. Raises RadioError."""
    if spec == "bleak":
        return SystemRadio()
    kind, _, transport = spec.partition(":")
    if kind == "bumble" and transport:
        from lapel_companion.link.bumble_radio import BumbleRadio

        return BumbleRadio(transport)
    raise RadioError(
        f"'{spec}' is no radio: write bleak for the computer's own, or bumble: and a Bumble transport,"
        " for example bumble:usb:0."
    )


class Failures:
    """Who failed to prove itself, and until when it is left alone. Bounded."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def blocked(self, address: str, now_s: float) -> bool:
        """Whether that address should not be tried yet."""
        return address in self._failed and now_s < self._failed[address][1]

    def failed(self, address: str, now_s: float) -> None:
        """It failed once more."""
        count = self._failed.pop(address, (0, 0.0))[0]
        pause = FAILURE_PAUSE_S[min(count, len(FAILURE_PAUSE_S) - 1)]
        self._failed[address] = (count + 1, now_s + pause)
        while len(self._failed) > FAILURES_KEPT:
            self._failed.popitem(last=False)

    def forget(self, address: str) -> None:
        """It proved to be ours."""
        self._failed.pop(address, None)


class Keeper:
    """Keeps the link to the pin, for as long as `run` runs."""

    def __init__(self, radio: Radio, desk: PinDesk, safe: SafeModeWatch, report: Callable[[str], None]) -> None:
        self._radio = radio
        self._desk = desk
        self._safe = safe
        self._report = report
        self._failures = Failures()
        self._said: str | None = None
        self._state = "starting"
        self.strangers = 0

    @property
    def state(self) -> str:
        """starting, no radio, searching, connecting or linked (to a pin that has proved itself)."""
        return self._state if self._desk.pin is None else "linked"

    async def run(self) -> None:
        """Until cancelled. No error of a radio or a pin ends it."""
        attempts = 0
        while True:
            try:
                await self._radio.start()
                self._state = "searching"
                device = await self._find()
                attempts = 0
                if device is not None:
                    self._said = None
                    await self._try(device)
            except (RadioError, *EXPECTED) as error:
                await self._radio.stop()
                self._state = "no radio"
                self._say(radio_sentence(self._radio.name, error))
                await asyncio.sleep(NO_RADIO_RETRY_S[min(attempts, len(NO_RADIO_RETRY_S) - 1)])
                attempts += 1

    async def close(self) -> None:
        """Give the radio back."""
        await self._radio.stop()

    async def _find(self) -> BLEDevice | None:
        """The next advertiser that may be a pin; None when the radio went away meanwhile."""
        found: list[BLEDevice] = []
        first = asyncio.Event()

        def heard(device: BLEDevice, adv: AdvertisementData) -> None:
            ours = gatt.SERVICE_UUID in adv.service_uuids or adv.local_name == gatt.NAME
            self._safe.heard(device.address)
            if ours and not self._failures.blocked(device.address, time.monotonic()) and not found:
                found.append(device)
                first.set()

        scanner = self._radio.scanner(heard)
        await scanner.start()
        try:
            async with asyncio.timeout(RESCAN_S):
                await run_until(first.wait(), self._radio.lost())
        except TimeoutError:
            # Some systems let a scan die without a word; a new one would say what is wrong.
            pass
        finally:
            await _quietly(scanner.stop())
        return found[0] if found else None

    async def _try(self, device: BLEDevice) -> None:
        self._state = "connecting"
        gone = asyncio.Event()
        client = self._radio.client(device, lambda _: gone.set())
        reason = "it did not answer"
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await client.connect()
            reason = await self._talk(client, device, gone)
        except InSafeMode as error:
            # It is asked again, less and less often: it may be another pin, or say something else.
            reason = str(error)
            self._failures.failed(device.address, time.monotonic())
            await asyncio.to_thread(self._safe.found, device.address, reason)
        except EXPECTED as error:
            # It is left alone for a while, so that whoever else advertises has its turn.
            self.strangers += 1
            self._failures.failed(device.address, time.monotonic())
            reason = str(error) or type(error).__name__
        finally:
            await self._desk.left(reason)
            await _quietly(client.disconnect())

    async def _talk(self, client: BleakClient, device: BLEDevice, gone: asyncio.Event) -> str:
        peer = Peer(client, self._desk, interval_ms=self._radio.interval_ms(client))
        watch = asyncio.create_task(self._watch(gone, peer))
        try:
            return await peer.run()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            if peer.proved:
                self._safe.over()
                self._failures.forget(device.address)

    async def _watch(self, gone: asyncio.Event, peer: Peer) -> None:
        await run_until(gone.wait(), self._radio.lost())
        peer.disconnected()

    def _say(self, sentence: str) -> None:
        # The same trouble every few seconds is said once.
        if sentence != self._said:
            self._said = sentence
            self._report(sentence)


async def _quietly(farewell: Awaitable[None]) -> None:
    # What is gone cannot be closed. An error here would also hide that we are being cancelled.
    try:
        async with asyncio.timeout(FAREWELL_LIMIT_S):
            await farewell
    except EXPECTED:
        pass


_ADVICE = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: "this computer has no Bluetooth radio; plug one in.",
    BleakBluetoothNotAvailableReason.POWERED_OFF: "Bluetooth is switched off; switch it on.",
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: "Bluetooth is denied to this program; allow it in the"
    " system's privacy settings.",
}


def radio_sentence(name: str, error: BaseException) -> str:
    """What is wrong with the radio, and what helps."""
    if isinstance(error, RadioError):
        return str(error)
    if isinstance(error, BleakBluetoothNotAvailableError):
        advice = _ADVICE.get(error.reason, "Bluetooth is not available.")
        return f"no link to the pin: {advice} Lapel keeps trying."
    if name == "bleak" and _no_service(error):
        return "no link to the pin: this computer's Bluetooth service does not run. Lapel keeps trying."
    cause = " ".join(str(error).split()) or type(error).__name__
    return f"no link to the pin: the radio '{name}' cannot be used ({cause}). Lapel keeps trying."


def _no_service(error: BaseException) -> bool:
    """Whether D-Bus or BlueZ is not there."""
    unknown = isinstance(error, BleakDBusError) and error.dbus_error.endswith(
        (".ServiceUnknown", ".NameHasNoOwner")
    )
    return unknown or isinstance(error, (FileNotFoundError, ConnectionRefusedError))
