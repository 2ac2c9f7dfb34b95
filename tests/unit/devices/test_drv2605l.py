from chip_bus import Bus, Clock, Pin

from chips.drv2605l import Drv2605l as Chip
from drivers.drv2605l import Drv2605l, HapticError, clamp_register, drive_time, rated_register


class Desk:
    """A driver at a chip with an LRA of 1.8 V, 2.6 V and 235 Hz, as the driver's defaults are."""

    def __init__(self, enable=True, **motor):
        self.clock = Clock()
        self.felt = []
        self.chip = Chip(self.felt.append, self.clock.now_ms, **motor)
        self.bus = Bus(self.chip)
        self.enable = Pin(self.chip.enable) if enable else None
        self.driver = Drv2605l(self.bus, enable=self.enable, sleep_ms=self.clock.sleep_ms)


def fails(call, *arguments):
    """The sentence of the HapticError that it must raise."""
    try:
        call(*arguments)
    except HapticError as e:
        return str(e)
    raise AssertionError("no HapticError")


def test_it_is_probed_reset_and_set_up():
    desk = Desk()
    registers = desk.chip.registers
    assert registers[0x01] == 0 and registers[0x03] == 6
    # 2.0 V RMS at 175 Hz is 0x53 (worked in TI's forum), and half a period of 235 Hz is 2.1 ms.
    assert rated_register(2000, 175) == 0x53
    assert (registers[0x16], registers[0x17]) == (rated_register(1800, 235), clamp_register(2600))
    assert drive_time(235) == 16 and registers[0x1B] == 0x90
    assert registers[0x1A] & 0xFC == 0xA8 and registers[0x1C] == 0xF5 and registers[0x1D] == 0x80


def test_the_clamp_is_never_above_what_the_motor_bears():
    for mv in range(1000, 5400, 7):
        assert clamp_register(mv) * 21.22 <= mv < (clamp_register(mv) + 1) * 21.23


def test_nobody_there():
    text = fails(Drv2605l, Bus())
    assert "no DRV2605L answers at 0x5A" in text


def test_another_chip_there():
    chip = Chip(print, Clock().now_ms)
    chip.registers[0] = 0x60
    whole = chip.write
    chip.write = lambda data: None if data[:2] == b"\x01\x80" else whole(data)
    assert "no DRV2605L (its id is 3, not 7)" in fails(Drv2605l, Bus(chip))


def test_en_left_low():
    clock = Clock()
    chip = Chip(print, clock.now_ms)
    chip.enable(0)
    # Reads of a chip that is shut down look like its id: the mode tells.
    assert "EN" in fails(lambda: Drv2605l(Bus(chip), sleep_ms=clock.sleep_ms))


def test_what_the_chip_cannot_do_is_said():
    for arguments in ((1800, 2600, 400), (1800, 2600, 60), (9000, 2600, 235), (1800, 9000, 235)):
        assert fails(lambda: Drv2605l(Bus(), 0x5A, None, *arguments))


def test_strength():
    desk = Desk()
    for strength in (255, 128, 1, 0):
        desk.driver.drive(strength)
    assert desk.felt == [255, 128, 2, 0] and desk.driver.errors == 0
    desk.driver.drive(200)
    before = desk.bus.transfers
    desk.driver.drive(200)
    assert desk.bus.transfers == before
    desk.driver.drive(0)
    assert desk.felt[-1] == 0


def test_each_strength_is_felt_and_none_is_less_than_the_one_before():
    desk = Desk()
    for strength in range(1, 256):
        desk.driver.drive(strength)
        assert desk.felt[-1] > 0
    assert desk.felt == sorted(desk.felt) and desk.felt[-1] == 255


def test_driving_takes_no_more_than_one_transfer():
    desk = Desk()
    before = desk.bus.transfers
    desk.driver.drive(100)
    desk.driver.drive(0)
    assert desk.bus.transfers - before == 2


def test_a_library_sequence_with_a_pause():
    desk = Desk()
    assert desk.driver.play((1, -300, 47))
    assert desk.driver.is_playing and desk.felt == [255]
    assert desk.chip.registers[4:12] == b"\x01\x9e\x2f\x00\x00\x00\x00\x00"
    desk.clock.now += 499
    assert desk.driver.is_playing
    desk.clock.now += 1
    assert not desk.driver.is_playing and desk.felt == [255, 0]


def test_a_sequence_is_cut_short():
    desk = Desk()
    desk.driver.play((1, 2, 3))
    desk.driver.drive(0)
    assert desk.felt == [255, 0] and not desk.driver.is_playing
    desk.driver.play((1,))
    desk.driver.drive(255)
    assert desk.felt == [255, 0, 255, 0, 255]
    desk.clock.now += 5000
    assert not desk.driver.is_playing and desk.felt[-1] == 255


def test_steps_that_do_not_exist():
    desk = Desk()
    for steps in ((), (1,) * 9, (0,), (124,), (-5,), (-1280,)):
        try:
            desk.driver.play(steps)
            raise AssertionError(steps)
        except ValueError:
            pass
    assert desk.felt == []


def test_calibration_is_kept_and_restored():
    desk = Desk()
    desk.driver.calibrate()
    assert desk.clock.now >= 1200
    kept = desk.driver.calibration()
    assert len(kept) == 6 and kept[3:] == b"\x0e\x73\x02"
    other = Desk()
    assert other.chip.registers[0x18] == 0x0C
    assert other.driver.apply(kept)
    assert other.chip.registers[0x18:0x1B] == b"\x0e\x73\xaa" and other.driver.calibration() == kept
    # Of an actuator with another voltage, and of another length.
    assert not other.driver.apply(b"\x01" + kept[1:]) and not other.driver.apply(kept[:5])
    assert not other.driver.apply(b"")
    other.driver.drive(255)
    assert other.felt == [255]


def test_a_calibration_that_cannot_be_right_is_refused():
    for motor in ({"rated_mv": 1200}, {"overdrive_mv": 1700}, {"resonance_hz": 150}, {"motor": "erm"}, {"motor": None}):
        desk = Desk(**motor)
        before = desk.driver.calibration()
        assert "check the actuator" in fails(desk.driver.calibrate)
        assert desk.driver.calibration() == before


def test_a_calibration_that_does_not_end_or_loses_the_bus():
    desk = Desk()
    desk.chip.tick = lambda: None
    assert "does not come to an end" in fails(desk.driver.calibrate)
    desk = Desk()
    for call in (
        lambda driver: driver.calibrate(),
        lambda driver: driver.diagnose(),
        lambda driver: driver.apply(driver.calibration()),
    ):
        desk = Desk()
        before = desk.bus.transfers
        call(desk.driver)
        # Wherever it goes.
        for gone_after in range(desk.bus.transfers - before):
            desk = Desk()
            desk.bus.gone_after = gone_after
            assert "no longer answers" in fails(call, desk.driver)


def test_what_is_measured_while_it_is_driven():
    desk = Desk(resonance_hz=200, vdd_mv=3300)
    assert desk.driver.resonance_hz() is None and desk.driver.supply_mv() is None
    desk.driver.drive(255)
    # 5 ms are 51 steps of 98.46 us, and 3.3 V are 150 of 22 mV.
    assert desk.driver.resonance_hz() == 199 and desk.driver.supply_mv() == 3294
    assert desk.driver.errors == 0


def test_diagnosis():
    assert Desk().driver.diagnose() is None
    assert "no actuator" in Desk(motor=None).driver.diagnose()
    desk = Desk()
    desk.chip.over_current = True
    assert "short" in desk.driver.diagnose()
    desk.chip.over_current, desk.chip.over_temperature = False, True
    assert "hot" in desk.driver.diagnose()


def test_standby_and_waking():
    desk = Desk()
    desk.driver.drive(255)
    desk.driver.standby()
    assert desk.felt == [255, 0] and desk.chip.registers[1] == 0x40
    desk.driver.drive(255)
    assert desk.felt == [255, 0, 255]
    desk.driver.close()
    assert desk.felt[-1] == 0 and desk.enable.level == 0


def test_a_start_that_fails_is_counted_and_the_next_sets_it_up_anew():
    desk = Desk()
    desk.bus.fail_next = 1
    desk.driver.drive(255)
    assert desk.driver.errors == 1 and desk.felt == []
    # Meanwhile the chip lost its power.
    desk.chip.write(b"\x01\x80")
    desk.driver.drive(255)
    assert desk.felt == [255] and desk.chip.registers[0x1A] & 0x80


def test_a_stop_that_fails_is_tried_again():
    desk = Desk()
    desk.driver.drive(255)
    desk.bus.fail_next = 2
    desk.driver.drive(0)
    assert desk.felt == [255, 0] and desk.driver.errors == 2


def test_a_chip_that_wakes_late_is_waited_for():
    clock = Clock()
    bus = Bus(Chip(print, clock.now_ms))
    bus.fail_next = 2
    assert Drv2605l(bus, sleep_ms=clock.sleep_ms).errors == 0
    bus.fail_next = 3
    assert "no DRV2605L answers" in fails(lambda: Drv2605l(bus, sleep_ms=clock.sleep_ms))


def test_a_bus_that_is_gone_ends_by_en():
    desk = Desk()
    desk.driver.drive(255)
    desk.bus.fail_next = 1000
    desk.driver.drive(0)
    assert desk.felt == [255, 0] and desk.enable.level == 0 and desk.driver.errors == 3
    desk.driver.drive(255)
    assert not desk.driver.play((1,)) and not desk.driver.is_playing
    assert desk.driver.resonance_hz() is None
    desk.driver.standby()
    desk.bus.fail_next = 0
    desk.driver.drive(100)
    assert desk.felt[-1] > 0 and desk.enable.level == 1
