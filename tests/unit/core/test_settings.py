from lapel.core import settings
from lapel.core.settings import DEFAULTS, BadSettings, is_quiet, merged, salvaged


def refusal(changes, current=None):
    try:
        merged(changes, current)
    except BadSettings as bad:
        return str(bad)
    return None


def test_defaults_are_valid_and_flat():
    assert merged({}) == DEFAULTS
    assert merged(DEFAULTS) == DEFAULTS
    # As many keys, and such values, as the wire carries.
    assert len(DEFAULTS) <= 16
    assert all(value is None or isinstance(value, (bool, int, str)) for value in DEFAULTS.values())
    assert DEFAULTS["preroll"] is False


def test_changes_keep_the_rest():
    first = merged({"haptic_strength": 10})
    second = merged({"preroll": True}, first)
    assert second["haptic_strength"] == 10 and second["preroll"] is True
    assert DEFAULTS["haptic_strength"] == 255 and first["preroll"] is False


def test_every_refusal_is_a_sentence_with_the_name():
    bad = {
        "preroll": (1, "yes", None),
        "haptic_strength": (-1, 256, True, None, 1.5, "7"),
        "led_brightness": (-1, 256),
        "quiet_from_min": (-1, 1440),
        "quiet_to_min": ("22:00",),
        "low_battery_mv": (3299, 4001, 0),
        "mic_gain_steps": (7,),
        "undo_ms": (0, 10_000_000),
        "codec": ("mp3", 1, None, ""),
        "no_such": (1,),
    }
    for name, values in bad.items():
        for value in values:
            text = refusal({name: value})
            assert text and "'%s'" % name in text, (name, value, text)
    assert refusal({"led_brightness": 300}) == "'led_brightness' is a whole number from 0 to 255, not 300"
    assert refusal({"preroll": 1}) == "'preroll' is true or false, not 1"
    assert len(refusal({"preroll": "x" * 500})) < 80


def test_a_refused_change_changes_nothing():
    current = merged({"undo_ms": 6000})
    before = dict(current)
    assert refusal({"preroll": True, "undo_ms": 1}, current)
    assert current == before


def test_the_borders_are_taken():
    for name, (low, high) in settings._RANGES.items():
        if name[:5] != "quiet":
            assert merged({name: low})[name] == low and merged({name: high})[name] == high


def test_quiet_hours_come_in_pairs():
    assert "quiet" in refusal({"quiet_from_min": 60})
    night = merged({"quiet_from_min": 1320, "quiet_to_min": 420})
    assert "quiet" in refusal({"quiet_to_min": None}, night)
    assert merged({"quiet_from_min": None, "quiet_to_min": None}, night)["quiet_to_min"] is None


def test_quiet_hours_over_midnight():
    night = merged({"quiet_from_min": 1320, "quiet_to_min": 420})
    assert [is_quiet(night, minute) for minute in (1319, 1320, 1439, 0, 419, 420, 720)] == [
        False, True, True, True, True, False, False,
    ]  # fmt: skip
    noon = merged({"quiet_from_min": 720, "quiet_to_min": 780})
    assert [is_quiet(noon, minute) for minute in (719, 720, 779, 780)] == [False, True, True, False]


def test_never_quiet_without_hours_or_clock():
    assert not is_quiet(DEFAULTS, 0)
    assert not is_quiet(merged({"quiet_from_min": 1, "quiet_to_min": 1}), 1)
    assert not is_quiet(merged({"quiet_from_min": 0, "quiet_to_min": 1439}), None)


def test_settings_of_another_version_are_salvaged():
    stored = {"preroll": True, "led_brightness": 999, "of_tomorrow": 3, "undo_ms": 9000}
    taken = salvaged(stored)
    assert taken["preroll"] is True and taken["undo_ms"] == 9000
    assert taken["led_brightness"] == DEFAULTS["led_brightness"] and "of_tomorrow" not in taken
    assert salvaged({"quiet_from_min": 5, "undo_ms": 9000})["undo_ms"] == 9000
