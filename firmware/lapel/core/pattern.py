"""How each feedback feels and looks: rhythms, told apart by their lengths and pauses, not by strength.

A rhythm is a text: t, s, l are pulses of three lengths, " " and "-" a short and a long pause. Lengths
differ three times, which is felt through cloth. A light is a text of the same kind, with h for a long glow.
"""

LENGTHS_MS = {"t": 30, "s": 90, "l": 280, "h": 700, " ": 80, "-": 240}
PAUSES = " -"

# Between two patterns, so that they are felt as two.
APART_MS = 350
# Lights of the count after a notice, and pulses of running jobs.
COUNT_MAX = 9
JOBS_MAX = 5

_RED = (255, 0, 0)
_GREEN = (0, 255, 0)
_BLUE = (0, 0, 255)
_WHITE = (160, 160, 160)
_AMBER = (255, 110, 0)
_VIOLET = (170, 0, 255)
_CYAN = (0, 180, 180)

# A light that stays until the pin does something else.
STAYS = "="
COUNT = "count"

# name: (haptic, light, colour, rank). The lower rank goes first; rank 0 does not wait for anything.
PATTERNS = {
    "listening": ("t", STAYS, _RED, 0),
    "tick55": ("t t", "s s", _AMBER, 0),
    "full": ("s s s s s s", "l l l", _AMBER, 1),
    "error": ("t t t t t-l", "l l l", _RED, 1),
    "unpaired": ("l s l s l", "s s s s s s", _BLUE, 1),
    "safe_mode": ("l l-s s", "l l-s s", _VIOLET, 1),
    # Let go, and tap three times: to forget the owner; once more, as something was not sent; and it is done.
    "forget": ("l-t-t-t", "h-s-s-s", _RED, 1),
    "forget_again": ("l l-t-t-t", "l l-s-s-s", _AMBER, 1),
    "forgotten": ("l-l-l", "h-h", _WHITE, 1),
    "captured": ("s s", "l", _GREEN, 2),
    "kept": ("s s-s", "l-l", _CYAN, 2),
    "accepted": ("t t s", "s", _GREEN, 3),
    "pulse": ("s", "s", _WHITE, 3),
    "none_long": ("l", "l", _WHITE, 3),
    "question": ("s l-s l", "h", _VIOLET, 4),
    "reminder": ("t t t-t t t", "s s s-s s s", _BLUE, 5),
    "failed": ("l l l", "h", _RED, 6),
    "held": ("l-s-l", "l-s-l", _AMBER, 7),
    "unheard": ("l-l", "l-l", _AMBER, 8),
    "cancelled": ("l s s", "s s", _WHITE, 9),
    "done": ("s s l", "h", _GREEN, 10),
    # Only seen: how many notices there are, when all say the same.
    COUNT: ("", "", _WHITE, 10),
    "low_battery": ("s-l-s", "s-s-s", _RED, 11),
}

# Steady lights behind the patterns.
LIGHTS = {
    "off": (0, 0, 0),
    "pressed": _WHITE,
    "recording": _RED,
    "saving": _AMBER,
    "safe": _VIOLET,
}


def haptic(name: str, count: int = 0) -> str:
    """The rhythm that is felt; of `pulse`, one for each of `count`."""
    rhythm = PATTERNS[name][0]
    if name == "pulse":
        return "-".join([rhythm] * max(1, min(JOBS_MAX, count)))
    return rhythm


def light(name: str, count: int = 0) -> str:
    """The rhythm that is seen; for several notices their count follows."""
    rhythm = PATTERNS[name][1]
    if name == "pulse":
        return haptic(name, count)
    if count > 1 or name == COUNT:
        flashes = "-".join("s" * max(1, min(COUNT_MAX, count)))
        return rhythm + "-" + flashes if rhythm else flashes
    return rhythm


def colour(name: str) -> tuple:
    """(r, g, b), 0 to 255 each."""
    return PATTERNS[name][2]


def rank(name: str) -> int:
    """How urgent: the lowest goes first."""
    return PATTERNS[name][3]


def length_ms(rhythm: str) -> int:
    """How long it takes."""
    return sum([LENGTHS_MS[letter] for letter in rhythm])
