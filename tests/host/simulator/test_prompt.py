"""After main has ended the pin sits at its prompt: what was left running goes on, as on the ESP32 port."""

from __future__ import annotations

import asyncio

import pytest

from tests.host.simulator.centrals import central
from tests.host.simulator.desks import Desk, seen


@pytest.mark.parametrize("end", ["returned", "interrupted", "raised"])
def test_timers_and_the_radio_go_on(desk: Desk, end: str) -> None:
    async def run() -> None:
        options = {"may_die": end == "raised"}
        async with desk("prompt_parts.py", options, PART=end) as simulation, central(simulation) as device:
            repl = await seen(simulation, "repl", who="sim")
            assert repl.fields == {"why": end}
            ticks = [await seen(simulation, "tick", repl.index, count=str(count)) for count in (3, 8)]
            assert 0.05 < ticks[1].t_s - ticks[0].t_s < 1
            advertising = await seen(simulation, "advertising", who="radio")
            connection = await device.connect(str(advertising.fields["address"]), timeout=10)
            await seen(simulation, "came", repl.index)
            await connection.disconnect()
            await seen(simulation, "went", repl.index)
            assert simulation.pin.running
        assert simulation.failure == ""

    asyncio.run(run())
