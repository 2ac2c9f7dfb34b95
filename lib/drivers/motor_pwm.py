"""A coin motor (ERM) behind an N-MOSFET at its low side, by PWM. A diode across the motor is a must.

Such a motor starts late and only near its rated voltage, and turns on far below it (starting voltage in its
data sheet). So each pulse begins with a kick at full voltage: one of 30 ms is all kick, and felt.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import PWM, Timer

_FULL = 65535


class MotorPwm:
    """`pwm` as machine.PWM (duty_u16), at 20 kHz or more: below, the microphone hears it.

    `timer`, as machine.Timer (init(mode, period, callback), deinit(), ONE_SHOT), ends the kick after `kick_ms`.
    `least` is the share of the voltage at which it still turns, `starts` the one at which it starts, in per cent:
    strength 1 is the least; without a timer there is no kick, and strength 1 is what starts it.
    Full voltage is the supply's: above the motor's rated voltage set `full` (per cent) to their ratio.
    """

    def __init__(
        self, pwm: "PWM", timer: "Timer" = None, kick_ms: int = 60, least: int = 35, starts: int = 80, full: int = 100
    ) -> None:
        self._pwm = pwm
        self._timer = timer
        self._kick_ms = kick_ms
        self._full = _FULL * full // 100
        self._least = self._full * (starts if timer is None else least) // 100
        # 0 to 255 as last told.
        self.strength = 0
        self._duty = 0
        self._ended = self._kick_ended
        pwm.duty_u16(0)

    def drive(self, strength: int) -> None:
        """0 (off, at once) to 255, until it is told otherwise."""
        before, self.strength = self.strength, strength
        if not strength:
            self._duty = 0
            self._pwm.duty_u16(0)
            if before and self._timer is not None:
                self._timer.deinit()
            return
        self._duty = self._least + (self._full - self._least) * strength // 255
        if before or self._timer is None:
            # While the kick lasts its end takes the new strength.
            self._pwm.duty_u16(self._duty)
            return
        self._pwm.duty_u16(self._full)
        if self._duty < self._full:
            self._timer.init(mode=self._timer.ONE_SHOT, period=self._kick_ms, callback=self._ended)

    def close(self) -> None:
        """Off."""
        self.drive(0)

    def _kick_ended(self, _timer) -> None:
        self._pwm.duty_u16(self._duty)
