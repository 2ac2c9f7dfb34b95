"""The pin's radio in bad times: out of range, stalled, lossy, and with either end gone."""

from __future__ import annotations

import asyncio

import pytest

from tests.host.simulator.centrals import central, connected, paced, ready
from tests.host.simulator.desks import Desk, seen

PROGRAM = "radio_parts.py"


def test_out_of_range_ends_both_sides_after_the_supervision_timeout(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="blast", COUNT="4000") as simulation, central(simulation) as device:
            one = await ready(simulation, device)
            await one.wait_for(10)
            begun = simulation.timeline.now_s()
            await simulation.link("down")
            assert await asyncio.wait_for(one.ended, 5) == 0x08
            assert simulation.timeline.now_s() - begun > 0.6
            await seen(simulation, "irq", number="2")
            after = await seen(simulation, "after_the_end")
            assert after.fields["error"] in ("TypeError", 107)

    asyncio.run(run())


def test_back_in_time_the_link_goes_on(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="blast", COUNT="60") as simulation, central(simulation) as device:
            one = await ready(simulation, device)
            await one.wait_for(4)
            await simulation.link("down")
            held = len(one.notified)
            await asyncio.sleep(0.05)
            await simulation.link("up")
            await one.wait_for(60)
            assert 4 <= held < 60
            assert [value[0] for value in one.notified] == list(range(60))

    asyncio.run(run())


def test_a_stall_holds_everything_and_ends_nothing(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="blast", COUNT="100") as simulation, central(simulation) as device:
            one = await ready(simulation, device)
            await simulation.link("stall")
            # longer than the supervision timeout: 16 wait and the pin retries
            with pytest.raises(TimeoutError):
                await one.wait_for(90, timeout_s=1.0)
            assert not one.ended.done()
            await simulation.link("up")
            await one.wait_for(100)
            assert [value[0] for value in one.notified] == list(range(100))

    asyncio.run(run())


def test_loss_costs_time_and_nothing_else(desk: Desk) -> None:
    async def run() -> None:
        options = paced(loss=0.5)
        async with (
            desk(PROGRAM, options, PART="blast", COUNT="40") as simulation,
            central(simulation) as device,
        ):
            one = await ready(simulation, device)
            await one.wait_for(40)
            assert [value[0] for value in one.notified] == list(range(40))

    asyncio.run(run())


def test_power_cut_of_the_pin_is_silence_for_the_central(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="echo") as simulation, central(simulation) as device:
            one = await (await connected(device)).prepare()
            await simulation.power_cut()
            assert await asyncio.wait_for(one.ended, 5) == 0x08

    asyncio.run(run())


def test_a_killed_companion_comes_again(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="echo") as simulation:
            async with central(simulation) as device:
                await (await connected(device)).prepare()
            # the pin hears of it by its supervision timeout only, and advertises all the while
            async with central(simulation) as device:
                one = await (await connected(device)).prepare()
                await one.down.write_value(b"again", with_response=True)
                await one.wait_for(1)
                assert one.notified == [b"again"]

    asyncio.run(run())


def test_the_pin_ends_a_link(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, PART="echo") as simulation, central(simulation) as device:
            one = await (await connected(device)).prepare()
            await one.down.write_value(b"bye", with_response=False)
            assert await asyncio.wait_for(one.ended, 5) == 0x13
            await seen(simulation, "said_bye")

    asyncio.run(run())
