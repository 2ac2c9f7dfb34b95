"""The link over Bluetooth stacks: bleak on Bumble, two radios on a simulated air, HCI over TCP between."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from bumble.device import Connection, Peer

from lapel_companion.link import keeper as keeper_module
from lapel_companion.link.keeper import NO_KEY
from simulator.air import Air, Pace
from tests.host.companion.companion_bumble import RadioPin
from tests.host.companion.companion_fakes import poll, run
from tests.host.companion.companion_keeper import Keys, linked_up
from tests.host.companion.companion_pin import KEY, Pin


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
