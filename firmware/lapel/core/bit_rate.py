"""How many kbit/s of Opus: what the link carries while the person speaks, and what the battery is worth."""

LEAST_KBPS = 16
USUAL_KBPS = 24
MOST_KBPS = 32
# A connection event surely carries one full packet; half of them stay free for what comes again, and for control.
_EVENT_BITS = 244 * 8
# Per cent left: from here on it lasts longer, and below here for as long as it can.
_PLENTY = 60
_LITTLE = 20


def kbps(interval_ms: int, percent) -> int:
    """`interval_ms` is the connection's, 0 without one or while it is not known; `percent` is what the battery has
    left, None where nothing measures it."""
    rate = USUAL_KBPS
    if interval_ms > 0:
        rate = max(LEAST_KBPS, min(MOST_KBPS, _EVENT_BITS // (2 * interval_ms)))
    if percent is not None and percent < _LITTLE:
        return LEAST_KBPS
    if percent is not None and percent < _PLENTY:
        return min(rate, USUAL_KBPS)
    return rate
