"""Real boards on the simulator: their own board.py and drivers, on models of their chips."""

from __future__ import annotations

import asyncio
import json

import pytest

from simulator.boards import CHIPS_BYTES, BoardError, names, pin_spec
from simulator.pin import FAKES_BYTES, HEAP_BYTES
from tests.host.simulator.desks import Desk, seen

XIAO, FEATHER, DEVKIT = "xiao_esp32s3", "feather_esp32s3", "esp32s3_devkitc"
PROGRAM = "hardware_parts.py"


def test_parts_come_from_the_board_s_own_tables() -> None:
    spec = pin_spec(XIAO)
    parts = {part["chip"]: part["pins"] for part in json.loads(spec.env["LAPEL_SIM_PARTS"])}
    assert parts["drv2605l"] == {"SDA": 5, "SCL": 6}
    assert parts["i2s_mic"] == {"SCK": 7, "WS": 8, "SD": 9}
    assert parts.keys() == {"button", "i2s_mic", "drv2605l", "ws2812", "divider"}
    assert spec.module_path().index(f"/{XIAO}-") < spec.module_path().index("/sim-")
    less = json.loads(pin_spec(XIAO, ["drv2605l"]).env["LAPEL_SIM_PARTS"])
    assert {part["chip"] for part in less} == parts.keys() - {"drv2605l"}


def test_the_heap_is_the_board_s() -> None:
    assert pin_spec("sim").heap_bytes == HEAP_BYTES
    assert pin_spec(FEATHER).heap_bytes == HEAP_BYTES + CHIPS_BYTES
    assert pin_spec(XIAO).heap_bytes == 2 * 8_000_000 + FAKES_BYTES + CHIPS_BYTES
    assert pin_spec(XIAO, heap_bytes=200_000).heap_bytes == 200_000


def test_wrong_names_are_a_sentence() -> None:
    assert {"sim", XIAO, FEATHER, DEVKIT} <= set(names())
    with pytest.raises(BoardError, match="no board 'nix' with parts; there are sim, esp32s3_devkitc"):
        pin_spec("nix")
    with pytest.raises(BoardError, match="xiao_esp32s3 has no 'max17048'; it has button, divider"):
        pin_spec(XIAO, ["max17048"])
    with pytest.raises(BoardError, match="the board sim has no chips to leave out"):
        pin_spec("sim", ["drv2605l"])


@pytest.mark.parametrize("name", [XIAO, FEATHER, DEVKIT])
def test_haptic_light_and_flash(desk: Desk, name: str) -> None:
    async def run() -> None:
        async with desk(PROGRAM, board=pin_spec(name), PART="first_use") as simulation:
            boot = await seen(simulation, "boot")
            assert boot.fields == {"cause": "power", "name": name, "faults": []}
            root = (await seen(simulation, "root")).fields
            # the computer's disk is where the modules come from; all else is the flash
            assert root == {"names": ["data", "sim"], "here": "/", "data": []}
            await seen(simulation, "driven")
            haptic = [strength for _, strength in simulation.hardware.haptic]
            assert haptic[-1] == 0
            assert 150 < max(haptic) <= 255
            colours = [colour for _, colour in simulation.hardware.led]
            assert colours[-1] == (0, 0, 0)
            if name == DEVKIT:
                # one LED, as bright as the brightest of the three
                assert max(colours)[0] > 0
            else:
                assert (10, 20, 30) in colours
            await seen(simulation, "repl", who="sim")
            await simulation.power_cut()
            start = len(simulation.timeline.events)
            await simulation.power_on()
            assert (await seen(simulation, "root", start)).fields["data"] == ["a.txt"]
        assert simulation.failure == ""

    asyncio.run(run())


@pytest.mark.parametrize(("name", "slack_mv"), [(XIAO, 25), (FEATHER, 2)])
def test_the_cell_by_divider_and_by_gauge(desk: Desk, name: str, slack_mv: int) -> None:
    async def run() -> None:
        async with desk(PROGRAM, board=pin_spec(name), PART="battery") as simulation:
            first = (await seen(simulation, "cell")).fields
            assert abs(first["mv"] - 3900) <= slack_mv
            assert (first["percent"] is not None) == (name == FEATHER)
            await simulation.battery(3500)
            second = (await seen(simulation, "cell", mv="3[45]*")).fields
            assert abs(second["mv"] - 3500) <= slack_mv
        assert simulation.failure == ""

    asyncio.run(run())


def test_button_and_timer_while_python_sleeps(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, board=pin_spec(XIAO), PART="press") as simulation:
            await seen(simulation, "ready")
            await simulation.person.press()
            assert (await seen(simulation, "pressed")).fields == {"pressed": True}
        assert simulation.failure == ""

    asyncio.run(run())


@pytest.mark.parametrize(("name", "chip", "says"), [(XIAO, "drv2605l", "0x5A"), (FEATHER, "max17048", "0x36")])
def test_a_part_that_is_not_there_is_a_fault(desk: Desk, name: str, chip: str, says: str) -> None:
    async def run() -> None:
        async with desk(PROGRAM, board=pin_spec(name, [chip]), PART="first_use") as simulation:
            faults = (await seen(simulation, "boot")).fields["faults"]
            assert len(faults) == 1
            assert says in faults[0]
            await seen(simulation, "driven")
        assert simulation.failure == ""

    asyncio.run(run())


def test_misuse_of_a_chip_fails_the_run(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, board=pin_spec(XIAO), PART="misuse") as simulation:
            await seen(simulation, "failure", who="sim")
        assert simulation.failure.startswith("a part was misused: T0H is 5000 ns")

    asyncio.run(run())


@pytest.mark.parametrize(("part", "without", "loud"), [("ears", [], 12), ("deaf", [], 0), ("ears", ["i2s_mic"], 0)])
def test_a_microphone_is_heard_on_its_own_pins_alone(desk: Desk, part: str, without: list[str], loud: int) -> None:
    async def run() -> None:
        async with desk(PROGRAM, board=pin_spec(XIAO, without), PART=part) as simulation:
            # the first eight of twenty blocks are start-up
            assert (await seen(simulation, "heard")).fields["loud"] == loud

    asyncio.run(run())


def test_deep_sleep_ends_in_a_reset(desk: Desk) -> None:
    async def run() -> None:
        async with desk(PROGRAM, board=pin_spec(XIAO), PART="sleep") as simulation:
            slept = await seen(simulation, "sleep", who="sim")
            again = await seen(simulation, "boot", cause="deep sleep")
            assert 0.2 <= again.t_s - slept.t_s < 2
        assert simulation.failure == ""

    asyncio.run(run())
