"""The model of the DRV2605L, against its data sheet: each refusal bites."""

from chip_bus import Clock

from chips import Misuse
from chips.drv2605l import Drv2605l as Chip


def chip(**motor):
    clock = Clock()
    felt = []
    return Chip(felt.append, clock.now_ms, **motor), felt, clock


def test_reset_values_and_increment():
    model, _, _ = chip()
    model.write(b"\x00")
    assert model.read(3) == b"\xe0\x40\x00"
    model.write(b"\x16")
    assert model.read(10) == b"\x3e\x8c\x0c\x6c\x36\x93\xf5\xa0\x20\x80"
    model.write(b"\x04\x01\x02\x03")
    model.write(b"\x04")
    assert model.read(3) == b"\x01\x02\x03"
    # Read only, and beyond the map.
    model.write(b"\x00\xff")
    model.write(b"\x30\xff")
    model.write(b"\x00")
    assert model.read(1) == b"\xe0" and len(model.registers) == 0x23


def test_standby_plays_nothing():
    model, felt, _ = chip()
    model.write(b"\x1a\xb6")
    model.write(b"\x03\x06")
    model.write(b"\x0c\x01")
    model.write(b"\x0c")
    assert model.read(1) == b"\x00" and felt == []
    model.write(b"\x02\x7f")
    model.write(b"\x01\x45")
    assert felt == []


def test_real_time_only_in_its_mode():
    model, felt, _ = chip()
    model.write(b"\x1a\xb6")
    model.write(b"\x01\x00")
    model.write(b"\x02\x7f")
    assert felt == []
    model.write(b"\x01\x05")
    assert felt == [255]


def test_an_lra_does_not_move_by_direct_current():
    model, felt, _ = chip()
    model.write(b"\x01\x05\x7f")
    assert felt == []
    erm, felt, _ = chip(motor="erm")
    erm.write(b"\x1d\x80")
    erm.write(b"\x01\x05\x7f")
    assert felt == [255]


def test_input_formats():
    # (bidirectional, unsigned, open loop), input: strength
    for control2, control3, value, strength in (
        (0xF5, 0x80, 0x7F, 255), (0xF5, 0x80, 0x40, 128), (0xF5, 0x80, 0xFF, 0), (0xF5, 0x80, 0x00, 0),
        (0xF5, 0x88, 0xFF, 255), (0xF5, 0x88, 0x7F, 0), (0xF5, 0x88, 0x10, 0),
        (0x75, 0x88, 0xFF, 255), (0x75, 0x88, 0x7F, 127), (0x75, 0x88, 0x00, 0), (0x75, 0x80, 0x7F, 255),
        (0xF5, 0x89, 0x01, 255), (0xF5, 0x81, 0x81, 255), (0xF5, 0x81, 0x00, 0),
    ):  # fmt: skip
        model, felt, _ = chip()
        model.write(b"\x1a\xb6")
        model.write(bytes((0x1C, control2, control3)))
        model.write(bytes((0x01, 0x05, value)))
        assert (felt or [0])[-1] == strength, (control2, control3, value, felt)


def test_misuse():
    for writes in (
        # An ERM library with an LRA, and the other way round; library A in closed loop; no such effect; OTP.
        (b"\x1a\xb6", b"\x01\x00", b"\x0c\x01"),
        (b"\x03\x06", b"\x01\x00", b"\x0c\x01"),
        (b"\x1d\x80", b"\x01\x00", b"\x0c\x01"),
        (b"\x1a\xb6", b"\x03\x06", b"\x04\x7c", b"\x01\x00", b"\x0c\x01"),
        (b"\x1e\x21",),
    ):
        model, _, _ = chip()
        try:
            for data in writes:
                model.write(data)
            raise AssertionError(writes)
        except Misuse:
            pass


def test_flags_clear_once_they_are_read():
    model, _, clock = chip(motor=None)
    model.write(b"\x01\x07")
    model.write(b"\x0c\x01")
    clock.now += 10_000
    model.write(b"\x00")
    assert model.read(1) == b"\xe8"
    model.write(b"\x00")
    assert model.read(1) == b"\xe0"


def test_calibration_takes_its_time():
    for auto, ms in ((0, 350), (1, 450), (2, 700), (3, 1200)):
        model, _, clock = chip()
        model.write(bytes((0x1E, auto << 4)))
        model.write(b"\x01\x07")
        model.write(b"\x0c\x01")
        clock.now += ms - 1
        model.write(b"\x0c")
        assert model.read(1) == b"\x01"
        clock.now += 1
        model.write(b"\x0c")
        assert model.read(1) == b"\x00"


def test_shut_down():
    model, felt, _ = chip()
    model.write(b"\x1a\xb6")
    model.write(b"\x01\x05\x7f")
    model.enable(0)
    model.write(b"\x02\x00")
    assert felt == [255, 0] and model.read(1) == b"\xff"
    model.enable(1)
    assert felt == [255, 0, 255]
