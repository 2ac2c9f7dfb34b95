from chip_bus import Pin

from chips import Misuse
from chips.divider import Divider
from drivers.battery_adc import BatteryAdc


class Adc:
    """machine.ADC over a divider, with noise that is given for each reading."""

    def __init__(self, divider, noise_uv=()):
        self._divider = divider
        self._noise_uv = list(noise_uv)

    def read_uv(self):
        noise_uv = self._noise_uv.pop(0) if self._noise_uv else 0
        return (self._divider.uv() or 0) + noise_uv


def adc(mv, noise_uv=(), upper=220, lower=220):
    return Adc(Divider(lambda: mv, upper, lower), noise_uv)


def test_the_cells_voltage():
    for mv in (3000, 3701, 4200):
        assert BatteryAdc(adc(mv)).read_mv() == mv
        third = BatteryAdc(adc(mv, upper=200, lower=100), ratio=3.0)
        assert abs(third.read_mv() - mv) <= 1
    assert BatteryAdc(adc(4000)).read_percent() is None


def test_no_cell():
    assert BatteryAdc(adc(0)).read_mv() is None
    assert BatteryAdc(adc(2400)).read_mv() is None
    assert BatteryAdc(adc(None)).read_mv() is None


def test_the_middle_of_several():
    noise = (900_000, -900_000, 0, 500_000, -500_000, 0, 700_000, 0, -700_000)
    assert BatteryAdc(adc(3800, noise)).read_mv() == 3800
    # More than half of the readings wrong, and it is wrong.
    assert BatteryAdc(adc(3800, (-400_000,) * 5)).read_mv() < 3100


def test_a_load_is_made_up_for():
    # 200 mA over 250 milliohms: 50 mV.
    drawn = [200]
    battery = BatteryAdc(adc(3650), resistance_mohm=250, load_ma=lambda: drawn[0])
    assert battery.read_mv() == 3700
    drawn[0] = 0
    assert battery.read_mv() == 3650


def test_charging():
    vbus = Pin(lambda level: None)
    battery = BatteryAdc(adc(4150), resistance_mohm=200, load_ma=lambda: 500, vbus=vbus, charge_ma=100)
    assert battery.charging is False and battery.read_mv() == 4250
    vbus.value(1)
    assert battery.charging is True and battery.read_mv() == 4130
    assert BatteryAdc(adc(4000)).charging is None


def test_model_a_divider_that_endangers_the_pin():
    try:
        Divider(lambda: 4200, 10, 100).uv()
        raise AssertionError("not refused")
    except Misuse as e:
        assert "3.6 V" in str(e)
    assert Divider(lambda: None).uv() is None
