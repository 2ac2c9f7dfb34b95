"""Radios by spec, and what to say of one that fails. keeper.py uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError

from lapel_wire import gatt

# Of the library's own; the keeper's is shorter.
CONNECT_LIMIT_S = 15.0

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
