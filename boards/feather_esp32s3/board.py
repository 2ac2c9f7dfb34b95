"""Adafruit ESP32-S3 Feather with MAX17048: what to buy and how to wire it is in README.md beside this file."""

import machine

from drivers import esp32s3
from drivers.pixel import Pixel

# Signal -> GPIO. The only pin table: wiring table, picture and simulator are made from it.
PINS = {
    "i2c_sda": 3,
    "i2c_scl": 4,
    "i2c_power": 7,
    "mic_sck": 5,
    "mic_ws": 6,
    "mic_sd": 9,
    "button": 10,
    "pixel_power": 21,
    "pixel": 33,
}


class Board(esp32s3.Esp32S3):
    name = "feather_esp32s3"
    # The variant without PSRAM; the other has 2 MB more of heap.
    memory = {"heap_bytes": 252_000, "executable_bytes": 6_300, "dma_bytes": 38_912, "nimble_bytes": 45_000}


def essentials():
    """What safe mode needs; no part that could be missing."""
    power = machine.Pin(PINS["pixel_power"], machine.Pin.OUT, value=0)
    return Board(Pixel(machine.bitstream, machine.Pin(PINS["pixel"], machine.Pin.OUT, value=0), power))


def build(trace=None):
    """The whole board. A part that does not answer is silent, and named in `faults`."""
    # here, so that safe mode needs none of them
    from drivers.drv2605l import Drv2605l, HapticError
    from drivers.max17048 import GaugeError, Max17048

    board = essentials()
    board.fit(PINS, trace)
    # feeds the bus's pull-ups and the STEMMA QT socket
    machine.Pin(PINS["i2c_power"], machine.Pin.OUT, value=1)
    bus = esp32s3.i2c(PINS)
    board.haptic = board.part(lambda: board.calibrated(Drv2605l(bus)), HapticError, esp32s3.on_bus(PINS))
    board.battery = board.part(lambda: Max17048(bus), GaugeError, esp32s3.on_bus(PINS))
    return board
