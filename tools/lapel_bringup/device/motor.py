"""The haptic driver's own tests: diagnosis, calibration, resonance. A plain motor has none."""

import asyncio

from bench import say
from lapel.core import pattern


async def run(board, drive_ms):
    """Moves the actuator for a while; a driver without diagnose() is only named."""
    haptic = board.haptic
    say("patterns", rhythms={name: entry[0] for name, entry in pattern.PATTERNS.items() if entry[0]})
    say("haptic", kind=type(haptic).__name__, tests=hasattr(haptic, "diagnose"))
    if not hasattr(haptic, "diagnose"):
        return
    from drivers.drv2605l import HapticError

    try:
        say("diagnosis", fault=haptic.diagnose())
        haptic.calibrate()
        board.keep_calibration(haptic)
        say("calibration", fault=None, registers=list(haptic.calibration()))
    except (HapticError, OSError) as error:
        say("calibration", fault=str(error), registers=None)
    haptic.drive(255)
    try:
        await asyncio.sleep_ms(drive_ms)
        say("driven", resonance_hz=haptic.resonance_hz(), supply_mv=haptic.supply_mv(), errors=haptic.errors)
    finally:
        haptic.drive(0)
