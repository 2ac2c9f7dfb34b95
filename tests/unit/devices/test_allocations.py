"""What is driven while audio is recorded takes nothing from the heap."""

import micropython

from drivers.drv2605l import Drv2605l
from drivers.led_plain import PlainLed
from drivers.max17048 import Max17048
from drivers.motor_pwm import MotorPwm
from drivers.pixel import Pixel

ONLY_MICROPYTHON = ("test_nothing_is_allocated", "test_the_lock_bites")


class I2C:
    """Answers as both chips do, without an allocation."""

    def __init__(self):
        self.answers = {0x00: 0xE0, 0x01: 0, 0x08: 0}

    def writeto(self, address, data):
        return len(data)

    def readfrom_mem_into(self, address, register, buffer):
        buffer[0] = self.answers.get(register, 0)
        if len(buffer) > 1:
            buffer[1] = 0x12


class Out:
    ONE_SHOT = 0

    def value(self, level=None):
        return level

    def duty_u16(self, duty):
        pass

    def init(self, mode, period, callback):
        pass

    def deinit(self):
        pass


def nothing(a=None, b=None, c=None, d=None):
    pass


def locked(call):
    """Calls with the heap locked: an allocation raises MemoryError."""
    micropython.heap_lock()
    try:
        call()
    finally:
        micropython.heap_unlock()


def test_nothing_is_allocated():
    haptic = Drv2605l(I2C(), enable=Out(), sleep_ms=nothing)
    motor = MotorPwm(Out(), Out())
    pixel = Pixel(nothing, None, Out(), nothing)
    led = PlainLed(Out())
    gauge = Max17048(I2C())
    for strength in (1, 255, 0, 77, 0):
        locked(lambda: haptic.drive(strength))
        locked(lambda: motor.drive(strength))
    for level in (0, 3, 255, 0):
        locked(lambda: pixel.show(level, 0, level))
        locked(lambda: led.show(level, 0, level))
    locked(gauge.read_mv)
    locked(gauge.read_percent)
    steps = (1, -300, 47)
    locked(lambda: haptic.play(steps))
    locked(lambda: haptic.drive(0))


def test_the_lock_bites():
    try:
        locked(lambda: [0] * 9)
    except MemoryError:
        return
    raise AssertionError("the heap is not locked")
