from chips.led import Led
from chips.motor import STALLS_U16, STARTS_U16, Motor
from drivers.led_plain import PlainLed
from drivers.motor_pwm import MotorPwm


class Pwm:
    """machine.PWM over a model; `duties` holds what was set."""

    def __init__(self, model):
        self._model = model
        self.duties = []

    def duty_u16(self, duty):
        self.duties.append(duty)
        self._model.duty(duty)


class PlainPin:
    def __init__(self, model):
        self._model = model

    def value(self, level):
        self._model.duty(65535 if level else 0)


class Timer:
    ONE_SHOT = 0

    def __init__(self):
        self.callback = None
        self.period_ms = None

    def init(self, mode, period, callback):
        assert mode == self.ONE_SHOT
        self.callback, self.period_ms = callback, period

    def deinit(self):
        self.callback = None

    def fire(self):
        callback, self.callback = self.callback, None
        callback(self)


class Desk:
    def __init__(self, timer=True, **settings):
        self.felt = []
        self.pwm = Pwm(Motor(self.felt.append))
        self.timer = Timer() if timer else None
        self.motor = MotorPwm(self.pwm, self.timer, **settings)


# --- LED ----------------------------------------------------------------------------------------------


def test_led_dims_by_the_strongest_colour():
    for active_low in (False, True):
        seen = []
        led = PlainLed(Pwm(Led(seen.append, active_low)), active_low)
        led.show(0, 0, 0)
        assert seen == [0]
        levels = []
        for level in (1, 16, 64, 128, 255):
            led.show(0, level // 2, level)
            levels.append(seen[-1])
        # Squared: half as bright for the eye is a quarter of the power.
        assert levels[-1] == 255 and levels[3] in (64, 63) and levels == sorted(levels)
        led.close()
        assert seen[-1] == 0


def test_led_on_a_plain_pin():
    for active_low in (False, True):
        seen = []
        led = PlainLed(PlainPin(Led(seen.append, active_low)), active_low)
        led.show(0, 0, 1)
        led.show(0, 0, 0)
        assert seen == [255, 0]


def test_the_wrong_polarity_is_seen():
    seen = []
    led = PlainLed(PlainPin(Led(seen.append, active_low=True)), active_low=False)
    led.show(0, 0, 0)
    assert seen == [255]


# --- motor --------------------------------------------------------------------------------------------


def test_every_strength_starts_by_its_kick_and_turns_on():
    last = 0
    for strength in range(1, 256):
        desk = Desk()
        desk.motor.drive(strength)
        # A pulse of 30 ms is all kick.
        assert desk.felt == [255] and desk.motor.strength == strength
        if desk.timer.callback:
            assert desk.timer.period_ms == 60
            desk.timer.fire()
        assert last <= desk.felt[-1] and desk.felt[-1] > 80
        last = desk.felt[-1]
        desk.motor.drive(0)
        assert desk.felt[-1] == 0
    assert last == 255


def test_off_ends_a_kick():
    desk = Desk()
    desk.motor.drive(10)
    desk.motor.drive(0)
    assert desk.felt == [255, 0] and desk.timer.callback is None and desk.pwm.duties[-1] == 0
    # A kick whose end was under way already.
    desk.motor.drive(10)
    late = desk.timer.callback
    desk.motor.close()
    late(None)
    assert desk.felt[-1] == 0


def test_another_strength_while_it_turns_needs_no_kick():
    desk = Desk()
    desk.motor.drive(100)
    desk.timer.fire()
    desk.motor.drive(255)
    desk.motor.drive(50)
    assert desk.timer.callback is None and desk.felt[1] < desk.felt[2] == 255 and desk.felt[3] < desk.felt[1]


def test_without_a_timer_the_weakest_still_starts():
    desk = Desk(timer=False)
    desk.motor.drive(1)
    assert desk.felt and desk.felt[0] > 0
    desk.motor.drive(255)
    desk.motor.drive(0)
    assert desk.felt[-2:] == [255, 0]


def test_no_more_than_the_motor_is_rated_for():
    desk = Desk(full=90)
    desk.motor.drive(255)
    assert max(desk.pwm.duties) == 65535 * 90 // 100


def test_it_is_off_from_the_start():
    assert Desk().pwm.duties == [0]


def test_model_a_motor_that_stands_needs_more_than_one_that_turns():
    felt = []
    motor = Motor(felt.append)
    motor.duty(STARTS_U16 - 1)
    assert felt == []
    motor.duty(STARTS_U16)
    motor.duty(STALLS_U16)
    assert felt == [STARTS_U16 >> 8, STALLS_U16 >> 8]
    motor.duty(STALLS_U16 - 1)
    motor.duty(STALLS_U16)
    assert felt[-1] == 0 and len(felt) == 3


def test_a_driver_without_kick_or_start_does_not_move_it():
    desk = Desk(timer=False, starts=35)
    desk.motor.drive(60)
    assert desk.felt == []
    # As strong as it gets it would.
    desk.motor.drive(255)
    assert desk.felt == [255]
