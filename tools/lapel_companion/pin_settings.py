"""The configuration's [pin] section in the pin's own words."""

from __future__ import annotations

from lapel_companion.config import Pin

_HAPTIC_FULL = 255
# Of 255: full brightness on a collar would light up the room.
_LED_USUAL = 96


def for_pin(pin: Pin) -> dict[str, bool | int | str | None]:
    """Names and units as the pin checks them; times of day as minutes."""
    return {
        "preroll": pin.preroll,
        "haptic_strength": round(pin.haptic_percent * _HAPTIC_FULL / 100),
        "led_brightness": round(pin.led_percent * _LED_USUAL / 100),
        "quiet_from_min": _minute(pin.quiet_from),
        "quiet_to_min": _minute(pin.quiet_to),
        "codec": pin.codec,
    }


def _minute(time_of_day: str | None) -> int | None:
    if time_of_day is None:
        return None
    hours, _, minutes = time_of_day.partition(":")
    return 60 * int(hours) + int(minutes)
