"""Seeed XIAO ESP32S3: what to buy and how to wire it is in README.md beside this file."""

import machine

from drivers import esp32s3
from drivers.pixel import Pixel

# Signal -> GPIO. The only pin table: wiring table, picture and simulator are made from it.
PINS = {
    "battery": 1,
    "button": 2,
    "pixel": 4,
    "i2c_sda": 5,
    "i2c_scl": 6,
    "mic_sck": 7,
    "mic_ws": 8,
    "mic_sd": 9,
}
# Two equal resistors halve the cell's voltage.
_DIVIDER = 2.0
# Drawn while the battery is read, connected and idle: an estimate, worth 10 mV.
_IDLE_MA = 50
# And by a small LRA at its rated voltage.
_LRA_MA = 60


class Board(esp32s3.Esp32S3):
    name = "xiao_esp32s3"
    # 8 MB of PSRAM hold the heap; the rest is internal RAM.
    memory = {"heap_bytes": 8_000_000, "executable_bytes": 44_900, "dma_bytes": 38_912, "nimble_bytes": 45_000}


def essentials():
    """What safe mode needs; no part that could be missing."""
    return Board(Pixel(machine.bitstream, machine.Pin(PINS["pixel"], machine.Pin.OUT, value=0)))


def build(trace=None):
    """The whole board. A part that does not answer is silent, and named in `faults`."""
    # here, so that safe mode needs none of them
    from drivers.battery_adc import BatteryAdc
    from drivers.drv2605l import Drv2605l, HapticError

    board = essentials()
    board.fit(PINS, trace)
    bus = esp32s3.i2c(PINS)
    board.haptic = board.part(lambda: board.calibrated(Drv2605l(bus)), HapticError, esp32s3.on_bus(PINS))

    def load_ma():
        return _IDLE_MA + _LRA_MA * board.haptic.strength // 255

    adc = machine.ADC(machine.Pin(PINS["battery"]), atten=machine.ADC.ATTN_11DB)
    board.battery = BatteryAdc(adc, _DIVIDER, load_ma=load_ma)
    return board
