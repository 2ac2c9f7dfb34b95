"""The link over Bluetooth stacks: bleak on Bumble, two radios on a simulated air, HCI over TCP between."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bleak.exc import BleakError
from bumble import att, hci
from bumble.device import Connection, Peer

from lapel_companion.link import keeper as keeper_module
from lapel_companion.link.keeper import NO_KEY, Keeper
from lapel_companion.link.radio import RadioError, radio_of
from lapel_companion.link.safe_mode import SafeModeWatch
from lapel_companion.pairing import Key, PairingError
from lapel_wire import gatt
from simulator.air import Air, Pace
from simulator.hci_port import HciPort
from tests.host.companion.companion_bumble import RadioPin
from tests.host.companion.companion_fakes import Rig, poll, run
from tests.host.companion.companion_pin import KEY, Pin


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
        async with linked_up(tmp_path, air, stranger, RadioPin(air, pin)) as (rig, keeper, _):
            pin.record(1, b"\x11" * 1_000)
            await poll(lambda: bool(pin.accepted))
            assert keeper.strangers == 0 and stranger.connections <= 2
        assert pin.accepted and not other.hellos

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


def test_nothing_is_tried_without_a_key_and_all_is_once_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "KEY_LOOK_S", 0.05)

    async def test() -> None:
        air, pin, keys = Air(Pace(), 5), Pin(), Keys(None)
        radio_pin = RadioPin(air, pin)
        async with linked_up(tmp_path, air, radio_pin, keys=keys) as (rig, keeper, _):
            await poll(lambda: bool(rig.reports))
            assert keeper.state == "not paired" and "lapel pair" in keeper.advice
            keys.error = "the pin's key is locked away."
            await poll(lambda: len(rig.reports) == 2)
            assert radio_pin.connections == 0
            keys.error, keys.key = "", KEY
            await poll(lambda: keeper.state == "linked")
            assert keeper.advice == ""
            # Revoked: who had the key is not talked to any more, and nobody is tried.
            keys.key = None
            await poll(lambda: keeper.state == "not paired")
            assert radio_pin.connections == 1
            assert rig.reports == [NO_KEY, "the pin's key is locked away.", NO_KEY]

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


def test_who_is_sent_away_before_it_has_looked_around_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The MTU was answered, and the link is gone when the services are to be looked for."""

    async def test() -> None:
        air, pin = Air(Pace(), 10), Pin()
        radio_pin = RadioPin(air, pin)
        asked, sent_away = Peer.request_mtu, asyncio.Event()

        async def request_mtu(peer: Peer, mtu: int) -> int:
            answer = await asked(peer, mtu)
            if not sent_away.is_set():
                peer.connection.on(Connection.EVENT_DISCONNECTION, lambda _: sent_away.set())
                for connection in list(radio_pin.device.connections.values()):
                    await connection.disconnect()
                await sent_away.wait()
            return answer

        monkeypatch.setattr(Peer, "request_mtu", request_mtu)
        async with linked_up(tmp_path, air, radio_pin) as (_, keeper, _port):
            await poll(lambda: keeper.state == "linked")
            assert sent_away.is_set() and keeper.strangers == 1 and radio_pin.connections == 2

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
