"""What the companion can set on the pin: names, defaults, limits. A flat object, as the wire carries it."""

_DAY_MINUTES = 1440

DEFAULTS = {
    # Keep the last 200 ms before a press in RAM; the microphone is then always on.
    "preroll": False,
    "haptic_strength": 255,
    "led_brightness": 96,
    # Minutes of the day between which the haptic is silent; null for never.
    "quiet_from_min": None,
    "quiet_to_min": None,
    "low_battery_mv": 3500,
    # Louder by 6 dB a step, for a microphone under cloth.
    "mic_gain_steps": 0,
    # How long a triple tap can take the newest dispatch back.
    "undo_ms": 30_000,
    # Of recordings; auto takes Opus where chip and memory have room for it.
    "codec": "auto",
}
_CHOICES = {"codec": ("auto", "opus", "adpcm")}
_RANGES = {
    "haptic_strength": (0, 255),
    "led_brightness": (0, 255),
    "quiet_from_min": (0, _DAY_MINUTES - 1),
    "quiet_to_min": (0, _DAY_MINUTES - 1),
    "low_battery_mv": (3300, 4000),
    "mic_gain_steps": (0, 6),
    "undo_ms": (5_000, 120_000),
}


class BadSettings(Exception):
    """Says in one sentence what is wrong with which setting."""


def merged(changes: dict, current=None) -> dict:
    """All settings: `current` (the defaults when None) with `changes`. Raises BadSettings, and then nothing
    was changed."""
    result = dict(current or DEFAULTS)
    for name, value in changes.items():
        wrong = _wrong(name, value)
        if wrong:
            raise BadSettings(wrong)
        result[name] = value
    if (result["quiet_from_min"] is None) != (result["quiet_to_min"] is None):
        raise BadSettings("quiet hours need both quiet_from_min and quiet_to_min, or null for both")
    return result


def salvaged(stored: dict) -> dict:
    """All settings, of `stored` those that this firmware takes: another version may have written them."""
    taken = {name: value for name, value in stored.items() if not _wrong(name, value)}
    try:
        return merged(taken)
    except BadSettings:
        return merged({name: value for name, value in taken.items() if name[:6] != "quiet_"})


def _wrong(name: str, value):
    """None, or a sentence on what is wrong."""
    if name not in DEFAULTS:
        return "there is no setting '%s'" % name
    if name in _CHOICES:
        choices = _CHOICES[name]
        return None if value in choices else "'%s' is %s, not %s" % (name, " or ".join(choices), _shown(value))
    if name not in _RANGES:
        return None if type(value) is bool else "'%s' is true or false, not %s" % (name, _shown(value))
    low, high = _RANGES[name]
    if value is None and DEFAULTS[name] is None:
        return None
    # A bool is an int to isinstance.
    if type(value) is not int or not low <= value <= high:
        return "'%s' is a whole number from %d to %d, not %s" % (name, low, high, _shown(value))
    return None


def _shown(value) -> str:
    text = repr(value)
    return text if len(text) <= 24 else text[:21] + "..."


def is_quiet(settings: dict, minute) -> bool:
    """Whether `minute` of the day (None: not known) lies in the quiet hours, which may span midnight."""
    start, end = settings["quiet_from_min"], settings["quiet_to_min"]
    if minute is None or start is None or end is None:
        return False
    return start <= minute < end if start <= end else minute >= start or minute < end
