"""Opening messages of those who do not know the key, and of one who does and sends any public key.

A pin has its machine code here, a computer the plain arithmetic: that both say the same compares the two.
"""

from draw import Draw
from verdicts import crc

from lapel.compat import ON_DEVICE
from noise.initiator import Initiator
from noise.nnpsk0 import MESSAGE_BYTES, Ephemeral, Responder

if ON_DEVICE:
    from noise import device as suite
else:
    from noise import plain as suite

KEY = bytes(range(32))
PROLOGUE = b"lapel\x01\x01\x00"


def handshake(data):
    """A stranger's opening messages to a pin, then one of who knows the key, with any public key."""
    draw, taken = Draw(data), []
    pin = Responder(suite, KEY, PROLOGUE, Ephemeral(suite, lambda n: bytes([n + 1] * n)))
    genuine = opening(draw.piece(32))
    for _ in range(draw.byte() % 5):
        strange = bytearray(genuine)
        what = draw.byte() % 3
        if what == 0:
            strange[draw.byte() % MESSAGE_BYTES] ^= 1 << draw.byte() % 8
        elif what == 1:
            strange = strange[: draw.byte() % MESSAGE_BYTES]
        else:
            strange = draw.block()
        if strange != genuine:
            taken.append(pin.take(strange))
    assert not any(taken)
    # Nothing of that kept the pin from its companion.
    assert pin.take(genuine)
    reply = pin.reply()
    assert (pin.split() is None) == (reply is None)
    return "%d refused, %s" % (len(taken), reply and crc(reply))


class Chosen:
    """A public key of which nobody knows the scalar."""

    spent = False

    def __init__(self, public):
        self.public = public

    def check(self):
        pass

    def finish(self):
        return self.public

    def wipe(self):
        pass


def opening(public):
    """The first message of a companion with this public key, which is filled up with zeros."""
    return Initiator(suite, KEY, PROLOGUE, Chosen(public + bytes(32 - len(public)))).start()
