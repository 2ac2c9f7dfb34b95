"""The battery at rest and under load."""

import asyncio

from bench import say

_READS = 8
_EVERY_MS = 60


async def run(board, load_ms):
    """Reads at rest, with motor and light on for `load_ms`, and at rest again."""
    await _read(board, "rest", _READS)
    board.led.show(255, 255, 255)
    board.haptic.drive(255)
    try:
        await asyncio.sleep_ms(100)
        await _read(board, "load", max(2, load_ms // _EVERY_MS))
    finally:
        board.haptic.drive(0)
        board.led.show(0, 0, 0)
    await asyncio.sleep_ms(300)
    await _read(board, "after", _READS)
    say("battery", kind=type(board.battery).__name__, charging=getattr(board.battery, "charging", None))


async def _read(board, when, count):
    # a driver that reckons with the load would hide what is looked for
    read_mv = getattr(board.battery, "terminal_mv", board.battery.read_mv)
    for _ in range(count):
        say("mv", when=when, mv=read_mv())
        await asyncio.sleep_ms(_EVERY_MS)
