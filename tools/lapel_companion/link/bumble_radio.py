"""The spec `bumble:<transport>`: one HCI transport, and the Bumble device on it, behind bleak's classes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from bumble import core, hci
from bumble.device import Device
from bumble.host import Host
from bumble.transport import open_transport
from bumble.transport.common import Transport, TransportInitError, TransportSpecError

from lapel_companion.link.bumble_backend import BumbleClient, BumbleScanner, of_the_radio
from lapel_companion.link.radio import CONNECT_LIMIT_S, OnAdvertisement, RadioError
from lapel_wire import gatt

_OPEN_LIMIT_S = 5.0


class BumbleRadio:
    """One HCI transport and the Bumble device on it."""

    def __init__(self, spec: str) -> None:
        self.name = f"bumble:{spec}"
        self._spec = spec
        self._transport: Transport | None = None
        self._device: Device | None = None

    async def start(self) -> None:
        """Open the transport and switch the radio on. Raises RadioError."""
        if self._transport is not None and not self._transport.source.terminated.done():
            return
        await self.stop()
        try:
            async with asyncio.timeout(_OPEN_LIMIT_S):
                self._transport = await open_transport(self._spec)
                address = hci.Address.generate_static_address()
                self._device = Device(
                    name="Lapel companion",
                    address=address,
                    host=Host(self._transport.source, self._transport.sink),
                )
                with of_the_radio("it does not start"):
                    await self._device.power_on()
        except (TransportSpecError, TransportInitError, core.BaseBumbleError, BleakError, ValueError) as error:
            await self.stop()
            raise RadioError(
                f"no link to the pin: the radio '{self.name}' cannot be used ({error})."
            ) from error
        except (OSError, TimeoutError) as error:
            await self.stop()
            cause = getattr(error, "strerror", None) or str(error) or "it does not answer"
            raise RadioError(
                f"no link to the pin: the radio '{self.name}' cannot be used ({cause})."
            ) from error

    async def stop(self) -> None:
        """Close the transport."""
        transport, self._transport, self._device = self._transport, None, None
        if transport is not None:
            with contextlib.suppress(OSError, core.BaseBumbleError):
                await transport.close()

    async def lost(self) -> None:
        """Returns when the transport is gone."""
        if self._transport is not None:
            await asyncio.wait((self._transport.source.terminated,))

    def scanner(self, found: OnAdvertisement) -> BleakScanner:
        return BleakScanner(found, backend=BumbleScanner, bumble=self._device)

    def client(self, device: BLEDevice, gone: Callable[[BleakClient], None]) -> BleakClient:
        return BleakClient(
            device,
            gone,
            services=[gatt.SERVICE_UUID],
            timeout=CONNECT_LIMIT_S,
            backend=BumbleClient,
            bumble=self._device,
        )

    def interval_ms(self, client: BleakClient) -> int:
        backend = client._backend
        return backend.interval_ms if isinstance(backend, BumbleClient) else 0
