"""`lapel pair` and `unpair` on a simulated pin: who owns it, what is kept, what is erased, and in which order."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from keyring.backends import fail

from lapel_companion import durable
from lapel_companion.keys import Keys
from lapel_companion.pairing import Key
from lapel_usb import owner, pairing
from lapel_usb.errors import Refused, Unfit, UsbError
from lapel_usb.inventory import Inventory
from lapel_usb.link import PinLink, open_pin
from lapel_usb.pairing import Wanted
from simulator.serial_pin import SerialPin
from tests.host.usb.owners import MINE, THEIRS, USED, Sitting, has, keep, now, record, use, used

pytestmark = pytest.mark.usefixtures("no_keyring")



def pair(pin: SerialPin, keys: Keys, person: Sitting, **wanted: bool) -> Key | None:
    with keys.alone(), open_pin(pin.port) as link:
        return pairing.pair(link, keys, Wanted(**wanted), person)


def test_a_new_pin_is_paired_without_a_question(new: SerialPin, state: Path) -> None:
    keys, person = keep(state, None), Sitting()
    key = pair(new, keys, person)
    assert key is not None and keys.load() == key and keys.begun() is None
    found, _ = now(new)
    assert found.is_of(key) and found.generation == 1 and found.fingerprint == key.fingerprint
    assert not person.asked
    # and once more: it is
    assert pair(new, keys, person) == key
    assert "already" in person.said[-1]


def test_another_key_for_ones_own_pin_keeps_what_is_on_it(new: SerialPin, state: Path) -> None:
    used(new, MINE)
    keys, person = keep(state, MINE), Sitting()
    key = pair(new, keys, person, rotate=True)
    assert key is not None and key != MINE and key.generation == 8
    assert has(new, key, kept=True) and keys.load() == key and not person.asked


def test_rotation_is_refused_to_who_does_not_have_the_old_key(new: SerialPin, state: Path) -> None:
    used(new, THEIRS)
    for mine in (None, MINE):
        keys = keep(state, mine)
        with pytest.raises(Refused, match="does not have this computer's key"):
            pair(new, keys, Sitting(), rotate=True)
        assert keys.load() == mine and has(new, THEIRS, kept=True)


def test_another_owners_pin_is_erased_before_it_gets_the_key(
    new: SerialPin, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(new, THEIRS)
    keys = keep(state, None)
    no = Sitting(yes=0)
    assert pair(new, keys, no) is None
    assert has(new, THEIRS, kept=True) and keys.load() is None and keys.begun() is None
    assert "another computer" in no.said[0] and "2 recordings wait" in no.said[1]
    images = []
    plain = owner.give

    def give(link: PinLink, key: Key) -> None:
        images.append(new.flash.image.read_bytes())
        plain(link, key)

    monkeypatch.setattr(owner, "give", give)
    yes = Sitting()
    key = pair(new, keys, yes)
    assert len(yes.asked) == 1
    # before the new key was there, nothing of the old owner was
    for secret in (THEIRS.secret, *(data[:60] for data in USED.values())):
        assert secret not in images[0]
    assert key and has(new, key, kept=False)


def test_without_a_person_recordings_are_erased_only_when_that_is_said(new: SerialPin, state: Path) -> None:
    used(new, THEIRS)
    keys = keep(state, None)
    with pytest.raises(Refused, match="2 recordings wait") as told:
        pair(new, keys, Sitting(), sure=True)
    assert "--unsent" in told.value.way_on and has(new, THEIRS, kept=True) and keys.begun() is None
    key = pair(new, keys, Sitting(yes=0), sure=True, unsent=True)
    assert key and has(new, key, kept=False)


@pytest.mark.parametrize("damaged", [False, True])
def test_what_nobody_knows_the_owner_of_is_erased_after_a_question(new: SerialPin, state: Path, damaged: bool) -> None:
    used(new, None)
    if damaged:
        with open_pin(new.port) as link:
            link.write_file("/data/state/key", record(THEIRS)[:-1] + b"!")
    keys = keep(state, None)
    no, yes = Sitting(yes=0), Sitting()
    assert pair(new, keys, no) is None and has(new, None, kept=True)
    key = pair(new, keys, yes)
    assert key and has(new, key, kept=False)
    assert ("damaged" in no.said[0]) == damaged


@pytest.mark.parametrize("set_aside", [False, True])
def test_a_key_that_rots_on_ones_own_pin_costs_nothing_else(new: SerialPin, state: Path, set_aside: bool) -> None:
    keys, person = keep(state, None), Sitting(yes=0)
    first = pair(new, keys, person)
    assert first is not None
    with open_pin(new.port, restart=False) as link:
        use(link, None)
        if set_aside:
            # as the app does
            link.run("import os\nos.remove('/data/state/key')")
        else:
            link.write_file("/data/state/key", record(first)[:-1] + bytes([first.secret[-1] ^ 4]))
    # another computer cannot tell whose it is
    stranger = Sitting(yes=0)
    assert pair(new, keep(state / "other", MINE), stranger) is None and len(stranger.asked) == 1
    second = pair(new, keys, person)
    assert second not in (None, first) and not person.asked and "damaged" in person.said[0]
    assert has(new, second, kept=True) and keys.load() == second


def test_one_computer_has_one_pin(new: SerialPin, state: Path) -> None:
    keys, no = keep(state, MINE), Sitting(yes=0)
    assert pair(new, keys, no) is None
    assert MINE.fingerprint in no.said[0] and has(new, None, kept=False) and keys.load() == MINE
    key = pair(new, keys, Sitting())
    assert key and keys.load() == key and key.generation == 8


def test_a_pin_that_is_forgetting_ends_that_first(new: SerialPin, state: Path) -> None:
    used(new, MINE)
    with open_pin(new.port, restart=False) as link:
        link.write_file("/data/forget", b"")
    keys, person = keep(state, MINE), Sitting()
    key = pair(new, keys, person)
    assert "wipe" in person.said[0] and key not in (None, MINE)
    assert key and has(new, key, kept=False)


def test_a_key_that_others_could_read_is_replaced_by_rotation_only(new: SerialPin, state: Path) -> None:
    used(new, MINE)
    keys = keep(state, MINE)
    (state / "pin.key").chmod(0o644)
    with pytest.raises(pairing.PairingError, match="--rotate"):
        pair(new, keys, Sitting())
    key = pair(new, keys, Sitting(), rotate=True)
    assert key and keys.load() == key and has(new, key, kept=True)
    assert (state / "pin.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_damaged_here_is_none(new: SerialPin, state: Path) -> None:
    keys = keep(state, MINE)
    (state / "pin.key").write_text("nonsense")
    key = pair(new, keys, Sitting())
    assert key and keys.load() == key


def test_a_pin_without_an_app_or_with_an_old_one_says_so(pin: SerialPin, state: Path) -> None:
    keys = keep(state, None)
    with open_pin(pin.port, restart=False) as link:
        with pytest.raises(Unfit, match="no app") as told:
            pairing.pair(link, keys, Wanted(), Sitting())
        assert "make flash" in told.value.way_on
        link.run("import os\nos.mkdir('/lapel')")
        link.write_file("/lapel/__init__.py", b"")
        with pytest.raises(Unfit, match="too old"):
            pairing.pair(link, keys, Wanted(), Sitting())
    assert keys.begun() is None


def test_a_pin_in_safe_mode_is_not_paired(new: SerialPin, state: Path) -> None:
    keys = keep(state, None)
    with open_pin(new.port, restart=False) as link:
        link.write_file("/boots", b"0\nOSError: 19\n")
        with pytest.raises(Unfit, match=r"safe mode: .*OSError: 19"):
            pairing.pair(link, keys, Wanted(), Sitting())
    assert keys.begun() is None


def test_what_lies_beside_recordings_is_none() -> None:
    files = {"data/clips/00000007": 9, "data/clips/counter": 30, "data/clips/owner": 40}
    assert list(Inventory(files, frozenset(), "", {}, 1).clips) == ["00000007"]


def test_an_answer_that_is_no_proof_is_noticed(new: SerialPin, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flash that keeps something else than what was written."""
    used(new, MINE)
    keys = keep(state, MINE)
    monkeypatch.setattr(owner, "give", lambda link, key: use(link, THEIRS, {}))
    with pytest.raises(UsbError, match="does not prove") as told:
        pair(new, keys, Sitting(), rotate=True)
    assert "lapel pair" in told.value.way_on
    assert keys.load() == MINE and keys.begun() is not None


def test_a_disk_that_is_full_at_the_end_is_a_sentence(
    new: SerialPin, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(new, MINE)
    keys = keep(state, MINE)
    plain = durable.write_atomic

    def full(path: Path, data: bytes, what: str, mode: int = 0o600) -> None:
        if path == state / "pin.key":
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(path, data, what, mode)

    monkeypatch.setattr(durable, "write_atomic", full)
    with pytest.raises(pairing.PairingError, match="No space left") as told:
        pair(new, keys, Sitting(), rotate=True)
    assert "lapel pair" in str(told.value)
    monkeypatch.undo()
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    key = pair(new, keys, Sitting(yes=0))
    assert key and keys.load() == key and has(new, key, kept=True)


def test_a_key_damaged_on_its_way_is_not_taken(new: SerialPin, monkeypatch: pytest.MonkeyPatch) -> None:
    used(new, MINE)
    with open_pin(new.port, restart=False) as link:
        monkeypatch.setattr(owner, "CHECK_BYTES", 4)
        monkeypatch.setattr("hashlib.sha256", lambda data: __import__("hashlib").new("sha256", data + b"!"))
        with pytest.raises(UsbError, match="damaged over the cable"):
            owner.give(link, THEIRS)
        monkeypatch.undo()
        assert owner.look(link).is_of(MINE)
