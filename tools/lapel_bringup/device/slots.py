"""Both slots of the I2S frame, for a microphone that is silent in the one that is read."""

import asyncio

import machine

import board as boards
from bench import fill, room_for, say, send

_SKIP_BLOCKS = 40


async def run(board, piece_bytes):
    """Stereo words: left, right, left ..."""
    pins = boards.PINS
    buffer = room_for(piece_bytes, 4096)
    try:
        i2s = machine.I2S(
            0,
            sck=machine.Pin(pins["mic_sck"]),
            ws=machine.Pin(pins["mic_ws"]),
            sd=machine.Pin(pins["mic_sd"]),
            mode=machine.I2S.RX,
            bits=32,
            format=machine.I2S.STEREO,
            rate=16000,
            ibuf=16000,
        )
    except ValueError:
        say("mono_only")
        return
    try:
        reader = asyncio.StreamReader(i2s)
        for _ in range(_SKIP_BLOCKS):
            await fill(reader, memoryview(buffer)[:2048])
        await fill(reader, buffer)
        send("stereo", buffer)
    finally:
        i2s.deinit()
