"""Radios and pins that are not as they should be: what is said of them, and that the pin is reached all the same."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bleak.exc import BleakError
from bumble import att

from lapel_companion.link import keeper as keeper_module
from lapel_companion.link.radio import RadioError, radio_of
from lapel_companion.pairing import Key
from lapel_wire import gatt
from simulator.air import Air, Pace
from tests.host.companion.companion_bumble import RadioPin
from tests.host.companion.companion_fakes import Rig, poll, run
from tests.host.companion.companion_keeper import keeper_of, linked_up
from tests.host.companion.companion_pin import Pin


def test_radios_that_cannot_be_used_are_said_and_tried_again(tmp_path: Path) -> None:
    async def test() -> None:
        for spec in ("wifi", "bumble:", "bumble"):
            with pytest.raises(RadioError, match="is no radio"):
                radio_of(spec)
        for transport in (
            "nonsense:1",
            "tcp-client:127.0.0.1:1",
            "serial:/dev/none-such",
            "tcp-client:nowhere",
        ):
            rig = Rig(tmp_path / transport.replace("/", "_"))
            keeper = keeper_of(rig, radio_of(f"bumble:{transport}"))
            running = asyncio.create_task(keeper.run())
            await poll(lambda: bool(rig.reports))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await rig.stop()
            assert keeper.state == "no radio"
            assert rig.reports == [r for r in rig.reports if r.startswith("no link to the pin: the radio")], rig.reports

    run(test)


class DeadRadio:
    """Scans, and answers nothing more."""

    name = "dead"

    def __init__(self) -> None:
        self.scanning = asyncio.Event()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def lost(self) -> None:
        await asyncio.Event().wait()

    def scanner(self, _: object) -> Any:
        async def start() -> None:
            self.scanning.set()

        async def stop() -> None:
            raise BleakError("it does not answer")

        return SimpleNamespace(start=start, stop=stop)


def test_a_dead_radio_does_not_keep_the_keeper_alive(tmp_path: Path) -> None:
    async def test() -> None:
        rig, radio = Rig(tmp_path), DeadRadio()
        running = asyncio.create_task(keeper_of(rig, radio).run())
        await radio.scanning.wait()
        running.cancel()
        await asyncio.wait((running,), timeout=5)
        assert running.cancelled()
        await rig.stop()

    run(test)


def test_a_pin_near_by_that_is_not_paired_is_told_once_and_shown(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin = Air(Pace(), 6), Pin()
        bare = RadioPin(air, pin, 1, info=gatt.UNPAIRED_INFO)
        async with linked_up(tmp_path, air, bare) as (rig, keeper, _):
            await poll(lambda: bare.connections >= 2)
            assert keeper.advice.endswith("plug it in and type: lapel pair")
            assert rig.reports == [keeper.advice + "."]

    run(test)


def test_the_pin_is_reached_beside_one_that_lets_nobody_in(tmp_path: Path) -> None:
    """A connection that was given up is none that the radio goes on with: it would make no other."""

    async def test() -> None:
        air, pin = Air(Pace(), 9), Pin()
        closed = RadioPin(air, Pin(2), 2)
        closed.lets_in = False
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keeper_module, "TRY_LIMIT_S", 0.3)
            async with linked_up(tmp_path, air, closed) as (_, keeper, _port):
                await poll(lambda: keeper.strangers > 0)
                patch.undo()
                late = RadioPin(air, pin, 1)
                await late.start()
                await poll(lambda: keeper.state == "linked")
                await late.stop()

    run(test)


def test_the_pin_is_reached_beside_three_that_prove_nothing(tmp_path: Path) -> None:
    """One has another key, one is mute, one answers with garbage."""

    async def test() -> None:
        air, pin = Air(Pace(), 7), Pin()
        other, mute, garbled = (RadioPin(air, Pin(number), number) for number in (2, 3, 4))
        other.pin.key = Key(1, bytes(32))
        mute._written = lambda *_: None  # type: ignore[method-assign]

        def garbage(connection: Any, value: bytes) -> None:
            garbled._send(connection, b"\xc0" + bytes(48))

        garbled._written = garbage  # type: ignore[method-assign]
        async with linked_up(tmp_path, air, other, mute, garbled) as (rig, keeper, _):
            await poll(lambda: keeper.strangers > 0)
            late = RadioPin(air, pin, 1)
            others = (other, mute, garbled)
            before = sum(one.connections for one in others)
            await late.start()
            await poll(lambda: keeper.state == "linked")
            assert rig.desk.pin is not None
            # Each has its turn, of 4 s at most, before it: that is within 15 s. One may be under way.
            assert sum(one.connections for one in others) - before <= len(others) + 1
            assert len(others) * keeper_module.TRY_LIMIT_S < 15
            await late.stop()

    run(test, 60)


def test_one_whose_characteristics_are_nonsense_does_not_end_the_daemon(tmp_path: Path) -> None:
    """Bumble raises a struct.error of its own over two bytes where five belong."""

    async def test() -> None:
        air, pin = Air(Pace(), 11), Pin()
        bogus = RadioPin(air, Pin(2), 2)
        server = bogus.device.gatt_server

        def answer(bearer: Any, request: Any) -> None:
            entry = struct.pack("<HH", request.starting_handle, 7)
            server.send_response(bearer, att.ATT_Read_By_Type_Response(length=len(entry), attribute_data_list=entry))

        server.on_att_read_by_type_request = answer
        async with linked_up(tmp_path, air, bogus) as (_, keeper, _port):
            await poll(lambda: keeper.strangers > 0)
            late = RadioPin(air, pin, 1)
            await late.start()
            await poll(lambda: keeper.state == "linked")
            await late.stop()

    run(test)
