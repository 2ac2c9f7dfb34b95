"""The rules of NOR, its wear, its pace, and a power cut in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.flash import BLOCK_BYTES, ERASE_US, PROGRAM_US, SLOW_ERASE_US, NorFlash


@pytest.fixture
def flash(tmp_path: Path) -> NorFlash:
    """Of 16 blocks, new."""
    return NorFlash(tmp_path / "f.bin", blocks=16)


def test_program_only_clears_bits(flash: NorFlash) -> None:
    flash.program(1, 8, b"\xf0\x0f")
    assert flash.read(1, 8, 2) == b"\xf0\x0f"
    flash.program(1, 8, b"\xf0\x01")
    assert not flash.violations
    flash.program(1, 8, b"\xff\x00")
    assert len(flash.violations) == 1
    assert "block 1, offset 8" in flash.violations[0]
    assert flash.read(1, 8, 2) == b"\xf0\x00"


def test_erase_sets_bits_and_wears(flash: NorFlash) -> None:
    flash.program(3, 0, bytes(BLOCK_BYTES))
    flash.erase(3)
    assert flash.read(3, 0, BLOCK_BYTES) == b"\xff" * BLOCK_BYTES
    assert (flash.wear[3], flash.erases, flash.programs) == (1, 1, 1)
    flash.program(3, 0, b"\xaa")
    assert not flash.violations


def test_outside_the_chip(flash: NorFlash) -> None:
    for block, offset, data in ((16, 0, b"x"), (0, BLOCK_BYTES - 1, b"xx")):
        with pytest.raises(ValueError, match="outside the flash"):
            flash.program(block, offset, data)
    with pytest.raises(ValueError, match="outside the flash"):
        flash.erase(16)


def test_device_time(flash: NorFlash) -> None:
    assert flash.program(0, 0, b"x") == PROGRAM_US
    assert flash.program(0, 128, bytes(129)) == 2 * PROGRAM_US
    costs = [flash.erase(0) for _ in range(1000)]
    assert set(costs) == {ERASE_US, SLOW_ERASE_US}
    assert 8 <= costs.count(SLOW_ERASE_US) <= 40
    again = NorFlash(flash.path.with_name("g.bin"), blocks=16)
    assert [again.erase(0) for _ in range(1000)] == costs


def test_the_image_survives_and_keeps_its_size(flash: NorFlash) -> None:
    flash.program(2, 5, b"kept")
    flash.close()
    again = NorFlash(flash.path, blocks=99)
    assert (again.blocks, again.read(2, 5, 4)) == (16, b"kept")


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "f.bin").write_bytes(b"hello")
    with pytest.raises(ValueError, match="no flash image"):
        NorFlash(tmp_path / "f.bin")
