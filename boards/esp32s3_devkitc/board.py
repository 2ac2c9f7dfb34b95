"""Espressif ESP32-S3-DevKitC-1 on the bench: a motor and a plain LED, no cell. Wiring: README.md beside this file."""

import machine

from drivers import esp32s3
from drivers.led_plain import PlainLed

# Signal -> GPIO. The only pin table: wiring table, picture and simulator are made from it.
PINS = {
    "led": 1,
    "motor": 2,
    "mic_sck": 4,
    "mic_ws": 5,
    "mic_sd": 6,
    "button": 7,
}
_LED_HZ = 1000
# Above what the microphone hears.
_MOTOR_HZ = 20_000
# A 3.0 V motor on 3.3 V, in per cent.
_MOTOR_FULL = 90
# Timer 0 is the ticker's.
_MOTOR_TIMER = 1


class Board(esp32s3.Esp32S3):
    name = "esp32s3_devkitc"
    # 8 MB of PSRAM hold the heap; the rest is internal RAM.
    memory = {"heap_bytes": 8_000_000, "executable_bytes": 44_900, "dma_bytes": 38_912, "nimble_bytes": 45_000}


def essentials():
    """What safe mode needs; no part that could be missing."""
    return Board(PlainLed(machine.PWM(machine.Pin(PINS["led"]), freq=_LED_HZ, duty_u16=0)))


def build(trace=None):
    """The whole board. `battery` measures nothing: the bench has USB."""
    # here, so that safe mode needs none of them
    from drivers.motor_pwm import MotorPwm

    board = essentials()
    board.fit(PINS, trace)
    pwm = machine.PWM(machine.Pin(PINS["motor"]), freq=_MOTOR_HZ, duty_u16=0)
    board.haptic = MotorPwm(pwm, machine.Timer(_MOTOR_TIMER), full=_MOTOR_FULL)
    board.battery = esp32s3.Silent()
    return board
