"""Radios of others on the simulated air: who connects to pins, and who pretends to be one."""

from __future__ import annotations

import asyncio
import contextlib
import random

from bumble import hci
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from simulator.air import Air
from simulator.controller import PacedController


class Radio:
    """One radio in this process, with a new random address at each `renew()`."""

    def __init__(self, air: Air, name: str, seed: int) -> None:
        self.name = name
        self._air = air
        self._random = random.Random(f"{name} {seed}")
        self._controller: PacedController | None = None
        self._device: Device | None = None

    @property
    def device(self) -> Device:
        """Switched on, once `renew` has run."""
        assert self._device
        return self._device

    async def renew(self) -> Device:
        """Another radio in the place of the old one, which leaves without a word."""
        self.leave()
        controller = PacedController(self.name, self._air, hci.Address("00:00:00:00:00:00/P"))
        host = Host(controller, AsyncPipeSink(controller))
        raw = bytearray(self._random.randbytes(6))
        raw[5] |= 0xC0
        address = hci.Address(bytes(raw), hci.Address.RANDOM_DEVICE_ADDRESS)
        device = Device(config=DeviceConfiguration(name=self.name, address=address), host=host)
        await device.power_on()
        self._controller, self._device = controller, device
        return device

    def leave(self) -> None:
        """Off, for good."""
        if self._controller:
            self._controller.leave()
        self._controller = self._device = None


async def passes(seconds: float) -> None:
    """What others do takes its time."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.get_running_loop().create_future(), seconds)
