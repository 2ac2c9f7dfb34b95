"""The microphone's samples against the pin's clock, with marks for the computer's."""

import time

from bench import fill, say

_BLOCK_BYTES = 1024
_SAMPLES = 256


async def run(board, seconds, every_ms):
    """Listens for `seconds`, says what it counted every `every_ms`."""
    mic = board.mic
    block = bytearray(_BLOCK_BYTES)
    mic.open()
    try:
        for _ in range(mic.rate_hz * (mic.startup_ms + 300) // 1000 // _SAMPLES):
            await fill(mic.reader, block)
        samples = 0
        # the clock's own count wraps after some minutes
        elapsed_us = 0
        before_us = time.ticks_us()
        next_us = 0
        while True:
            if elapsed_us >= next_us:
                say("mark", us=elapsed_us, samples=samples)
                if elapsed_us >= seconds * 1000000:
                    return
                next_us += every_ms * 1000
            await fill(mic.reader, block)
            samples += _SAMPLES
            now_us = time.ticks_us()
            elapsed_us += time.ticks_diff(now_us, before_us)
            before_us = now_us
    finally:
        mic.close()
