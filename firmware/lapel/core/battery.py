"""From the battery's voltage to what is left in it."""

# Resting voltage of a lithium-polymer cell and per cent left, by turns, as its usual discharge curve goes.
_CURVE = (
    3300, 0, 3500, 3, 3600, 7, 3680, 14, 3730, 24, 3770, 36, 3820, 48, 3880, 60, 3950, 71,
    4030, 83, 4110, 93, 4180, 100,
)  # fmt: skip
# So much above the threshold before `low` ends: a cell recovers when its load goes.
RECOVERY_MV = 100


def percent(mv: int) -> int:
    """0 to 100 for a cell's voltage in millivolts."""
    below_mv, below = _CURVE[:2]
    if mv <= below_mv:
        return below
    for at in range(2, len(_CURVE), 2):
        above_mv, above = _CURVE[at : at + 2]
        if mv < above_mv:
            return below + (above - below) * (mv - below_mv) // (above_mv - below_mv)
        below_mv, below = above_mv, above
    return below


class Battery:
    """Follows one battery. `low` holds until the voltage has clearly recovered, or it is charged."""

    def __init__(self, low_mv: int) -> None:
        self.low_mv = low_mv
        self.mv = None
        self.low = False
        # What a fuel gauge says is left, None without one.
        self._gauged = None

    @property
    def percent(self):
        """0 to 100: the fuel gauge's word, else by the curve; None while nothing was measured."""
        if self._gauged is not None or self.mv is None:
            return self._gauged
        return percent(self.mv)

    def measured(self, mv, gauged=None, charging=None) -> bool:
        """Takes a voltage in millivolts (None: no reading), per cent of a gauge that has them, and whether it is
        being charged (None: not known). True when the battery has just become low."""
        self.mv = mv
        self._gauged = gauged
        if mv is None:
            return False
        was_low, limit_mv = self.low, self.low_mv
        self.low = not charging and (mv < limit_mv + RECOVERY_MV if was_low else mv < limit_mv)
        return self.low and not was_low
