"""Sound from the microphone as it comes: 32-bit words, in pieces without a gap."""

import time

from bench import catch_up, fill, room_for, say, send

_BLOCK_BYTES = 1024


async def run(board, pieces, piece_bytes, from_open):
    """`pieces` pieces of `piece_bytes` (fewer where the heap is small). `from_open`: from its very first sample on;
    else once it has settled."""
    buffer = room_for(piece_bytes, 8192)
    block = bytearray(_BLOCK_BYTES)
    mic = board.mic
    begun_us = time.ticks_us()
    mic.open()
    open_us = time.ticks_diff(time.ticks_us(), begun_us)
    try:
        if not from_open:
            for _ in range(mic.rate_hz * (mic.startup_ms + 300) // 1000 * 4 // _BLOCK_BYTES):
                await fill(mic.reader, block)
        else:
            first = memoryview(buffer)[:_BLOCK_BYTES]
            await fill(mic.reader, first)
            first_us = time.ticks_diff(time.ticks_us(), begun_us)
            say("opened", open_us=open_us, first_block_us=first_us, expected_startup_ms=mic.startup_ms)
        for i in range(pieces):
            if from_open and i == 0:
                await fill(mic.reader, memoryview(buffer)[_BLOCK_BYTES:])
            else:
                await catch_up(mic.reader, block)
                say("listening", piece=i + 1, of=pieces, ms=len(buffer) // 4 * 1000 // mic.rate_hz)
                await fill(mic.reader, buffer)
            send("sound", buffer)
        say("rate", rate_hz=mic.rate_hz)
    finally:
        mic.close()
