"""DRV2605L: haptic driver for a linear resonant actuator (LRA), on I2C.

Source: Texas Instruments SLOS854D: sections, registers. It runs closed loop, bidirectional: the
chip tracks the resonance, overdrives at the start of a pulse and brakes at its end by itself. Not for ERM motors.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C, Pin

_STATUS = 0x00
_MODE = 0x01
_LIBRARY = 0x03
_SEQUENCE = 0x04
_GO = 0x0C
_RATED = 0x16
_COMP = 0x18
_VBAT = 0x21
_PERIOD = 0x22

_RESET = 0x80
_STANDBY = 0x40
_TRIGGER = 0x00
_REAL_TIME = 0x05
_DIAGNOSE = 0x06
_CALIBRATE = 0x07
_LRA_LIBRARY = 6
_SLOTS = 8
# Feedback control without its two bits of gain: LRA, brake factor 3x, loop gain high (8.5.6).
_FEEDBACK = 0xA8
# Startup boost; the rest is the drive time.
_CONTROL1 = 0x80
# Bidirectional, brake stabiliser, 300 us sampling, blanking and dissipation 25 us.
_CONTROL2 = 0xF5
# Noise gate 4 %, closed loop, real-time input signed.
_CONTROL3 = 0x80
# Calibration of 1.0 s to 1.2 s.
_CONTROL4 = 0x30
_CALIBRATION_MS = 1300
_DIAGNOSIS_MS = 500
_POLL_MS = 20
# One more try costs 0.1 ms; a motor that was not told to stop goes on for ever.
_TRIES = 3
_GONE = "the DRV2605L no longer answers: check its wires and power"


class HapticError(Exception):
    """What is wrong with the chip, its motor or their wiring, as a sentence."""


def _sleep_ms(ms: int) -> None:
    time.sleep(ms / 1000)


class Drv2605l:
    """`i2c` as machine.I2C (400 kHz at most) with the chip at `address`; `enable` the Pin of EN, if it is wired.

    Of the actuator's data sheet: `rated_mv` (RMS), `overdrive_mv` (the peak it bears), `resonance_hz` (125 to
    300); too high a voltage can make the chip shut down until it loses its power. Raises HapticError.
    No call but calibrate() and diagnose() takes longer than a few I2C transfers or raises for a bus error: those
    are counted in `errors`, and the chip is set up anew at the next start.
    """

    def __init__(
        self, i2c: "I2C", address: int = 0x5A, enable: "Pin" = None,
        rated_mv: int = 1800, overdrive_mv: int = 2600, resonance_hz: int = 235, sleep_ms=_sleep_ms,
    ) -> None:  # fmt: skip
        self._i2c, self._address = i2c, address
        self._enable = enable
        self._sleep_ms = sleep_ms
        # Transfers that failed while playing, and 0 to 255 as last told to drive().
        self.errors = 0
        self.strength = 0
        self._is_lost = self._sequencing = False
        # Transfers: first the register, then what goes into it and its followers.
        self._one, self._pair = bytearray(1), bytearray(2)
        self._drive = bytearray((_MODE, _REAL_TIME, 0))
        self._slots = bytearray(2 + _SLOTS)
        self._setup = bytearray(
            (_RATED, rated_register(rated_mv, resonance_hz), clamp_register(overdrive_mv), 0x0C, 0x6C,
             _FEEDBACK | 2, _CONTROL1 | drive_time(resonance_hz), _CONTROL2, _CONTROL3, _CONTROL4)
        )  # fmt: skip
        # Its supply may have come on just now.
        for _ in range(_TRIES):
            try:
                self._begin()
                return
            except OSError:
                sleep_ms(1)
        raise HapticError("no DRV2605L answers at 0x%02X: check its wires and power" % address)

    def drive(self, strength: int) -> None:
        """0 (off, with braking) to 255 (the rated voltage), until it is told otherwise (real-time, 8.3.5.3)."""
        if strength == self.strength and not self._sequencing and not self._is_lost:
            return
        self.strength = strength
        # Signed input: 127 is the rated voltage (closed-loop mode, bidirectional).
        self._drive[2] = (strength * 127 + 254) // 255
        for _ in range(1 if strength else _TRIES):
            try:
                if self._is_lost:
                    self._begin()
                if self._sequencing:
                    self._put(_GO, 0)
                self._i2c.writeto(self._address, self._drive)
                self._sequencing = False
                return
            except (OSError, HapticError):
                self._fail()
        if self._enable is not None and not strength:
            # The last means against a motor that runs on.
            self._enable.value(0)

    def play(self, effects) -> bool:
        """Plays up to 8 steps of the LRA library: 1 to 123 an effect, a negative number a pause of that many ms.

        Pauses have steps of 10 ms, 1270 at most (8.3.5.2.1). False: the chip could not be reached.
        Raises ValueError for steps that it does not have.
        """
        if not 0 < len(effects) <= _SLOTS:
            raise ValueError("1 to 8 steps, not %d" % len(effects))
        self._slots[0] = _SEQUENCE
        for i in range(_SLOTS):
            self._slots[1 + i] = _slot(effects[i]) if i < len(effects) else 0
        # GO lies behind the last slot.
        self._slots[1 + _SLOTS] = 1
        try:
            if self._is_lost:
                self._begin()
            self._put(_MODE, _TRIGGER)
            self._i2c.writeto(self._address, self._slots)
        except (OSError, HapticError):
            self._fail()
            return False
        self.strength = 0
        self._sequencing = True
        return True

    @property
    def is_playing(self) -> bool:
        """Whether what play() began goes on."""
        return self._sequencing and bool(self._look(_GO))

    def resonance_hz(self):
        """The actuator's resonance as measured while it is driven (0x22); None when nothing was measured."""
        period = self._look(_PERIOD)
        return 1_000_000_000 // (98_460 * period) if period else None

    def supply_mv(self):
        """The chip's supply, measured while it drives (0x21, steps of 22 mV); None when nothing was measured."""
        level = self._look(_VBAT)
        return level * 5600 // 255 if level else None

    def standby(self) -> None:
        """Lowest power with the bus alive; the next drive() or play() wakes it."""
        self.strength = 0
        self._sequencing = False
        try:
            self._put(_MODE, _STANDBY)
        except OSError:
            self._fail()

    def diagnose(self):
        """What is wrong, as a sentence, or None. The actuator moves for a moment. Raises HapticError."""
        status = self._run(_DIAGNOSE, _DIAGNOSIS_MS)
        if status & 1:
            return "the DRV2605L saw too much current: look for a short between OUT+ and OUT-"
        if status & 2:
            return "the DRV2605L is too hot"
        if status & 8:
            return "no actuator found at OUT+ and OUT-, or it is shorted, or no LRA"
        return None

    def calibrate(self) -> None:
        """Lets the chip measure its actuator (8.5.6): 1.2 s, which is felt. Keep calibration() and apply() it at
        the next boot. The actuator must be mounted as it will be used. Raises HapticError."""
        if self._run(_CALIBRATE, _CALIBRATION_MS) & 8:
            raise HapticError(
                "calibration failed: check the actuator's wires, its rated and overdrive voltage and resonance"
            )
        try:
            results = self._i2c.readfrom_mem(self._address, _COMP, 3)
        except OSError:
            raise HapticError(_GONE)
        self._setup[3], self._setup[4] = results[0], results[1]
        self._setup[5] = _FEEDBACK | results[2] & 3

    def calibration(self) -> bytes:
        """6 bytes: rated voltage, clamp and drive time it holds for; compensation, back EMF and gain (0x18-0x1A)."""
        return bytes([self._setup[i] for i in (1, 2, 6, 3, 4)]) + bytes((self._setup[5] & 3,))

    def apply(self, calibration: bytes) -> bool:
        """Restores what calibration() gave. False: it is of another actuator or not of ours. Raises HapticError."""
        setup = self._setup
        if len(calibration) != 6 or calibration[:3] != self.calibration()[:3]:
            return False
        setup[3], setup[4] = calibration[3], calibration[4]
        setup[5] = _FEEDBACK | calibration[5] & 3
        try:
            self._i2c.writeto(self._address, self._setup)
        except OSError:
            raise HapticError(_GONE)
        return True

    def close(self) -> None:
        """Off."""
        self.standby()
        if self._enable is not None:
            self._enable.value(0)

    def _begin(self) -> None:
        """EN, a reset (what ran before would go on), who it is, out of standby, the set-up."""
        if self._enable is not None:
            self._enable.value(1)
        self._sleep_ms(1)
        self._put(_MODE, _RESET)
        self._sleep_ms(1)
        identity = self._get(_STATUS) >> 5
        if identity != 7:
            raise HapticError("the chip at 0x%02X is no DRV2605L (its id is %d, not 7)" % (self._address, identity))
        self._put(_MODE, _TRIGGER)
        if self._get(_MODE) != _TRIGGER:
            raise HapticError("the DRV2605L takes no commands: is its EN pin high?")
        self._put(_LIBRARY, _LRA_LIBRARY)
        self._i2c.writeto(self._address, self._setup)
        self._sequencing = False
        self._is_lost = False

    def _run(self, mode: int, timeout_ms: int) -> int:
        """Sets GO in a mode that ends by itself; the status register then. Raises HapticError."""
        self.strength = 0
        self._sequencing = False
        try:
            self._i2c.writeto(self._address, self._setup)
            self._put(_MODE, mode)
            self._put(_GO, 1)
            for _ in range(timeout_ms // _POLL_MS):
                self._sleep_ms(_POLL_MS)
                if not self._get(_GO):
                    # Read once: reading clears its flags.
                    status = self._get(_STATUS)
                    self._put(_MODE, _TRIGGER)
                    return status
            self._put(_MODE, _STANDBY)
        except OSError:
            raise HapticError(_GONE)
        raise HapticError("the DRV2605L does not come to an end: is its actuator wired?")

    def _look(self, register: int) -> int:
        """A register, 0 when the bus fails."""
        try:
            return self._get(register)
        except OSError:
            self._fail()
            return 0

    def _get(self, register: int) -> int:
        self._i2c.readfrom_mem_into(self._address, register, self._one)
        return self._one[0]

    def _put(self, register: int, value: int) -> None:
        self._pair[0], self._pair[1] = register, value
        self._i2c.writeto(self._address, self._pair)

    def _fail(self) -> None:
        self.errors += 1
        self._is_lost = True


def rated_register(rated_mv: int, resonance_hz: int) -> int:
    """0x16 for a rated RMS voltage, closed loop, 300 us sampling (8.5.2.1, equation for the LRA)."""
    if not 125 <= resonance_hz <= 300:
        raise HapticError("an LRA's resonance is 125 to 300 Hz, not %d" % resonance_hz)
    value = round(rated_mv * (1 - (4 * 300 + 300) * 1e-6 * resonance_hz) ** 0.5 / 20.58)
    if not 0 < value < 256:
        raise HapticError("a rated voltage of %d mV is out of the DRV2605L's reach" % rated_mv)
    return value


def clamp_register(overdrive_mv: int) -> int:
    """0x17 for the highest peak voltage (8.5.2.2, equation for the LRA: 21.22 mV a step)."""
    value = overdrive_mv * 100 // 2122
    if not 0 < value < 256:
        raise HapticError("an overdrive voltage of %d mV is out of the DRV2605L's reach" % overdrive_mv)
    return value


def drive_time(resonance_hz: int) -> int:
    """DRIVE_TIME of 0x1B: half a period in steps of 0.1 ms from 0.5 ms, 31 at most."""
    return max(0, min(31, (5000 + resonance_hz // 2) // resonance_hz - 5))


def _slot(step: int) -> int:
    if 0 < step <= 123:
        return step
    if -1270 <= step <= -10:
        return 0x80 | -step // 10
    raise ValueError("1 to 123 is an effect, -10 to -1270 a pause in ms; not %d" % step)
