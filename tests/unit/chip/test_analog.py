"""machine's PWM and ADC: what a part hears, and what the converter makes of a voltage."""

from machine import ADC, PWM, Pin
from wires import Wires, refused

LED = {"chip": "led", "pins": {"A": 4}}
MOTOR = {"chip": "motor", "pins": {"IN": 5}}
DIVIDER = {"chip": "divider", "pins": {"MID": 1}}


def test_pwm_says_its_duty_in_three_ways():
    with Wires(LED) as wires:
        pwm = PWM(Pin(4), freq=1000, duty_u16=0x8000)
        assert wires.heard("led")[-1] == (128, 128, 128)
        assert (pwm.freq(), pwm.duty_u16(), pwm.duty()) == (1000, 0x8000, 512)
        pwm.duty_ns(250_000)
        assert abs(pwm.duty_u16() - 0x4000) < 2
        pwm.duty(1023)
        assert wires.heard("led")[-1] == (255, 255, 255)
        pwm.freq(20_000)
        assert (pwm.freq(), pwm.duty_u16()) == (20_000, 65535)
        pwm.deinit()
        assert wires.heard("led")[-1] == (0, 0, 0)
        assert refused(RuntimeError, pwm.duty, 1) == "PWM is inactive"


def test_pwm_without_a_duty_is_half():
    with Wires(MOTOR):
        assert PWM(Pin(5)).duty_u16() == 32768


def test_pwm_drives_a_motor_once_it_is_enough():
    with Wires(MOTOR) as wires:
        pwm = PWM(Pin(5), freq=20_000, duty_u16=20_000)
        assert wires.heard("haptic") == []
        pwm.duty_u16(60_000)
        pwm.duty_u16(20_000)
        assert wires.heard("haptic") == [60_000 >> 8, 20_000 >> 8]


def test_pwm_inverted():
    with Wires(LED) as wires:
        PWM(Pin(4), freq=1000, duty_u16=0, invert=True)
        assert wires.heard("led")[-1] == (255, 255, 255)


def test_pwm_has_eight_pins_and_four_frequencies():
    with Wires():
        for pin in range(1, 5):
            PWM(Pin(pin), freq=1000 * pin)
        assert "timers" in refused(ValueError, PWM, Pin(5), freq=9000)
        for pin in range(5, 9):
            PWM(Pin(pin), freq=1000)
        assert "channels" in refused(ValueError, PWM, Pin(9), freq=1000)
        # the same pin again is no other channel
        assert PWM(Pin(8), freq=2000).freq() == 2000
        assert refused(ValueError, PWM, Pin(8), freq=50_000_000)
        assert refused(ValueError, PWM, Pin(8), duty_u16=70_000)


def test_adc_reads_the_cell_up_to_its_attenuation():
    with Wires(DIVIDER) as wires:
        adc = ADC(Pin(1), atten=ADC.ATTN_11DB)
        assert adc.read_uv() == 0
        wires.world.set_battery(3800)
        assert adc.read_uv() == 1_900_000
        assert abs(adc.read() - 1900 * 4095 // 3100) <= 1
        assert abs(adc.read_u16() - 1900 * 65535 // 3100) <= 32
        adc.atten(ADC.ATTN_0DB)
        assert (adc.read_uv(), adc.read_u16()) == (950_000, 65535)
        # as the port, which begins with none
        assert ADC(Pin(1)).read_uv() == 950_000


def test_adc_pins():
    with Wires():
        assert "take 1 to 10" in refused(ValueError, ADC, Pin(11))
        assert ADC(Pin(2), atten=ADC.ATTN_11DB).read_u16() == 0
        assert refused(ValueError, ADC, Pin(2), atten=4)
