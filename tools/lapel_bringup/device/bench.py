"""What the self-test's routines share on the pin. The computer sends this text ahead of each of them (pin.py); nothing
is written to the flash.

A line that begins with @ is for the computer: a JSON object. A line that begins with # is a piece of bytes, in base64;
`send` ends them with their count and CRC.
"""

import asyncio
import binascii
import gc
import json
import sys
import time

_LINE_BYTES = 768


def say(event, **fields):
    """One event for the computer."""
    fields["event"] = event
    print("@" + json.dumps(fields))


def send(name, data):
    """Bytes for the computer."""
    view = memoryview(data)
    for at in range(0, len(data), _LINE_BYTES):
        print("#" + binascii.b2a_base64(bytes(view[at : at + _LINE_BYTES])).decode().strip())
    say("data", name=name, bytes=len(data), crc32=binascii.crc32(data))


def quiet(event, **fields):
    """In place of the board's own trace."""


def find_app():
    """Puts the folder that main.py would take on the module path; called before the routine is read."""
    try:
        with open("current") as file:
            folder = file.read().strip()
    except OSError:
        return
    if folder not in sys.path:
        sys.path.insert(0, folder)


def go(run, arguments):
    """Builds the board as the app does, and runs `run(board, **arguments)`."""
    gc.collect()
    fresh = gc.mem_free()

    async def main():
        import board as boards

        board = boards.build(quiet)
        gc.collect()
        say(
            "board",
            name=board.name,
            faults=list(getattr(board, "faults", ())),
            heap_fresh_bytes=fresh,
            heap_built_bytes=gc.mem_free(),
        )
        await run(board, **arguments)

    asyncio.run(main())


def room_for(wanted_bytes, least_bytes):
    """A buffer of that size, or of a half, a quarter ... of it where the heap has no more. Raises MemoryError."""
    while True:
        gc.collect()
        try:
            return bytearray(wanted_bytes)
        except MemoryError:
            wanted_bytes //= 2
            if wanted_bytes < least_bytes:
                raise


async def fill(reader, buffer):
    """Fills all of it from the microphone."""
    view = memoryview(buffer)
    at = 0
    while at < len(buffer):
        at += await reader.readinto(view[at:]) or 0


async def catch_up(reader, block):
    """Throws away what the microphone's ring still holds: what comes next is now."""
    while True:
        begun_us = time.ticks_us()
        await fill(reader, block)
        # a block takes 16 ms; one that was there already takes no time
        if time.ticks_diff(time.ticks_us(), begun_us) > 6000:
            return
