"""A keeper of the link over Bluetooth stacks: bleak on Bumble, radios on a simulated air, HCI over TCP between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bumble import hci

from lapel_companion.link.keeper import Keeper
from lapel_companion.link.radio import radio_of
from lapel_companion.link.safe_mode import SafeModeWatch
from lapel_companion.pairing import Key, PairingError
from simulator.air import Air
from simulator.hci_port import HciPort
from tests.host.companion.companion_bumble import RadioPin
from tests.host.companion.companion_fakes import Rig
from tests.host.companion.companion_pin import KEY


class Keys:
    """A key in memory."""

    def __init__(self, key: Key | None = KEY) -> None:
        self.key = key
        self.error = ""

    def load(self) -> Key | None:
        if self.error:
            raise PairingError(self.error)
        return self.key


def keeper_of(rig: Rig, radio: Any, keys: Keys | None = None) -> Keeper:
    load_key = (keys or Keys()).load
    return Keeper(radio, rig.desk, load_key, SafeModeWatch(rig.log), rig.reports.append)


@contextlib.asynccontextmanager
async def linked_up(
    folder: Path, air: Air, *pins: RadioPin, keys: Keys | None = None
) -> AsyncIterator[tuple[Rig, Keeper, HciPort]]:
    """A companion that keeps a link to whoever of `pins` proves to be one."""
    port = HciPort(air, "companion", hci.Address("C0:00:00:00:00:F0"))
    rig = Rig(folder)
    keeper = keeper_of(rig, radio_of(f"bumble:{await port.open()}"), keys)
    await rig.start()
    for pin in pins:
        await pin.start()
    running = asyncio.create_task(keeper.run())
    try:
        yield rig, keeper, port
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await keeper.close()
        await rig.stop()
        for pin in pins:
            await pin.stop()
        await port.close()
