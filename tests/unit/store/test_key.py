"""The key of a pairing on flash: there or not there, never half, and set aside when it is damaged."""

from flash import Flash, damage

from lapel.core.records import BadRecord
from lapel.services import pairing

KEY = bytes(range(32))
OTHER = bytes(range(100, 132))


def refused(kind, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        return str(error)
    raise AssertionError("nothing was raised")


def test_a_new_pin_is_not_paired():
    with Flash() as flash:
        assert pairing.load(flash.root) is None
        assert not pairing.forget(flash.root)


def test_a_key_lasts_until_it_is_forgotten():
    with Flash() as flash:
        pairing.save(flash.root, 7, KEY)
        flash.remount()
        assert pairing.load(flash.root) == (7, KEY)
        pairing.save(flash.root, 8, bytearray(OTHER))
        flash.remount()
        assert pairing.load(flash.root) == (8, OTHER)
        assert pairing.forget(flash.root)
        flash.remount()
        assert pairing.load(flash.root) is None


def test_a_key_has_32_bytes():
    with Flash() as flash:
        assert "32" in refused(ValueError, pairing.save, flash.root, 1, KEY[:31])
        assert pairing.load(flash.root) is None


def test_a_damaged_key_is_no_key_and_no_error_tells_it():
    with Flash() as flash:
        pairing.save(flash.root, 7, KEY)
        damage(flash.root + "/state/key", 20)
        said = refused(BadRecord, pairing.load, flash.root)
        assert repr(KEY) not in said and KEY.hex() not in said
