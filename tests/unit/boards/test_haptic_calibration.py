import os

from chip_bus import Bus, Clock

from chips.drv2605l import Drv2605l as Chip
from drivers.drv2605l import Drv2605l

# The board's module asks for vfs.
ONLY_MICROPYTHON = ("test_a_calibration_is_there_again_after_a_boot",)


def boot(board_class):
    """(chip, driver, board) after what a board's build() does with its haptic driver."""
    clock = Clock()
    chip = Chip(lambda strength: None, clock.now_ms)
    board = board_class()
    return chip, board.calibrated(Drv2605l(Bus(chip), sleep_ms=clock.sleep_ms)), board


def test_a_calibration_is_there_again_after_a_boot():
    from drivers import esp32s3

    class Board(esp32s3.Esp32S3):
        def __init__(self):
            pass

    path = esp32s3._CALIBRATION
    esp32s3._CALIBRATION = "/tmp/lapel-haptic-%d.cal" % id(path)
    try:
        chip, haptic, board = boot(Board)
        assert chip.registers[0x18] == 0x0C
        haptic.calibrate()
        board.keep_calibration(haptic)
        chip, haptic, _ = boot(Board)
        assert chip.registers[0x18:0x1A] == b"\x0e\x73"
        # Of another actuator, or torn: the chip's own figures.
        with open(esp32s3._CALIBRATION, "wb") as file:
            file.write(b"\x01\x02")
        assert boot(Board)[0].registers[0x18] == 0x0C
    finally:
        os.remove(esp32s3._CALIBRATION)
        esp32s3._CALIBRATION = path
