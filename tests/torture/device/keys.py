"""The key that pin and companion share in every case, and the arithmetic with which both use it.

Most cases are about something else than secrecy, and there are tens of thousands of them: they take the tests' light
suite, which refuses what the real ones refuse and costs next to nothing. `real()` is for those that do not.
"""

import light

from lapel.services import handshakes, pairing
from lapel.services.store_files import StoreError

KEY = bytes([k * 5 & 0xFF for k in range(pairing.KEY_BYTES)])

_arithmetic = handshakes.arithmetic
_real = False


def suite():
    """What pin and companion compute with."""
    return _arithmetic() if _real else light


def real(is_real):
    """Whether from now on it is the firmware's own."""
    global _real
    _real = is_real


def pair(root):
    """As a person with a cable does with a pin that has no key, or has lost it; True when it had none."""
    try:
        if pairing.load(root) is not None:
            return False
    except ValueError:
        pass
    try:
        pairing.save(root, 1, KEY)
    except StoreError:
        # The flash takes nothing; there will be another boot.
        pass
    return True


handshakes.arithmetic = suite
