from chip_bus import Bus

from chips.max17048 import Max17048 as Chip
from drivers.max17048 import GaugeError, Max17048


class Desk:
    def __init__(self, **cell):
        self.alerts = []
        self.chip = Chip(self.alerts.append, **cell)
        self.bus = Bus(self.chip)
        self.gauge = Max17048(self.bus)


def word(chip, register):
    chip.write(bytes((register,)))
    data = chip.read(2)
    return data[0] << 8 | data[1]


def fails(call, *arguments):
    try:
        call(*arguments)
    except GaugeError as e:
        return str(e)
    raise AssertionError("no GaugeError")


def test_voltage_and_charge():
    desk = Desk()
    for mv in (2800, 3300, 3701, 3999, 4200, 5000):
        desk.chip.mv = mv
        assert abs(desk.gauge.read_mv() - mv) <= 1
    for percent in (0, 0.4, 1.6, 49.5, 100, 103):
        desk.chip.percent = percent
        assert abs(desk.gauge.read_percent() - min(100, percent)) <= 0.51
    assert desk.gauge.errors == 0


def test_charging_by_the_rate():
    desk = Desk()
    for rate, charging in ((20, True), (1, True), (0.2, None), (0, None), (-0.2, None), (-1, False), (-30, False)):
        desk.chip.rate = rate
        assert desk.gauge.charging is charging, rate


def test_nobody_and_somebody_else():
    assert "no MAX17048 answers at 0x36" in fails(Max17048, Bus())
    assert "no MAX17048 (its version is 0x0002)" in fails(Max17048, Bus(Chip(version=2)))


def test_its_reset_is_noticed_once():
    desk = Desk()
    assert desk.gauge.was_reset and not word(desk.chip, 0x1A) & 0x0100
    assert not Max17048(desk.bus).was_reset


def test_a_bus_that_fails_reads_none():
    desk = Desk()
    desk.bus.fail_next = 3
    assert (desk.gauge.read_mv(), desk.gauge.read_percent(), desk.gauge.charging) == (None, None, None)
    assert desk.gauge.errors == 3 and desk.gauge.read_mv() == 3900


def test_alert():
    desk = Desk(mv=4000)
    desk.gauge.alert_below(20)
    assert not desk.gauge.alerted() and desk.alerts == []
    desk.chip.percent = 20
    assert not desk.gauge.alerted()
    desk.chip.percent = 19
    assert desk.gauge.alerted() and desk.alerts == [True]
    # RCOMP is kept.
    assert word(desk.chip, 0x0C) >> 8 == 0x97
    for wrong in (0, 33):
        try:
            desk.gauge.alert_below(wrong)
            raise AssertionError(wrong)
        except ValueError:
            pass


def test_quick_start_and_sleep():
    desk = Desk()
    desk.gauge.quick_start()
    assert desk.chip.quick_starts == 1
    desk.gauge.sleep(True)
    desk.chip.mv = 3500
    assert desk.chip.is_asleep and desk.gauge.read_mv() == 3900
    desk.gauge.sleep(False)
    assert not desk.chip.is_asleep and desk.gauge.read_mv() == 3500


# --- the model ----------------------------------------------------------------------------------------


def test_model_single_bytes_have_no_effect():
    chip = Chip()
    chip.write(b"\x0c\x12")
    assert word(chip, 0x0C) == 0x971C
    chip.write(b"\x0c\x12\x1c")
    assert word(chip, 0x0C) == 0x121C


def test_model_high_byte_first_and_the_address_goes_on():
    chip = Chip(mv=4000)
    chip.write(b"\x02")
    data = chip.read(4)
    assert data[0] << 8 | data[1] == 51200 and data[2] == int((4000 - 3300) / 8.8)
    chip.write(b"\x09")
    assert chip.read(1) == b"\x12"


def test_model_sleeps_only_where_it_is_enabled():
    chip = Chip(mv=4000)
    chip.write(b"\x0c\x97\x9c")
    assert not chip.is_asleep
    chip.write(b"\x06\x20\x00")
    assert chip.is_asleep


def test_model_status_is_cleared_not_set():
    chip = Chip()
    assert word(chip, 0x1A) == 0x0100
    chip.write(b"\x1a\x00\x00")
    chip.write(b"\x1a\x01\x00")
    assert word(chip, 0x1A) == 0
    # Read only.
    chip.write(b"\x08\xff\xff")
    assert word(chip, 0x08) == 0x0012


def test_model_a_reset_is_not_acknowledged():
    chip = Chip()
    chip.write(b"\x1a\x00\x00")
    chip.write(b"\xfe\x12\x34")
    assert word(chip, 0x1A) == 0
    try:
        chip.write(b"\xfe\x54\x00")
        raise AssertionError("acknowledged")
    except OSError:
        pass
    assert word(chip, 0x1A) == 0x0100
