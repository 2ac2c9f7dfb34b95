"""What a pin does as it starts: boots that fail and are seen to fail, safe mode, and forgetting by its button."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from simulator.folder import NAME as FOLDER
from tests.sim.runs import DEMO, Run, Sim

SHORT = DEMO / "no.wav"
# In front of the module path. It works as long as nothing named `broken` lies where the pin works.
AIOBLE = """
import os, sys
if "broken" in os.listdir():
    raise OSError("no radio in this build")
del sys.modules["aioble"]
here = sys.path.pop(sys.path.index("{folder}"))
import aioble as real
sys.path.insert(0, here)
for name in dir(real):
    globals()[name] = getattr(real, name)
"""
ROUND_S = 3


@pytest.fixture
def breakable(tmp_path: Path) -> Path:
    """A folder for --device-path, with which the pin's app stops working when `broken` is in its folder."""
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "aioble.py").write_text(AIOBLE.replace("{folder}", str(folder)))
    return folder


def followed(sim: Sim, script: str, options: Sequence[str], breaks_at: str, mends_at: str) -> Run:
    """That script; the app breaks when the first event is seen, and is whole again after the second."""
    broken = sim.state / FOLDER / "broken"
    running = sim.start(script, *options)
    assert running.stdout
    events = []
    for line in running.stdout:
        event = json.loads(line)
        events.append(event)
        told = f"{event['who']} {event['event']}"
        if told == breaks_at:
            broken.touch()
        elif told == mends_at:
            broken.unlink(missing_ok=True)
    return Run(running.wait(20), events, "")


def test_three_failed_boots_are_a_safe_mode_that_the_companion_tells_of(sim: Sim, breakable: Path) -> None:
    run = followed(
        sim,
        f"""
        power cut
        power on
        wait safe_mode who=companion 40
        sleep {ROUND_S}
        power cut
        power on
        wait linked 40
        wait well 30
        """,
        ("--device-path", str(breakable), "--may-die"),
        breaks_at="companion linked",
        mends_at="companion safe_mode",
    ).good()
    cause = "OSError: no radio in this build"
    assert [line["cause"] for line in run.of("safe_mode", "pin")] == [cause]
    # Told once, although it goes on looking.
    assert [line["cause"] for line in run.of("safe_mode", "companion")] == [cause]
    printed = [str(line["line"]) for line in run.of("print", "companion")]
    assert any(f"your pin is in safe mode: {cause}" in line for line in printed)
    # Three boots, each ended by a soft reset; then the prompt.
    assert [line["cause"] for line in run.of("reset", "sim")] == ["soft reset"] * 3
    assert [line["why"] for line in run.of("repl", "sim")] == ["returned"]
    said = " ".join(str(line["line"]) for line in run.of("print", "pin"))
    assert "make flash" in said
    assert "make logs" in said
    # The boot after the way back knows what had been wrong.
    assert run.of("failed_boots", "pin")[-1] == {**run.of("failed_boots", "pin")[-1], "count": 0, "error": cause}
    assert not (sim.state / FOLDER / "boots").exists()


def forget(sim: Sim, board: str) -> Run:
    """A recording that nobody has, and a pin that forgets it."""
    return sim(
        f"""
        link down
        wait link up=false 15
        hold {SHORT}
        wait kept
        power cut
        press
        power on
        wait forget step="let go" 20
        wait haptic pattern=forget 5
        sleep 0.3
        release
        sleep 0.5
        tap 3
        wait forget step=again 5
        wait haptic pattern=forget_again 5
        sleep 1
        tap 3
        wait forget step=yes 5
        press
        wait forget step=forgotten 90
        wait haptic pattern=forgotten 10
        expect-not forget 11
        release
        link up
        wait print line="*not paired*" 30
        expect-not clip who=companion 2
        """,
        "--flash-blocks",
        "200",
        "--board",
        board,
    ).good()


def test_forgetting_leaves_nothing_in_the_image(sim: Sim) -> None:
    run = forget(sim, "xiao_esp32s3")
    image = (sim.state / FOLDER / "flash.bin").read_bytes()
    # The button was held again from before the reset on: after one it means nothing.
    assert [line["step"] for line in run.of("forget", "pin")] == ["let go", "again", "yes", "erasing", "forgotten"]
    first, *_, last = run.of("boot", "pin")
    assert first["device"] != last["device"]
    clip = str(run.of("captured", "pin")[0]["clip"])
    device, epoch, _ = clip.split("-")
    assert device == first["device"]
    for canary in (bytes.fromhex(device), bytes.fromhex(epoch), epoch.encode(), first["boot"].encode()):
        assert canary not in image, canary
    assert bytes.fromhex(last["device"]) in image
    # The companion has seen a pin that nobody paired, and no recording. The key is in no block of its flash any more.
    assert run.of("clip", "companion") == [] and len(run.of("linked", "companion")) == 1
    secret = bytes.fromhex((sim.state / "pin.key").read_text().split()[2])
    assert secret not in image and secret[:8] not in image


def test_forgetting_that_loses_its_power_goes_on(sim: Sim) -> None:
    run = sim(
        f"""
        link down
        wait link up=false 15
        hold {SHORT}
        wait kept
        power cut
        press
        power on
        wait forget step="let go" 20
        release
        sleep 0.5
        tap 3
        wait forget step=again 5
        tap 3
        wait forget step=yes 5
        wait forget step=erasing 10
        power cut after 300 torn
        sleep 4
        power on
        wait forget step=forgotten 90
        wait well 30
        """,
        "--flash-blocks",
        "160",
    ).good()
    image = (sim.state / FOLDER / "flash.bin").read_bytes()
    assert bytes.fromhex(run.of("boot", "pin")[0]["device"]) not in image
    assert len(run.of("forget", "pin", step="erasing")) == 2
    # It was switched off, not broken: no boot of all these failed.
    assert run.of("safe_mode", "pin") == []


def test_a_press_while_the_pin_starts_forgets_nothing(sim: Sim) -> None:
    run = sim(
        f"""
        link down
        wait link up=false 15
        hold {SHORT}
        wait kept
        power cut
        press
        power on
        sleep 3
        release
        tap 3
        wait forget step=no 5
        sleep 1
        link up
        wait clip who=companion 30
        """
    ).good()
    assert run.of("forget", "pin", step="let go") == []
    # Three quick taps mean what they always mean: there was no clip of this boot to take back.
    assert run.of("cancel", "pin") == []
    assert run.of("haptic", "pin", pattern="none_long")


def test_a_file_system_that_is_damaged_is_safe_mode_and_nothing_is_formatted(sim: Sim) -> None:
    sim(f"link down\nwait link up=false 15\nhold {SHORT}\nwait kept\n").good()
    path = sim.state / FOLDER / "flash.bin"
    image = bytearray(path.read_bytes())
    # Both copies of the superblock.
    image[: 2 * 4096] = bytes(2 * 4096)
    path.write_bytes(image)
    run = sim("wait safe_mode who=companion 60\n", "--may-die").good()
    assert run.of("formatted") == []
    assert [line["cause"] for line in run.of("reset", "sim")] == ["soft reset"] * 3
    told = [str(line["cause"]) for line in run.of("safe_mode", "companion")]
    assert len(told) == 1 and "the file system on the flash is damaged" in told[0]
    assert path.read_bytes() == image
