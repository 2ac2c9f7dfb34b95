"""What takes a key from a pin again, and who may; and that no backup holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapel_companion.keys import Keys
from lapel_usb import backup, pairing, unkeyed, wipe
from lapel_usb.errors import Refused
from lapel_usb.link import open_pin
from lapel_usb.pairing import Wanted
from simulator.serial_pin import SerialPin
from tests.host.usb.owners import MINE, THEIRS, USED, Sitting, has, keep, now, used

pytestmark = pytest.mark.usefixtures("no_keyring")



def unpair(pin: SerialPin, keys: Keys, person: Sitting, **wanted: bool) -> bool:
    with keys.alone(), open_pin(pin.port) as link:
        return pairing.unpair(link, keys, Wanted(**wanted), person)


def test_unpaired_both_are_as_new(new: SerialPin, state: Path) -> None:
    used(new, MINE)
    keys = keep(state, MINE)
    with pytest.raises(Refused, match="2 recordings wait") as told:
        unpair(new, keys, Sitting())
    assert "--unsent" in told.value.way_on
    assert not unpair(new, keys, Sitting(yes=0), unsent=True)
    assert has(new, MINE, kept=True) and keys.load() == MINE
    assert unpair(new, keys, Sitting(), unsent=True)
    assert has(new, None, kept=False) and keys.load() is None
    image = new.flash.image.read_bytes()
    assert MINE.secret not in image and not any(data[:60] in image for data in USED.values())
    assert not unpair(new, keys, Sitting())


def test_another_owners_pin_is_not_unpaired(new: SerialPin, state: Path) -> None:
    used(new, THEIRS)
    keys = keep(state, MINE)
    with pytest.raises(Refused, match=THEIRS.fingerprint) as told:
        unpair(new, keys, Sitting(), unsent=True)
    assert "make wipe" in told.value.way_on and "--lost" in told.value.way_on
    assert has(new, THEIRS, kept=True) and keys.load() == MINE


def test_a_wiped_pin_is_unpaired_on_the_computer(new: SerialPin, state: Path) -> None:
    keys = keep(state, MINE)
    assert unpair(new, keys, Sitting())
    assert keys.load() is None


def test_make_wipe_erases_the_key(new: SerialPin) -> None:
    used(new, MINE)
    assert MINE.secret in new.flash.image.read_bytes()
    with open_pin(new.port) as link:
        wipe.run(link, wipe.Wanted(unsent=True), lambda question: True, lambda sentence: None)
    assert MINE.secret not in new.flash.image.read_bytes() and has(new, None, kept=False)


def test_no_backup_holds_the_key(new: SerialPin, tmp_path: Path) -> None:
    used(new, MINE)
    image = new.flash.image.read_bytes()
    assert MINE.secret in image
    with open_pin(new.port, restart=False) as link:
        for name, raw in (("files", False), ("image", True)):
            backup.run(link, tmp_path / name, raw, lambda sentence: None)
            kept = b"".join(path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file())
            assert MINE.secret not in kept and MINE.secret[4:20] not in kept and USED["clips/00000001"][:99] in kept
    blotted, count = unkeyed.without_keys(image)
    assert count and MINE.secret not in blotted and len(blotted) == len(image)
    with new.off() as file:
        file.write_bytes(blotted)
    # it mounts, and has everything else
    found, there = now(new)
    assert found.key == "damaged" and there == USED
