"""The main job on real boards, by their own drivers: what the models of their chips make of it is what is felt."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from bumble import hci
from bumble.core import UUID
from bumble.device import Device, DeviceConfiguration, Peer
from bumble.host import Host
from bumble.transport import open_transport

from lapel_companion.client import follow
from simulator.boards import pin_spec
from simulator.engine import Engine
from simulator.events import Event, Pattern
from simulator.pin import PinSpec
from simulator.script import parse
from simulator.simulation import Options, Simulation
from tests.sim.runs import CONFIG, DEMO, DISK
from wiring import spec

BOARDS = spec.names()
# What core/pattern.py says of rhythm, in pulses, and of the light's colour.
PULSES = {"listening": 1, "captured": 2, "accepted": 3, "done": 3}
COLOURS = {"captured": (0, 255, 0), "accepted": (0, 255, 0), "done": (0, 255, 0)}
SCRIPT = """
hold {disk}
wait captured
wait haptic pattern=captured
wait haptic_end pattern=captured
wait accepted
wait notice kind=done 30
wait haptic_end pattern=done 10
"""
BATTERY_LEVEL = UUID.from_16_bits(0x2A19)


def felt(simulation: Simulation, name: str) -> Iterator[tuple[float, float]]:
    """When the motor went on and off again while that pattern lasted."""
    begun_s, end_s = window(simulation, name)
    on_s = None
    for at_s, strength in simulation.hardware.haptic:
        if begun_s - 0.05 <= at_s <= end_s + 0.05:
            if strength and on_s is None:
                on_s = at_s
            elif not strength and on_s is not None:
                yield on_s, at_s
                on_s = None


def window(simulation: Simulation, name: str) -> tuple[float, float]:
    """Begin and end of that pattern by the pin's own word."""
    events: list[Event] = [e for e in simulation.timeline.events if e.who == "pin" and e.fields.get("pattern") == name]
    begun = next(e for e in events if e.name == "haptic")
    return begun.t_s, next(e for e in events if e.name == "haptic_end").t_s


def dispatched(folder: Path, pin: PinSpec) -> Simulation:
    """The simulation after one dispatch on that pin."""
    config = folder / "config.toml"
    config.write_text(CONFIG.format(notes=folder / "notes.md"))

    async def run() -> Simulation:
        simulation = Simulation(Options(state=folder / "state", config=config, companion=follow, pin=pin))
        try:
            await simulation.open()
            await Engine(simulation).run(parse(SCRIPT.format(disk=DISK), "x", DEMO))
        finally:
            await simulation.close()
        return simulation

    simulation = asyncio.run(run())
    assert simulation.failure == ""
    return simulation


@pytest.mark.parametrize("name", BOARDS)
def test_the_demo_is_felt_and_seen(tmp_path: Path, name: str) -> None:
    simulation = dispatched(tmp_path, pin_spec(name))
    hardware = simulation.hardware
    for pattern, count in PULSES.items():
        pulses = list(felt(simulation, pattern))
        assert len(pulses) == count, (pattern, pulses)
        # the shortest pulse is 30 ms
        assert all(end_s - on_s > 0.015 for on_s, end_s in pulses), (pattern, pulses)
    assert hardware.haptic[-1][1] == 0
    for pattern, colour in COLOURS.items():
        begun_s, end_s = window(simulation, pattern)
        seen = [rgb for at_s, rgb in hardware.led if begun_s - 0.05 <= at_s <= end_s + 0.7]
        assert any(hue(rgb) == hue(colour) if has_pixel(name) else any(rgb) for rgb in seen), (pattern, seen)


def hue(rgb: tuple[int, int, int]) -> tuple[bool, bool, bool]:
    """Which of the three is lit."""
    return (rgb[0] > 0, rgb[1] > 0, rgb[2] > 0)


def has_pixel(name: str) -> bool:
    """Whether the board shows colours."""
    return any(part.chip == "ws2812" for part in spec.load(name).parts)


@pytest.mark.parametrize("name", BOARDS)
def test_how_full_the_battery_is_is_no_strangers_business(tmp_path: Path, name: str) -> None:
    async def run() -> list[int]:
        simulation = Simulation(Options(state=tmp_path / "state", pin=pin_spec(name)))
        try:
            await simulation.open()
            await simulation.battery(3600)
            return [await battery_level(simulation) for _ in range(3)]
        finally:
            await simulation.close()

    assert asyncio.run(run()) == [100, 100, 100]


async def battery_level(simulation: Simulation) -> int:
    """As any phone reads it: the standard Battery service. Another phone each time: who proves nothing has to wait."""
    async with await open_transport(simulation.companion_spec) as transport:
        address = hci.Address(f"F0:F1:F2:{secrets.token_hex(1)}:{secrets.token_hex(1)}:F6".upper())
        config = DeviceConfiguration(name="C", address=address)
        device = Device(config=config, host=Host(transport.source, transport.sink))
        await device.power_on()
        advertising = await simulation.timeline.find(Pattern("advertising", {"who": "radio"}), 0, set(), 10)
        assert advertising
        connection = await device.connect(str(advertising.fields["address"]), timeout=10)
        peer = Peer(connection)
        await peer.discover_services()
        await peer.discover_characteristics()
        value = await peer.get_characteristics_by_uuid(BATTERY_LEVEL)[0].read_value()
        await connection.disconnect()
        return int(bytes(value)[0])


def test_a_pin_without_its_haptic_chip_still_hands_tasks_over(tmp_path: Path) -> None:
    assert not dispatched(tmp_path, pin_spec("xiao_esp32s3", ["drv2605l"])).hardware.haptic
