"""The pin's radio under the real interpreter against a Bumble central: its pace, its bounds, its manners."""

from __future__ import annotations

import asyncio
import time
from statistics import mode

import pytest
from bumble import att

from tests.host.simulator.centrals import central, connected, find, paced, ready
from tests.host.simulator.desks import Desk, seen
from tests.strangers.radios import Radio

PROGRAM = "radio_parts.py"


def test_advertisement_holds_flags_service_and_name(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="echo") as simulation, central(simulation) as device:
            heard = await find(device)
            assert heard.data_bytes[:3] == b"\x02\x01\x06"
            assert heard.data_bytes[3:5] == b"\x11\x07"
            assert heard.data_bytes.endswith(b"\x06\tLapel")
            assert len(heard.data_bytes) <= 31
            assert heard.address.is_static

    asyncio.run(run())


def test_a_new_address_at_every_boot(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="echo") as simulation, central(simulation) as device:
            first = (await find(device)).address
            await simulation.power_cut()
            await simulation.power_on()
            start = next(e.index for e in reversed(simulation.timeline.events) if e.name == "power")
            await seen(simulation, "advertising", start, who="radio")
            assert (await find(device)).address != first

    asyncio.run(run())


@pytest.mark.parametrize(("interval_ms", "packets"), [(30, 4), (50, 2)])
def test_rate_is_that_of_the_events(desk: Desk, interval_ms: float, packets: int) -> None:
    async def run() -> None:
        options = paced(interval_ms, packets)
        async with (
            desk(PROGRAM, options, PART="blast", COUNT="80") as simulation,
            central(simulation) as device,
        ):
            one = await ready(simulation, device)
            loop = asyncio.get_running_loop()
            events: list[list[float]] = [[]]

            def ear(_sender: object, _receiver: object, data: bytes) -> None:
                if len(data) > 200:
                    if not events[-1]:
                        loop.call_soon(events.append, [])
                    events[-1].append(loop.time())

            simulation.air.ears.append(ear)
            await one.wait_for(80)
            # A busy machine may miss an event or fill one less; it never makes one more.
            carried = [len(heard_s) for heard_s in events if heard_s]
            assert max(carried) == mode(carried) == packets, carried
            longest_s = events[len(carried) - 1][0] - events[0][0] + interval_ms / 1000
            assert len(carried) - 1 <= longest_s / (interval_ms / 1000)
            assert [value[0] for value in one.notified] == list(range(80))
            assert one.connection.parameters.connection_interval == interval_ms

    asyncio.run(run())


def test_sixteen_notifications_wait_then_enomem(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="blast", COUNT="60") as simulation, central(simulation) as device:
            one = await ready(simulation, device)
            full = await seen(simulation, "first_full")
            # what the first events took while the pin filled the queue comes on top
            assert 16 <= full.fields["after"] <= 24
            await one.wait_for(60)

    asyncio.run(run())


def test_writes_are_refused_while_the_queue_is_full(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="blast", COUNT="400") as simulation, central(simulation) as device:
            one = await ready(simulation, device)
            await seen(simulation, "first_full")
            codes = []
            for i in range(8):
                try:
                    await one.down.write_value(bytes([i]), with_response=True)
                except att.ATT_Error as error:
                    codes.append(error.error_code)
            assert codes.count(0x11) >= 4
            applied = [e for e in simulation.timeline.events if e.name == "written" and e.fields["n"] == 1]
            assert len(applied) == 8 - len(codes)

    asyncio.run(run())


def test_a_payload_over_the_mtu_is_cut_in_silence(desk: Desk) -> None:
    async def run() -> None:
        env = {"PART": "blast", "COUNT": "1", "SIZE": "244"}
        async with desk(PROGRAM, **env) as simulation, central(simulation) as device:
            one = await ready(simulation, device, mtu=60)
            assert one.mtu == 60
            await one.wait_for(1)
            assert len(one.notified[0]) == 57

    asyncio.run(run())


def test_a_notification_goes_out_without_a_subscription(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="blast", COUNT="3") as simulation, central(simulation) as device:
            one = await (await connected(device)).prepare(subscribe=False)
            heard = asyncio.Event()
            one.peer.gatt_client.notification_subscribers[one.up.handle] = {lambda value: heard.set()}
            await one.down.write_value(b"go", with_response=True)
            await asyncio.wait_for(heard.wait(), 5)

    asyncio.run(run())


def test_mtu_is_none_until_exchanged_and_the_update_comes(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, paced(40), PART="echo") as simulation, central(simulation) as device:
            one = await connected(device)
            accepted = await seen(simulation, "accepted")
            assert accepted.fields["mtu"] is None
            await one.prepare()
            irq = await seen(simulation, "irq", number="21")
            assert irq.fields["last"] == 247
            updated = await seen(simulation, "updated")
            assert (updated.fields["interval"], updated.fields["status"]) == (32, 0)

    asyncio.run(run())


def test_borders_and_order_of_writes(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="echo") as simulation, central(simulation) as device:
            one = await (await connected(device)).prepare()
            for i in range(30):
                await one.down.write_value(bytes([i]) * (i + 1), with_response=i % 7 == 6)
            await one.wait_for(30)
            assert one.notified == [bytes([i]) * (i + 1) for i in range(30)]

    asyncio.run(run())


def test_four_centrals_at_once_and_who_wrote(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="echo") as simulation, central(simulation) as device:
            first = await (await connected(device)).prepare()
            port = await simulation.add_central("stranger")
            async with central(simulation, "F0:F1:F2:F3:F4:F7", port) as other:
                second = await (await connected(other)).prepare()
                await first.down.write_value(b"one", with_response=True)
                await second.down.write_value(b"twoo", with_response=True)
                conns = [e.fields["conn"] for e in simulation.timeline.events if e.name == "written"]
                assert len(set(conns)) == 2

    asyncio.run(run())


def test_what_aioble_does_to_captured_and_plain_writes(desk: Desk) -> None:
    async def run() -> None:
        async with (
            desk(PROGRAM, paced(7.5, 12), PART="captured") as simulation,
            central(simulation) as device,
        ):
            one = await (await connected(device)).prepare()
            assert await one.plain.read_value() == b"first"
            for i in range(40):
                await one.plain.write_value(bytes([i]) * 100, with_response=True)
            await one.down.write_value(b"go", with_response=True)
            captured = await seen(simulation, "captured")
            assert captured.fields["n"] <= 12
            assert captured.fields["cut"] == 20

    asyncio.run(run())


def test_cancelled_advertising_gives_none_and_the_radio_starts_afresh(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="cancelled") as simulation:
            gave = await seen(simulation, "advertise_gave")
            assert gave.fields["value"] is None
            stopped = await seen(simulation, "stopped")
            assert stopped.fields["active"] is False
            async with central(simulation) as device:
                await connected(device)
                assert (await seen(simulation, "again")).fields["connected"] is True

    asyncio.run(run())


def test_four_links_at_most_and_no_advertising_for_a_fifth(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="crowded") as simulation:
            radios = [Radio(simulation.air, f"central {number}", 1) for number in range(5)]
            links = [await connected(await radio.renew()) for radio in radios[:4]]
            assert (await seen(simulation, "full")).fields["errno"] == 12
            await links[1].connection.disconnect()
            await connected(await radios[4].renew())
            assert (await seen(simulation, "again")).fields["connected"] is True
            for radio in radios:
                radio.leave()

    asyncio.run(run())


def test_short_packets_before_the_length_was_agreed(desk: Desk) -> None:
    async def run() -> None:
        options = paced(octets=27)
        async with (
            desk(PROGRAM, options, PART="blast", COUNT="20") as simulation,
            central(simulation) as device,
        ):
            one = await ready(simulation, device)
            await one.wait_for(1)
            begun, first = time.monotonic(), len(one.notified)
            await one.wait_for(20)
            # 251 B are ten packets of 27 B: at least two events each
            assert time.monotonic() - begun > (20 - first) * 2 * 0.030

    asyncio.run(run())
