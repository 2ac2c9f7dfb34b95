"""PWM and ADC (MicroPython's ESP32 port: machine_pwm.c, machine_adc.c; ESP32-S3 data sheet, section 4.2)."""

import world

from machine.pins import number

_FULL = world.FULL_U16
_CHANNELS = 8
# All channels share four timers: so many frequencies at once.
_TIMERS = 4
_MAX_HZ = 40_000_000
_DEFAULT_HZ = 5000
# ADC1; the second converter is not to be relied on (ESP32-S3 errata: ADC2), the port has it all the same.
_ADC1 = range(1, 11)
_BITS = 12


class PWM:
    """`dest` as Pin. The duty is half where none is given. ValueError past eight pins, or a fifth frequency."""

    def __init__(self, dest, *, freq=-1, duty=-1, duty_u16=-1, duty_ns=-1, invert=False):
        self._world = here = world.attached()
        self._number = number(dest)
        before = here.pwms.get(self._number)
        if before is None and len(here.pwms) == _CHANNELS:
            raise ValueError("out of PWM channels:{}".format(_CHANNELS))
        self._freq_hz = before._freq_hz if before else _DEFAULT_HZ
        self._u16 = before._u16 if before else _FULL // 2 + 1
        self._invert = invert
        self.init(freq=freq, duty=duty, duty_u16=duty_u16, duty_ns=duty_ns)

    def init(self, *, freq=-1, duty=-1, duty_u16=-1, duty_ns=-1, invert=None):
        if invert is not None:
            self._invert = invert
        here = self._world
        hz = freq if freq != -1 else self._freq_hz
        if not 0 < hz <= _MAX_HZ:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        others = {pwm._freq_hz for at, pwm in here.pwms.items() if at != self._number}
        if hz not in others and len(others) == _TIMERS:
            raise ValueError("out of PWM timers:{}".format(_TIMERS))
        self._freq_hz = hz
        here.pwms[self._number] = self
        if duty != -1:
            self._set(_scaled(duty, 1023, "duty"))
        elif duty_u16 != -1:
            self._set(_scaled(duty_u16, _FULL, "duty_u16"))
        elif duty_ns != -1:
            self._set(min(_FULL, duty_ns * hz * _FULL // 1_000_000_000))
        else:
            self._set(self._u16)

    def _set(self, u16):
        self._u16 = u16
        gpio = self._world.gpio(self._number)
        gpio.duty_u16 = _FULL - u16 if self._invert else u16
        self._world.follow(gpio)

    def _check(self):
        if self._world.pwms.get(self._number) is None:
            raise RuntimeError("PWM is inactive")

    def freq(self, value=None):
        self._check()
        if value is None:
            return self._freq_hz
        self.init(freq=value)
        return None

    def duty(self, value=None):
        self._check()
        if value is None:
            return self._u16 >> 6
        self.init(duty=value)
        return None

    def duty_u16(self, value=None):
        self._check()
        if value is None:
            return self._u16
        self.init(duty_u16=value)
        return None

    def duty_ns(self, value=None):
        self._check()
        if value is None:
            return self._u16 * 1_000_000_000 // (self._freq_hz * _FULL)
        self.init(duty_ns=value)
        return None

    def deinit(self):
        """The pin is low from then on."""
        if self._world.pwms.pop(self._number, None):
            gpio = self._world.gpio(self._number)
            gpio.duty_u16 = 0
            self._world.follow(gpio)
            gpio.duty_u16 = None


def _scaled(value, full, name):
    if not 0 <= value <= full:
        raise ValueError("{} must be from 0 to {}".format(name, full))
    return value * _FULL // full


class ADC:
    """`id` as Pin, GPIO 1 to 10. Nothing wired to it reads 0."""

    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_12BIT = _BITS

    # the most that each attenuation measures, in mV
    _FULL_MV = (950, 1250, 1750, 3100)

    def __init__(self, id, *, atten=ATTN_0DB):
        at = number(id)
        if at not in _ADC1:
            raise ValueError("GPIO {} is on no converter to be relied on: take 1 to 10".format(at))
        self._world = world.attached()
        self._gpio = self._world.gpio(at)
        self.init(atten=atten)

    def init(self, *, atten=ATTN_0DB):
        if not 0 <= atten < len(self._FULL_MV):
            raise ValueError("invalid atten")
        self._full_uv = 1000 * self._FULL_MV[atten]

    def atten(self, atten):
        self.init(atten=atten)

    def width(self, bits):
        if bits != _BITS:
            raise ValueError("invalid bits")

    def read_uv(self):
        """Calibrated; what is past the attenuation's end reads as its end."""
        self._world.poll()
        uv = self._world.touch(self._gpio.uv) if self._gpio.uv else 0
        return min(self._full_uv, uv or 0)

    def read(self):
        """0 to 4095."""
        return self.read_uv() * ((1 << _BITS) - 1) // self._full_uv

    def read_u16(self):
        raw = self.read()
        return raw << 4 | raw >> 8
