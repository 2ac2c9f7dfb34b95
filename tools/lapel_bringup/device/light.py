"""Shows colours and leaves the last on: the person says what it is."""

import asyncio

from bench import say


async def run(board, colour, ms):
    """(r, g, b), 0 to 255 each."""
    board.led.show(*colour)
    say("shown", kind=type(board.led).__name__)
    await asyncio.sleep_ms(ms)
