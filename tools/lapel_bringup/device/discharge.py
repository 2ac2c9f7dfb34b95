"""Logs the battery's voltage into a file while the pin is off the cable, until the cell is empty or somebody comes."""

import time

from bench import fill, say

_NAME = "/bringup-battery.log"
_EMPTY_MV = 3300
_FEED_MS = 1000
_BLOCK_BYTES = 1024
_PATIENCE_MS = 120000


async def run(board, every_s):
    """Each `every_s` a line of seconds and millivolts. The load is the running microphone, which is what a pin that
    records draws beside its radio."""
    path = board.flash_dir + _NAME
    board.watchdog.stretch(_PATIENCE_MS)
    begun_ms = time.ticks_ms()
    elapsed_ms = 0
    due_ms = 0
    block = bytearray(_BLOCK_BYTES)
    board.mic.open()
    try:
        with open(path, "w") as file:
            say("logging", path=path, every_s=every_s)
            while True:
                board.watchdog.feed()
                await _listen(board.mic, block)
                now_ms = time.ticks_ms()
                elapsed_ms += time.ticks_diff(now_ms, begun_ms)
                begun_ms = now_ms
                if elapsed_ms < due_ms:
                    continue
                due_ms += every_s * 1000
                mv = board.battery.read_mv()
                if mv is None:
                    say("no_voltage")
                    return
                file.write("%d %d\n" % (elapsed_ms // 1000, mv))
                file.flush()
                if mv < _EMPTY_MV:
                    return
    finally:
        board.mic.close()
        board.led.show(0, 0, 0)


async def _listen(mic, block):
    # a second of sound
    for _ in range(mic.rate_hz * _FEED_MS // 1000 * 4 // _BLOCK_BYTES):
        await fill(mic.reader, block)
