"""What the pin does to its flash: erases of each act, and the years that leaves, on the real LittleFS."""

from __future__ import annotations

import json
import subprocess

from simulator.compiled import ROOT
from simulator.pin import find_interpreter

PROGRAM = ROOT / "tests" / "device_bench" / "wear_store.py"
# What data sheets of W25Q-class chips promise a sector.
CYCLES = 100_000
CLIPS_A_DAY = 100
NOTICES_A_CLIP = 2
# Sizes of the file system that a stock MicroPython makes on a chip: 2 MB of 4 MB, 6 MB of 8 MB.
SIZES = (("Feather, 4 MB chip", 512), ("XIAO and others, 8 MB chip", 1536))
_NAMES = {
    "clip_5_s": "a clip of 5 s, recorded and accepted",
    "clip_30_s": "a clip of 30 s",
    "notice": "a notice stored",
    "seen": "a notice seen, and the companion told",
    "settings": "settings saved",
}


def measured() -> dict[str, float]:
    """Erases by act, `app_blocks` that never change, and `most_of_mean`: of the block that is erased most. Raises
    RuntimeError with what the program said."""
    command = [find_interpreter(), "-X", "heapsize=64m", str(PROGRAM)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{PROGRAM.name}: {result.stdout}{result.stderr}")
    found: dict[str, float] = json.loads(result.stdout)
    return found


def years(found: dict[str, float], clip: str, blocks: int) -> float:
    """Until the block that is erased most had CYCLES, at CLIPS_A_DAY."""
    notices = NOTICES_A_CLIP * (found["notice"] + found["seen"])
    a_day = CLIPS_A_DAY * (found[clip] + notices) * max(1.0, found["most_of_mean"])
    return CYCLES * (blocks - found["app_blocks"]) / a_day / 365


def table(found: dict[str, float]) -> str:
    """Lines for a terminal."""
    lines = ["Flash: erases of 4 kB blocks, on average"]
    lines += [f"  {name:<52}{found[key]:>10.2f}" for key, name in _NAMES.items()]
    lines.append(f"  {'the block erased most, as a multiple of the mean':<52}{found['most_of_mean']:>10.2f}")
    a_day = f"{CLIPS_A_DAY} clips a day with {NOTICES_A_CLIP} notices each"
    lines.append(f"  Years at {a_day}, at {CYCLES:,} erases a block")
    for name, blocks in SIZES:
        for clip, length in (("clip_5_s", "5 s"), ("clip_30_s", "30 s")):
            lines.append(f"  {f'{name}, clips of {length}':<52}{years(found, clip, blocks):>10.0f}")
    return "\n".join(lines)
