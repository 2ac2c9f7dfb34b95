"""Cancels and settings on flash, over resets and with broken files."""

from clips import make
from flash import Flash, Trace, damage

from lapel.services.store import StoreFull
from lapel.services.store_objects import PENDING_MAX

MICROPYTHON_HEAP = "4m"

A, B = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"


def again(flash, trace=None):
    flash.remount()
    return make(flash, 2, trace)


def test_cancels_wait_until_confirmed():
    with Flash() as flash:
        store = make(flash)
        first = store.add_cancel(A, 5)
        assert store.add_cancel(A, 5) == first and first["n"] == 5 and first["ep"] == A
        second = store.add_cancel(B, 6)
        store = again(flash)
        assert store.pending_cancels() == [first, second] and first["id"] != second["id"]
        assert store.cancel_answered(first["id"]) and not store.cancel_answered(first["id"])
        assert again(flash).pending_cancels() == [second]


def test_cancels_are_bounded_and_never_dropped():
    with Flash() as flash:
        store = make(flash)
        for number in range(PENDING_MAX):
            store.add_cancel(A, number)
        try:
            store.add_cancel(A, 99)
        except StoreFull as error:
            assert "not confirmed" in str(error)
        else:
            raise AssertionError("one more was taken")
        assert len(again(flash).pending_cancels()) == PENDING_MAX


def test_settings_come_back_and_broken_ones_are_none():
    with Flash() as flash:
        store = make(flash)
        assert store.settings.load() == (0, {})
        store.settings.save(3, {"preroll": True, "quiet": None, "strength": 80, "name": "x" * 30})
        settings = again(flash).settings
        assert settings.load() == (3, {"preroll": True, "quiet": None, "strength": 80, "name": "x" * 30})
        damage(flash.root + "/state/settings", 20)
        trace = Trace()
        store = again(flash, trace=trace)
        assert store.settings.load() == (0, {}) and store.quarantined == 1
        assert store.aside == ["settings checksum does not match"]
        store.settings.save(4, {})
        assert store.settings.load() == (4, {}) and again(flash).quarantined == 0
