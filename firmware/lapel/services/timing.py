"""Time for services that wait: an argument, so that tests can step it."""

import asyncio

from lapel.compat import sleep_ms, wait_for_ms


class Timing:
    """`clock` has ms(), milliseconds that never wrap."""

    def __init__(self, clock) -> None:
        self.ms = clock.ms
        self.sleep_ms = sleep_ms

    async def wait(self, event, timeout_ms) -> bool:
        """Waits for an asyncio.Event, `timeout_ms` at most (None: for ever); whether it was set."""
        if timeout_ms is None:
            await event.wait()
            return True
        try:
            await wait_for_ms(event.wait(), timeout_ms)
        except asyncio.TimeoutError:
            return False
        return True
