"""What every ESP32-S3 board has, whatever hangs on its pins (ESP32 port of MicroPython, 1.25 and newer).

A board is a subclass with a name and a memory table. As it is made it is what safe mode needs: nothing in that can
fail for a part that is missing, nor for a module. `fit` adds what all boards have; the board adds its own parts.
"""

import json
import os

import esp32
import machine
import vfs

from drivers import onchip
from lapel.compat import const

_I2C_HZ = const(400_000)
# The longest transfer of ours takes 0.3 ms: a bus that is stuck must not hold up the recording.
_I2C_TIMEOUT_US = const(5000)
# LittleFS takes caches of four times this: small files lie in the directory then and cost no erase.
_READ_BYTES = const(128)
# What the haptic driver has measured of its actuator.
_CALIBRATION = "/haptic.cal"


class Silent:
    """In the place of a part that does not answer: takes everything, measures nothing."""

    charging = None
    strength = 0

    def drive(self, strength):
        pass

    def show(self, r, g, b):
        pass

    def read_mv(self):
        return None

    def read_percent(self):
        return None


class Esp32S3:
    """`light` answers show(r, g, b). `faults` has a sentence for each part that does not answer."""

    name = "esp32s3"
    # A folder on the file system that holds the program as well: stock images have one partition for both.
    flash_dir = "/data"

    def __init__(self, light):
        self.light = light
        self.retained = onchip.Retained()
        self.watchdog = onchip.Watchdog()
        self.console = onchip.Console()
        self.unique_id = machine.unique_id()
        self.faults = []
        self.trace = print_event

    @property
    def beacon(self):
        """The class drivers.beacon.Beacon; safe mode alone spends memory on it."""
        from drivers.beacon import Beacon

        return Beacon

    def every(self, period_ms, callback):
        """Calls `callback()` each period until close() of what this returns."""
        from drivers.ticker import Ticker

        return Ticker(period_ms, callback)

    def reset_cause(self):
        """A word: power, reset, watchdog, deep sleep, soft reset or unknown."""
        return onchip.reset_cause()

    def reset(self):
        machine.reset()

    def fit(self, pins, trace=None):
        """Mounts the flash and adds button, microphone, LED and radio. `trace` takes the place of the board's own.

        Raises ImportError where aioble is missing.
        """
        # here, so that safe mode needs none of them
        from drivers.ble_gatt import BleGatt
        from drivers.button import Button

        if trace is not None:
            self.trace = trace
        self._mount()
        self.button = Button(machine.Pin(pins["button"], machine.Pin.IN, machine.Pin.PULL_UP))
        self.mic = onchip.microphone(pins)
        self.led = self.light
        self.gatt = BleGatt

    def part(self, make, trouble, place):
        """What `make()` gives. Where that raises `trouble`, its sentence and the place are noted as a fault, and a
        silent part stands in."""
        try:
            return make()
        except trouble as error:
            self.faults.append(f"{error} ({place})")
            return Silent()

    def calibrated(self, haptic):
        """The haptic driver, with what keep_calibration() once noted of its actuator."""
        try:
            with open(_CALIBRATION, "rb") as file:
                kept = file.read()
        except OSError:
            # never calibrated: the chip's own figures do
            return haptic
        haptic.apply(kept)
        return haptic

    def keep_calibration(self, haptic):
        """Notes what the haptic driver has measured of its actuator, for every later boot. Raises OSError."""
        with open(_CALIBRATION, "wb") as file:
            file.write(haptic.calibration())

    def _mount(self):
        """Gives the flash larger caches and makes `flash_dir`. What the boot has mounted stays where that fails."""
        self.flash = vfs_partition()
        if self.flash is not None:
            try:
                larger = vfs.VfsLfs2(self.flash, readsize=_READ_BYTES)
            except OSError:
                # FAT, or no file system: the boot has mounted what there is.
                larger = None
            if larger is not None:
                vfs.umount("/")
                vfs.mount(larger, "/")
        try:
            os.mkdir(self.flash_dir)
        except OSError:
            # It is there. Where it could not be made, the store says so.
            pass


def print_event(event, **fields):
    """One event for who is watching, as a line of JSON."""
    fields["event"] = event
    print(json.dumps(fields))


def vfs_partition():
    """The partition of the file system, as a block device; None where there is none."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="vfs")
    return found[0] if found else None


def i2c(pins):
    """The bus on the signals i2c_sda and i2c_scl."""
    sda, scl = machine.Pin(pins["i2c_sda"]), machine.Pin(pins["i2c_scl"])
    return machine.I2C(0, sda=sda, scl=scl, freq=_I2C_HZ, timeout=_I2C_TIMEOUT_US)


def on_bus(pins):
    """Where the chips of the bus are wired to, for a fault's sentence."""
    return f"SDA on GPIO {pins['i2c_sda']}, SCL on GPIO {pins['i2c_scl']}"
