"""The link over Bluetooth stacks: bleak on Bumble, two radios on a simulated air, HCI over TCP between."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bleak.exc import BleakError
from bumble import hci

from lapel_companion.link.radio import Failures, Keeper, RadioError, radio_of
from lapel_companion.link.safe_mode import SafeModeWatch
from simulator.air import Air, Pace
from simulator.hci_port import HciPort
from tests.host.companion.companion_bumble import RadioPin
from tests.host.companion.companion_fakes import Rig, poll, run
from tests.host.companion.companion_pin import Pin


@contextlib.asynccontextmanager
async def linked_up(folder: Path, air: Air, *pins: RadioPin) -> AsyncIterator[tuple[Rig, Keeper, HciPort]]:
    """A companion that keeps a link to whoever of `pins` proves to be one."""
    port = HciPort(air, "companion", hci.Address("C0:00:00:00:00:F0"))
    rig = Rig(folder)
    keeper = Keeper(radio_of(f"bumble:{await port.open()}"), rig.desk, SafeModeWatch(rig.log), rig.reports.append)
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


def test_a_clip_and_a_notice_over_two_controllers(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin = Air(Pace(), 1), Pin()
        data = random.Random(1).randbytes(20_000)
        clip_id = pin.record(1, data)
        async with linked_up(tmp_path, air, RadioPin(air, pin)) as (rig, keeper, _):
            await poll(lambda: bool(rig.submitted))
            rig.record("done", "disk: 120 G free")
            await poll(lambda: bool(pin.notices) and not rig.outbox.pending())
            linked = rig.log.last("linked")
            assert keeper.state == "linked" and linked is not None
            assert linked.body == {"mtu": 247, "interval_ms": 30}
        assert pin.accepted == {1: "d1"}
        assert (tmp_path / "clips" / f"{clip_id}.adpcm").read_bytes() == data

    run(test)


def test_out_of_range_and_back(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin = Air(Pace(), 2), Pin()
        radio_pin = RadioPin(air, pin)
        async with linked_up(tmp_path, air, radio_pin) as (rig, keeper, _):
            await poll(lambda: rig.desk.pin is not None)
            air.set_near(False)
            await poll(lambda: rig.desk.pin is None)
            pin.record(1, b"\x17" * 5_000)
            rig.record("done", "while you were away")
            await poll(lambda: keeper.state == "searching")
            air.set_near(True)
            await poll(lambda: bool(pin.accepted) and bool(pin.notices))
            kinds = [event.kind for event in rig.log.read(kinds=["linked", "unlinked"])]
        assert kinds == ["linked", "unlinked", "linked", "unlinked"] or kinds == [
            "linked",
            "unlinked",
            "linked",
        ]
        assert radio_pin.connections == 2

    run(test)


def test_each_advertiser_is_tried_until_one_proves_itself(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin, other = Air(Pace(), 3), Pin(), Pin()
        stranger = RadioPin(air, other, 2, info=b"\x09\x00")
        mute = RadioPin(air, other, 3)
        mute._written = lambda *_: None  # type: ignore[method-assign]
        async with linked_up(tmp_path, air, stranger, RadioPin(air, pin)) as (rig, keeper, _):
            pin.record(1, b"\x11" * 1_000)
            await poll(lambda: bool(pin.accepted))
            assert keeper.strangers == stranger.connections <= 2
        assert pin.accepted and not other.hellos and mute.connections == 0

    run(test)


def test_a_radio_that_is_unplugged_is_taken_again(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin = Air(Pace(), 4), Pin()
        async with linked_up(tmp_path, air, RadioPin(air, pin)) as (rig, _, port):
            await poll(lambda: rig.desk.pin is not None)
            assert port._client is not None
            port._client.transport.abort()
            await poll(lambda: rig.desk.pin is None)
            await poll(lambda: rig.desk.pin is not None)
            assert len(rig.log.read(kinds=["linked"])) == 2

    run(test)


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
            keeper = Keeper(radio_of(f"bumble:{transport}"), rig.desk, SafeModeWatch(rig.log), rig.reports.append)
            running = asyncio.create_task(keeper.run())
            await poll(lambda: bool(rig.reports))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await rig.stop()
            assert keeper.state == "no radio"
            assert rig.reports == [r for r in rig.reports if r.startswith("no link to the pin: the radio")], (
                rig.reports
            )

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
        running = asyncio.create_task(Keeper(radio, rig.desk, SafeModeWatch(rig.log), rig.reports.append).run())  # type: ignore[arg-type]
        await radio.scanning.wait()
        running.cancel()
        await asyncio.wait((running,), timeout=5)
        assert running.cancelled()
        await rig.stop()

    run(test)


def test_failures_are_bounded_and_forgiven() -> None:
    failures = Failures()
    for number in range(500):
        failures.failed(f"address {number}", 100.0)
    assert len(failures._failed) == 64
    assert failures.blocked("address 499", 100.5) and not failures.blocked("address 499", 101.5)
    failures.failed("address 499", 102.0)
    assert failures.blocked("address 499", 104.9)
    failures.forget("address 499")
    assert not failures.blocked("address 499", 102.1)
