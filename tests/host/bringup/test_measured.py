"""From a report to the simulator's constants: what is taken, what stays, what is refused."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lapel_bringup import page, report
from lapel_bringup.report import BadReport, Report, StepRecord
from lapel_bringup.result import Result
from simulator import measured
from simulator.bus import Channel
from simulator.flash import NorFlash
from simulator.hardware import Button
from simulator.measured import Measured
from simulator.mic import Microphone

FLASH = {"erase_us": [30_000, 31_000, 90_000], "program_128_bytes_us": [200, 210]}


def made(folder: Path, **steps: Result) -> Path:
    """A report with these steps done."""
    whole = Report("2026-01-02T03:04:05+00:00", {"board": "x"}, complete=True)
    for name, result in steps.items():
        whole.put(StepRecord(name, name, report.DONE, 1.0, result))
    return whole.save(folder, page.html(whole))[0]


def all_steps() -> dict[str, Result]:
    return {
        "flash": Result(series=dict(FLASH)),
        "microphone": Result(figures={"noise_24": 512.5, "dc_24": -7000.0}),
        "startup": Result(figures={"startup_ms": 84.0}),
        "button": Result(series={"press_bounce_us": [0, 700], "release_bounce_us": [300]}),
        "radio": Result(figures={"interval_ms": 15, "kbit_s": 720.0}),
        "encoding": Result(figures={"python_240_mhz_convert_us": 9000.0, "python_240_mhz_encode_us": 31_000.0}),
    }


def test_everything_that_was_measured_is_taken_and_said(tmp_path: Path) -> None:
    found = measured.read(made(tmp_path, **all_steps()))
    assert found.erase_us == FLASH["erase_us"]
    assert found.program_128_bytes_us == FLASH["program_128_bytes_us"]
    assert (found.noise_24, found.offset_24, found.start_up_ms) == (512.5, -7000.0, 84.0)
    assert found.bounce_us == [0, 700, 300]
    assert (found.interval_ms, found.packets) == (15.0, 6)
    assert found.python_block_us == 40_000.0
    assert [said.split(":")[0] for said in found.said] == [
        "flash", "microphone", "start-up of the microphone", "button", "radio", "Python",
    ]  # fmt: skip


def test_what_was_not_measured_stays_the_simulators_and_is_said(tmp_path: Path) -> None:
    found = measured.read(made(tmp_path, flash=Result(series=dict(FLASH))))
    assert (found.noise_24, found.start_up_ms, found.interval_ms) == (measured.NOISE_24, measured.START_UP_MS, None)
    assert "microphone: the simulator's own (the step was not in the report)" in found.said


def test_a_part_that_was_broken_is_not_taken(tmp_path: Path) -> None:
    dead = Result(figures={"dc_24": 0.0, "stuck_at": 0})
    found = measured.read(made(tmp_path, flash=Result(series=dict(FLASH)), microphone=dead))
    assert found.noise_24 == measured.NOISE_24
    assert "microphone: the simulator's own (the pin's gave no sound)" in found.said


def test_a_report_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadReport, match="nothing that the simulator could take"):
        measured.read(made(tmp_path))


def _figure(step: str, name: str, value: Any) -> Callable[[dict[str, Result]], None]:
    return lambda steps: steps[step].figures.__setitem__(name, value)


def _series(step: str, name: str, value: Any) -> Callable[[dict[str, Result]], None]:
    return lambda steps: steps[step].series.__setitem__(name, value)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_series("flash", "erase_us", [45_000, -1]), "flash.erase_us[1] is -1; it must be a whole number from 1000 to"),
        (_series("flash", "erase_us", [45_000.5]), "flash.erase_us[0] is 45000.5"),
        (_series("flash", "erase_us", "fast"), "flash.erase_us is no list"),
        (_series("flash", "program_128_bytes_us", [True]), "flash.program_128_bytes_us[0] is True"),
        (_figure("microphone", "noise_24", "low"), "microphone.noise_24 is 'low'; it must be a number from 0 to"),
        (_figure("microphone", "dc_24", 9e9), "microphone.dc_24 is 9000000000.0"),
        (_figure("startup", "startup_ms", -4), "startup.startup_ms is -4"),
        (_series("button", "press_bounce_us", [10_000_000]), "button.press_bounce_us[0] is 10000000"),
        (_figure("radio", "interval_ms", 2), "radio.interval_ms is 2; it must be a number from 7.5 to 4000"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_with_its_name(
    tmp_path: Path, spoil: Callable[[dict[str, Result]], None], says: str
) -> None:
    steps = all_steps()
    spoil(steps)
    file = made(tmp_path, **steps)
    with pytest.raises(BadReport) as error:
        measured.read(file)
    assert says in str(error.value)
    assert str(file) in str(error.value)


def test_the_flash_takes_the_measured_times(tmp_path: Path) -> None:
    constants = Measured(erase_us=[30_000, 90_000], program_128_bytes_us=[200])
    flash = NorFlash(tmp_path / "image", blocks=16, measured=constants)
    assert {flash.erase(i % 16) for i in range(60)} == {30_000, 90_000}
    assert flash.program(0, 0, bytes(256)) == 400
    flash.close()


class Wire:
    """The bus as the parts use it: what was sent is kept."""

    def __init__(self) -> None:
        self.sent: list[tuple[Channel, int, bytes]] = []

    def handle(self, channel: Channel, handler: Callable[[int, bytes], None]) -> None:
        self.open = handler

    def send(self, channel: Channel, op: int, payload: bytes) -> None:
        self.sent.append((channel, op, payload))


def test_the_microphone_takes_noise_offset_and_start_up() -> None:
    wire = Wire()

    async def listened() -> list[int]:
        mic = Microphone(wire, 1, Measured(noise_24=50.0, offset_24=-9000.0, start_up_ms=32.0))  # type: ignore[arg-type]
        wire.open(1, struct.pack("<IH?", 16000, 19, True))
        while len(wire.sent) < 6:
            await asyncio.sleep(0.005)
        await mic.close()
        return [word >> 8 for _, _, block in wire.sent for word in struct.unpack(f"<{len(block) // 4}i", block)]

    samples = asyncio.run(listened())
    assert samples[:256] == [0] * 256
    assert samples[256] > 1_000_000
    settled = samples[512:1536]
    assert sum(settled) / len(settled) == pytest.approx(-9000, abs=10)
    assert max(settled) - min(settled) < 500


def test_the_button_takes_the_bounces() -> None:
    wire = Wire()
    asyncio.run(Button(wire, 1, Measured(bounce_us=[500])).press())  # type: ignore[arg-type]
    assert [payload[0] for _, _, payload in wire.sent] == [0, 1, 0]


def test_without_a_report_chance_is_as_it_was() -> None:
    assert Measured().pick((), random.Random(1)) is None
