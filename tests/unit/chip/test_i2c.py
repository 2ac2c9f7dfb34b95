"""machine's I2C over models of chips: who answers on which pins, and how fast."""

from machine import I2C, Pin, SoftI2C
from wires import Wires, refused

import chips

HAPTIC = {"chip": "drv2605l", "pins": {"SDA": 5, "SCL": 6, "EN": 10}}
GAUGE = {"chip": "max17048", "pins": {"SDA": 5, "SCL": 6, "POWER": 7}}
DRV, MAX = 0x5A, 0x36
ENODEV = 19


def bus(**named):
    return I2C(0, sda=Pin(5), scl=Pin(6), **named)


def test_scan_finds_who_has_power():
    with Wires(HAPTIC, GAUGE):
        i2c = bus()
        assert i2c.scan() == [DRV]
        Pin(7, Pin.OUT, value=1)
        assert i2c.scan() == [MAX, DRV]
        assert SoftI2C(Pin(6), Pin(5)).scan() == [MAX, DRV]


def test_nobody_is_enodev():
    with Wires(HAPTIC):
        for act in (lambda: bus().readfrom(MAX, 1), lambda: I2C(1, sda=Pin(6), scl=Pin(5)).writeto(DRV, b"\0")):
            try:
                act()
                raise AssertionError("somebody answered")
            except OSError as error:
                assert error.args[0] == ENODEV


def test_registers_in_every_way_that_there_is():
    with Wires(HAPTIC):
        i2c = bus()
        i2c.writeto_mem(DRV, 0x16, b"\x50\x60")
        assert i2c.readfrom_mem(DRV, 0x16, 2) == b"\x50\x60"
        assert i2c.writeto(DRV, b"\x16\x41") == 2
        assert i2c.writevto(DRV, (b"\x17", b"\x42")) == 2
        buf = bytearray(2)
        i2c.readfrom_mem_into(DRV, 0x16, buf)
        assert buf == b"\x41\x42"
        i2c.writeto(DRV, b"\x16", False)
        assert i2c.readfrom(DRV, 1) == b"\x41"
        i2c.readfrom_into(DRV, buf)
        assert buf[0] == 0x42


def test_a_motor_runs_by_register_and_stops_with_enable():
    with Wires(HAPTIC) as wires:
        i2c = bus()
        i2c.writeto_mem(DRV, 0x01, b"\x05")
        i2c.writeto_mem(DRV, 0x1A, b"\xb6")
        i2c.writeto_mem(DRV, 0x1D, b"\xa8")
        i2c.writeto_mem(DRV, 0x02, b"\xff")
        assert wires.heard("haptic")[-1] == 255
        Pin(10, Pin.OUT, value=1)
        Pin(10).off()
        assert wires.heard("haptic")[-1] == 0


def test_what_time_alone_does_is_heard():
    with Wires(HAPTIC) as wires:
        i2c = bus()
        for register, value in ((0x01, 0x00), (0x1A, 0xB6), (0x03, 6), (0x04, 1), (0x05, 0), (0x0C, 1)):
            i2c.writeto_mem(DRV, register, bytes((value,)))
        assert wires.heard("haptic")[-1] == 255
        wires.pass_ms(200)
        assert wires.heard("haptic")[-1] == 0


def test_too_fast_for_the_chip():
    with Wires(HAPTIC) as wires:
        assert "400 kHz" in refused(chips.Misuse, bus(freq=1_000_000).readfrom, DRV, 1)
        assert len(wires.heard("misuse")) == 1
        # a controller is not a chip
        assert refused(ValueError, bus, freq=2_000_000) == "invalid freq"
        assert "I2C(2)" in refused(ValueError, I2C, 2, sda=Pin(5), scl=Pin(6))
        assert "default pins" in refused(ValueError, I2C, 0)
