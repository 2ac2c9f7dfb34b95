"""A driver with one thing wrong fails at the model of its chip: each refusal bites."""

from chip_bus import Bus, Clock

import drivers.drv2605l as haptic
import drivers.max17048 as gauge
import drivers.pixel as pixel
from chips import Misuse
from chips.drv2605l import Drv2605l as HapticChip
from chips.max17048 import Max17048 as GaugeChip
from chips.ws2812 import Ws2812


class Wrong(Exception):
    """The check has found that the driver does not do its work."""


def buzz():
    """A driver that works: it calibrates, is felt in real time and by the library, and ends."""
    clock = Clock()
    felt = []
    chip = HapticChip(felt.append, clock.now_ms)
    driver = haptic.Drv2605l(Bus(chip), sleep_ms=clock.sleep_ms)
    driver.calibrate()
    if driver.calibration()[3:] != b"\x0e\x73\x02":
        raise Wrong("not calibrated")
    felt.clear()
    driver.drive(255)
    driver.drive(0)
    driver.play((1, -100, 2))
    clock.now += 299
    if not driver.is_playing:
        raise Wrong("ended too early")
    clock.now += 1
    if driver.is_playing or felt != [255, 0, 255, 0]:
        raise Wrong(felt)
    driver.standby()
    if chip.registers[1] & 0x40 == 0:
        raise Wrong("awake")


def look():
    """A pixel that shows one colour after the other."""
    seen = []
    now_us = [0]
    chip = Ws2812(lambda *rgb: seen.append(rgb), lambda: now_us[0])

    def rest():
        now_us[0] += 1000

    driver = pixel.Pixel(lambda pin, kind, timing, data: chip.bits(timing, data), None, None, rest)
    driver.show(1, 2, 3)
    driver.show(4, 5, 6)
    if seen != [(1, 2, 3), (4, 5, 6)]:
        raise Wrong(seen)


def measure():
    """A gauge that is read, alerts, and sleeps."""
    chip = GaugeChip(mv=3700)
    driver = gauge.Max17048(Bus(chip))
    if not driver.was_reset:
        raise Wrong("reset")
    chip.percent, chip.rate = 42, -5
    if (driver.read_mv(), driver.read_percent(), driver.charging) != (3700, 42, False):
        raise Wrong("reading")
    driver.alert_below(20)
    chip.percent = 19
    if not driver.alerted() or gauge.Max17048(Bus(chip)).was_reset:
        raise Wrong("status")
    driver.quick_start()
    driver.sleep(True)
    if not chip.is_asleep or chip.quick_starts != 1:
        raise Wrong("awake")


# Which driver, what of it is wrong, and which value it has then.
WRONG = (
    # It forgets that an LRA is there, runs it open loop, brakes it not at all.
    (buzz, haptic, "_FEEDBACK", 0x28),
    (buzz, haptic, "_CONTROL3", 0x81),
    (buzz, haptic, "_FEEDBACK", 0xF8),
    # One way only: the middle of the input would be half strength, and 127 not all.
    (buzz, haptic, "_CONTROL2", 0x75),
    # Another mode, library, or register.
    (buzz, haptic, "_REAL_TIME", 0x03),
    (buzz, haptic, "_TRIGGER", 0x01),
    (buzz, haptic, "_STANDBY", 0x20),
    (buzz, haptic, "_LRA_LIBRARY", 2),
    (buzz, haptic, "_LRA_LIBRARY", 0),
    (buzz, haptic, "_CALIBRATE", 0x06),
    (buzz, haptic, "_GO", 0x0B),
    (buzz, haptic, "_RATED", 0x15),
    (buzz, haptic, "_COMP", 0x17),
    # It does not wait for the calibration's end, or burns it for ever.
    (buzz, haptic, "_CALIBRATION_MS", 1100),
    (buzz, haptic, "_CONTROL4", 0x31),
    # Wrong voltages and times.
    (buzz, haptic, "rated_register", lambda mv, hz: 0xFF),
    (buzz, haptic, "clamp_register", lambda mv: 0xFF),
    (buzz, haptic, "drive_time", lambda hz: 31),
    (look, pixel, "_TIMING_NS", (850, 400, 450, 800)),
    (look, pixel, "_TIMING_NS", (500, 2000, 1200, 1300)),
    (measure, gauge, "_VCELL", 0x03),
    (measure, gauge, "_SOC", 0x06),
    (measure, gauge, "_CRATE", 0x14),
    (measure, gauge, "_VERSION", 0x0A),
    (measure, gauge, "_QUICK_START", 0x0040),
    (measure, gauge, "_ENABLE_SLEEP", 0x0020),
    (measure, gauge, "_SLEEP", 0x8000),
    (measure, gauge, "_RESET_INDICATOR", 0x0001),
    (measure, gauge, "_ALERTED", 0x2000),
)


def test_the_right_ones_pass():
    buzz()
    look()
    measure()


def test_each_wrong_one_fails():
    for check, module, name, value in WRONG:
        right = getattr(module, name)
        setattr(module, name, value)
        try:
            check()
        except (Wrong, Misuse, haptic.HapticError, gauge.GaugeError, OSError):
            continue
        finally:
            setattr(module, name, right)
        raise AssertionError("%s = %s passes" % (name, value))


def test_words_byte_by_byte_have_no_effect():
    class Bytewise(gauge.Max17048):
        def _put(self, register, word):
            self._i2c.writeto(self._address, bytes((register, word >> 8)))
            self._i2c.writeto(self._address, bytes((register + 1, word & 0xFF)))

    right = gauge.Max17048
    gauge.Max17048 = Bytewise
    try:
        measure()
    except (Wrong, gauge.GaugeError):
        return
    finally:
        gauge.Max17048 = right
    raise AssertionError("single bytes pass")
