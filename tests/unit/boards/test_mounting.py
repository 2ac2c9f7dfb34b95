"""What a board does with the flash that the boot has mounted as "/": larger caches, the same files, a folder."""

import os

import board_bench
import nor

ONLY_MICROPYTHON = (
    "test_small_files_cost_no_erase_and_old_ones_stay", "test_what_is_no_littlefs_leaves_what_the_boot_has_mounted",
    "test_a_folder_that_is_there_stays",
)  # fmt: skip


class _Flash(nor.Nor):
    block_bytes = nor.BLOCK
    blocks = 64


def _esp32s3(flash):
    """The board of the chip alone, with this flash mounted as stock MicroPython does."""
    import root
    import world

    # loaded before the root is another
    with board_bench.Bench("xiao_esp32s3") as bench:
        board = bench.board.esp32s3.Esp32S3(None)
    here = world.World()
    here.flash = flash
    here.trace = lambda event, **fields: None
    world.attach(here)
    root.mount(here)
    return board


def _erases_of_a_small_file(flash, name):
    before = flash.erased
    with open(name, "wb") as file:
        file.write(bytes(400))
    return flash.erased - before


def test_small_files_cost_no_erase_and_old_ones_stay():
    flash = _Flash(64)
    board = _esp32s3(flash)
    assert _erases_of_a_small_file(flash, "old") > 0
    board._mount()
    assert os.stat("/old")[6] == 400
    assert _erases_of_a_small_file(flash, "/data/new") == 0
    assert os.stat("data/new")[6] == 400, "relative paths begin at the root"
    assert board.flash is not None and board.flash.ioctl(4, 0) == 64


def test_a_folder_that_is_there_stays():
    board = _esp32s3(_Flash(64))
    os.mkdir("/data")
    with open("/data/kept", "w") as file:
        file.write("x")
    board._mount()
    assert os.listdir("/data") == ["kept"]


def test_what_is_no_littlefs_leaves_what_the_boot_has_mounted():
    import world

    board = _esp32s3(_Flash(64))
    with open("/old", "w") as file:
        file.write("x")
    world.attached().flash = _Flash(8)
    board._mount()
    assert os.stat("/old")[6] == 1
    assert os.stat("/data")[0] & 0x4000
