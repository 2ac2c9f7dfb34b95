"""Texas Instruments DRV2605L, with an LRA or ERM on its output (SLOS854D; register map: section 8.6).

Checked against TI's pages: the DRV2605's register map (its fields are the same), device ids, modes and reset,
the initialisation order, flags that clear on reading, DRIVE_TIME, LRA_PERIOD, input formats.
From memory, as the document could not be had: reset values that differ from the DRV2605's, factors of the
voltages, what EN low does to the bus, GO in standby, what 0x21 and 0x22 read while nothing is driven.
Waveforms of the library are Immersion's and not in the data sheet: here each is 100 ms at full strength.
"""

from chips import Misuse

_RESET = (
    b"\xe0\x40\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x19\xff\x19\xff"
    b"\x3e\x8c\x0c\x6c\x36\x93\xf5\xa0\x20\x80\x33\x00\x00"
)
_STATUS = 0x00
_MODE = 0x01
_RTP = 0x02
_LIBRARY = 0x03
_SEQUENCE = 0x04
_GO = 0x0C
_RATED = 0x16
_CLAMP = 0x17
_COMP = 0x18
_BEMF = 0x19
_FEEDBACK = 0x1A
_CONTROL1 = 0x1B
_CONTROL2 = 0x1C
_CONTROL3 = 0x1D
_CONTROL4 = 0x1E
_VBAT = 0x21
_PERIOD = 0x22
_READ_ONLY = (_STATUS, _VBAT, _PERIOD)

_STANDBY = 0x40
_TRIGGER = 0
_REAL_TIME = 5
_DIAGNOSE = 6
_CALIBRATE = 7
_DIAG_BAD = 8
# Longest time of a calibration by AUTO_CAL_TIME (table of register 0x1E).
_CALIBRATION_MS = (350, 450, 700, 1200)
_DIAGNOSIS_MS = 100
_EFFECT_MS = 100
_EFFECTS = 123
_SAMPLE_US = (150, 200, 250, 300)
# Steps of VBAT (5.6 V / 255) and LRA_PERIOD.
_VBAT_UV = 21961
_PERIOD_NS = 98460


class Drv2605l:
    """`told(strength)`, 0 to 255 of the rated voltage, hears each change of the motor; `now_ms()` is the time.

    What is soldered to it: `motor` ("lra", "erm" or None for an open output) of `rated_mv` (LRA: RMS),
    `overdrive_mv` (peak) and `resonance_hz`. Attributes `over_current` and `over_temperature` make it fail.
    """

    address = 0x5A

    def __init__(self, told, now_ms, motor="lra", rated_mv=1800, overdrive_mv=2600, resonance_hz=235, vdd_mv=3700):
        self._told = told
        self._now_ms = now_ms
        self.motor = motor
        self.rated_mv = rated_mv
        self.overdrive_mv = overdrive_mv
        self.resonance_hz = resonance_hz
        self.vdd_mv = vdd_mv
        self.over_current = False
        self.over_temperature = False
        self.registers = bytearray(_RESET)
        self._pointer = 0
        self._enabled = True
        self._strength = 0
        # Since when GO is set, None while it is not.
        self._went_ms = None
        self._lasts_ms = 0

    def enable(self, level):
        """The EN pin ("device enable"): low is shut down. Registers stay; the bus is acknowledged and does nothing."""
        self.tick()
        self._enabled = bool(level)
        if not level:
            self._stop()
        self._follow()

    def write(self, data):
        """One write transaction: register address, then values for it and the ones after it (8.5.3)."""
        self.tick()
        if not self._enabled:
            return
        self._pointer = data[0]
        for value in data[1:]:
            self._set(self._pointer, value)
            self._pointer = (self._pointer + 1) & 0xFF
        self._follow()

    def read(self, n):
        """`n` bytes from the register that was last written to or its followers."""
        self.tick()
        if not self._enabled:
            return b"\xff" * n
        found = bytearray(n)
        for i in range(n):
            found[i] = self._get(self._pointer)
            self._pointer = (self._pointer + 1) & 0xFF
        return bytes(found)

    def tick(self):
        """What time alone does: a sequence, diagnosis or calibration ends."""
        if self._went_ms is None or self._now_ms() - self._went_ms < self._lasts_ms:
            return
        mode = self.registers[_MODE] & 7
        if mode == _CALIBRATE:
            self._calibrated()
        elif mode == _DIAGNOSE:
            self._diagnosed(self.motor is None or not self._fits())
        self._stop()
        self._follow()

    def _get(self, register):
        if register >= len(self.registers):
            return 0
        if register == _STATUS:
            value = self.registers[_STATUS] | self.over_temperature << 1 | self.over_current
            # Flags clear once they are read; one whose cause lasts comes again.
            self.registers[_STATUS] = _RESET[_STATUS]
            return value
        if register in (_VBAT, _PERIOD) and not self._strength:
            # Both are measured while a waveform is sent, and only then (8.6, 0x21 and 0x22).
            return 0
        if register == _VBAT:
            return min(255, self.vdd_mv * 1000 // _VBAT_UV)
        if register == _PERIOD:
            return min(255, round(1e9 / self.resonance_hz / _PERIOD_NS)) if self.motor == "lra" else 0
        return self.registers[register]

    def _set(self, register, value):
        if register >= len(self.registers) or register in _READ_ONLY:
            return
        if register == _MODE and value & 0x80:
            self._stop()
            self.registers[:] = _RESET
            return
        if register == _CONTROL4 and value & 1:
            raise Misuse("OTP_PROGRAM burns the calibration once and for ever, at 4.0 V to 4.4 V only (8.5.7)")
        if register == _GO:
            self._go(value & 1)
            return
        if register == _MODE:
            if value != self.registers[_MODE]:
                self._stop()
            value &= 0x47
        self.registers[register] = value

    def _go(self, go):
        if not go:
            self._stop()
            return
        mode = self.registers[_MODE]
        # In standby nothing is played ("standby mode").
        if mode & _STANDBY or self._went_ms is not None:
            return
        mode &= 7
        if mode == _TRIGGER:
            self._lasts_ms = self._sequence_ms()
        elif mode == _DIAGNOSE:
            self._lasts_ms = _DIAGNOSIS_MS
        elif mode == _CALIBRATE:
            self._lasts_ms = _CALIBRATION_MS[self.registers[_CONTROL4] >> 4 & 3]
        else:
            return
        self.registers[_GO] = 1
        self._went_ms = self._now_ms()

    def _stop(self):
        self.registers[_GO] = 0
        self._went_ms = None

    def _sequence_ms(self):
        """How long slots 1 to 8 take up to the first that is 0; a wait is 10 ms a step (8.3.5.2.1)."""
        library = self.registers[_LIBRARY] & 7
        is_lra = bool(self.registers[_FEEDBACK] & 0x80)
        total_ms = 0
        for slot in self.registers[_SEQUENCE : _SEQUENCE + 8]:
            if not slot:
                break
            if slot & 0x80:
                total_ms += (slot & 0x7F) * 10
                continue
            if slot > _EFFECTS:
                raise Misuse("effect %d: the library has 1 to %d (waveform library effects list)" % (slot, _EFFECTS))
            if library and is_lra != (library == 6):
                raise Misuse("library %d is not for %s (8.3.5.2)" % (library, "LRA" if is_lra else "ERM"))
            if library == 1 and not self._is_open_loop():
                raise Misuse("library 1 has its own overdrive: open loop only (closed-loop mode, bidirectional)")
            total_ms += _EFFECT_MS if library else 0
        return total_ms

    def _is_open_loop(self):
        is_lra = self.registers[_FEEDBACK] & 0x80
        return bool(self.registers[_CONTROL3] & (0x01 if is_lra else 0x20))

    def _fits(self):
        """Whether N_ERM_LRA names the motor that is there."""
        return self.motor == ("lra" if self.registers[_FEEDBACK] & 0x80 else "erm")

    def _diagnosed(self, bad):
        self.registers[_STATUS] = _RESET[_STATUS] | (_DIAG_BAD if bad else 0)

    def _calibrated(self):
        """The end of 8.5.6: results, or DIAG_RESULT when the inputs do not fit the motor."""
        registers = self.registers
        rated_mv, clamp_mv, drive_us = self._inputs()
        half_period_us = 500_000 // self.resonance_hz
        bad = not self._fits() or self._is_open_loop()
        # How far off it may be is not in the data sheet: taken as a tenth, and a quarter for the time.
        bad = bad or abs(rated_mv - self.rated_mv) * 10 > self.rated_mv
        bad = bad or clamp_mv > self.overdrive_mv * 11 // 10 or clamp_mv < rated_mv
        bad = bad or (self.motor == "lra" and abs(drive_us - half_period_us) * 4 > half_period_us)
        # Brake factor and loop gain as 8.5.6 advises; 7 switches braking off.
        bad = bad or registers[_FEEDBACK] >> 4 & 7 == 7
        self._diagnosed(bad)
        if not bad:
            registers[_COMP] = 0x0E
            registers[_BEMF] = 0x73
            registers[_FEEDBACK] = registers[_FEEDBACK] & 0xFC | 2

    def _inputs(self):
        """(rated mV, clamp mV, drive time us) as the registers say (8.5.2.1, 8.5.2.2, 0x1B)."""
        registers = self.registers
        drive = registers[_CONTROL1] & 0x1F
        if registers[_FEEDBACK] & 0x80:
            sample_us = _SAMPLE_US[registers[_CONTROL2] >> 4 & 3]
            rest = 1 - (4 * sample_us + 300) * 1e-6 * self.resonance_hz
            return 20.58 * registers[_RATED] / rest**0.5, 21.22 * registers[_CLAMP], drive * 100 + 500
        return 21.18 * registers[_RATED], 21.64 * registers[_CLAMP], drive * 200 + 1000

    def _follow(self):
        """Tells when the motor's strength has changed."""
        strength = self._drives()
        if strength != self._strength:
            self._strength = strength
            self._told(strength)

    def _drives(self):
        mode = self.registers[_MODE]
        if not self._enabled or mode & _STANDBY or not self._fits() or self.over_temperature or self.over_current:
            return 0
        if mode & 7 == _REAL_TIME:
            return self._real_time()
        return 255 if self._went_ms is not None and self._lasts_ms else 0

    def _real_time(self):
        """Strength by RTP_INPUT: signed or not (DATA_FORMAT_RTP), one-way or not (BIDIR_INPUT): data formats."""
        value = self.registers[_RTP]
        if not self.registers[_CONTROL3] & 0x08:
            # Two's complement, made to count from the lowest.
            value ^= 0x80
        if self._is_open_loop() or self.registers[_CONTROL2] & 0x80:
            # The middle is no drive; below it is braking, or the other way round in open loop.
            level = value - 0x80
            if level < 0:
                level = -level if self._is_open_loop() else 0
            return min(255, level * 255 // 127)
        return value
