from lapel.core.battery import RECOVERY_MV, Battery, percent


def test_the_curve_only_rises_from_0_to_100():
    values = [percent(mv) for mv in range(2500, 4500, 5)]
    assert values[0] == 0 and values[-1] == 100
    assert all(0 <= values[i + 1] - values[i] <= 3 for i in range(len(values) - 1))


def test_known_points():
    assert percent(3300) == 0 and percent(4180) == 100 and percent(3820) == 48
    # Half way between two points.
    assert percent(3850) == 54


def test_low_is_told_once_and_holds_until_it_has_recovered():
    battery = Battery(3500)
    assert battery.percent is None and not battery.low
    assert not battery.measured(3500)
    assert battery.measured(3499)
    assert battery.low and battery.percent == 2
    # The cell recovers a little when its load goes, and sinks again.
    assert not battery.measured(3500 + RECOVERY_MV - 1) and battery.low
    assert not battery.measured(3450) and battery.low
    assert not battery.measured(3500 + RECOVERY_MV) and not battery.low
    assert battery.measured(3400)


def test_no_reading_is_no_alarm():
    battery = Battery(3500)
    assert not battery.measured(None) and battery.percent is None and not battery.low
    battery.measured(3400)
    assert not battery.measured(None) and battery.low


def test_another_threshold():
    battery = Battery(3500)
    battery.measured(3600)
    battery.low_mv = 3700
    assert battery.measured(3600)


def test_a_fuel_gauge_knows_better_than_the_curve():
    battery = Battery(3500)
    battery.measured(3820, 31)
    assert battery.percent == 31
    # Its bus failed once: by the curve meanwhile.
    battery.measured(3820)
    assert battery.percent == 48
    battery.measured(None, 31)
    assert battery.percent == 31
    battery.measured(None)
    assert battery.percent is None


def test_a_battery_that_is_charged_is_not_low():
    battery = Battery(3500)
    assert battery.measured(3400, None, False) and battery.low
    assert not battery.measured(3450, None, True) and not battery.low
    assert not battery.measured(3300, 2, True)
    # Taken off the charger too early it is low again, and says so.
    assert battery.measured(3450, None, False)
