"""How long a block of 256 samples takes: conversion and ADPCM, as machine code and as plain Python, at two clocks."""

import time

import machine

from bench import say
from lapel_audio import adpcm, convert

_SAMPLES = 256
_BLOCK_BYTES = 1024
_WIDE = 0xFFFFFFF
_CLOCKS_HZ = (240000000, 80000000)


async def run(board, rounds, plain_rounds):
    """Times `rounds` blocks as machine code, `plain_rounds` as Python, at 240 and at 80 MHz."""
    noise = _noise()
    before_hz = machine.freq()
    try:
        for hz in _CLOCKS_HZ:
            _set(hz)
            say("clock", wanted_hz=hz, hz=machine.freq())
            _time("python", convert.Converter(), adpcm.Encoder(), noise, plain_rounds)
            try:
                from lapel_audio import kernels
            except (ImportError, SyntaxError):
                say("no_machine_code")
                continue
            _time("machine", kernels.Converter(), kernels.Encoder(), noise, rounds)
    finally:
        _set(before_hz)


def _set(hz):
    try:
        machine.freq(hz)
    except ValueError:
        # this chip has no such clock: the figures say at which they were taken
        pass


def _noise():
    block = bytearray(_BLOCK_BYTES)
    x = 1
    for at in range(0, _BLOCK_BYTES, 4):
        x = (x * 1103515245 + 12345) & 0x3FFFFFFF
        block[at + 1] = x >> 8 & 0xFF
        block[at + 2] = x >> 16 & 0xFF
        block[at + 3] = x >> 24 & 0x07
    return block


def _time(kind, converter, encoder, noise, rounds):
    block = bytearray(_BLOCK_BYTES)
    out = bytearray(_SAMPLES // 2)
    convert_us = 0
    encode_us = 0
    for _ in range(rounds):
        block[:] = noise
        encoder.reset()
        begun_us = time.ticks_us()
        converter.convert(block, _SAMPLES)
        middle_us = time.ticks_us()
        encoder.encode(block, _SAMPLES, out, _WIDE)
        encode_us += time.ticks_diff(time.ticks_us(), middle_us)
        convert_us += time.ticks_diff(middle_us, begun_us)
    say("timed", kind=kind, convert_us=convert_us / rounds, encode_us=encode_us / rounds, rounds=rounds)
