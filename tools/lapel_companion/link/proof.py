"""What a pin has to prove before anything is said to it, and what is said of those that cannot."""

from __future__ import annotations

from lapel_wire import gatt, rescue
from lapel_wire.session import Session
from noise.initiator import Initiator


class LinkFailed(Exception):
    """The connection is of no more use; the text says why."""


class NotOurPin(LinkFailed):
    """Whoever advertises there did not prove to be our pin."""


class InSafeMode(NotOurPin):
    """A pin whose app does not start; the text is the cause it gives. Whether it is ours cannot be known."""


class CannotBeOurs(NotOurPin):
    """It says of itself why there is no session with it; the text says what to do if it is ours all the same."""


def check_info(info: bytes) -> None:
    """What the pin says of itself before the session. Nobody vouches for it; but with these none is possible.

    Raises InSafeMode, CannotBeOurs.
    """
    cause = rescue.safe_cause(info)
    if cause is not None:
        raise InSafeMode(cause)
    version, wanted = info[0] if info else 0, gatt.PROTOCOL_VERSION
    if version < wanted:
        raise CannotBeOurs(
            f"a pin near you speaks protocol {version}, which is not private; this computer speaks {wanted}. If it is"
            " yours, put this version on it: make flash"
        )
    if version > wanted:
        raise CannotBeOurs(
            f"a pin near you speaks protocol {version}, this computer {wanted}. If it is yours, update Lapel on this"
            " computer"
        )
    if len(info) > 1 and info[1] & gatt.FLAG_UNPAIRED:
        raise CannotBeOurs("a pin near you is not paired. If it is yours, plug it in and type: lapel pair")


def open_session(initiator: Initiator, answer: bytes | memoryview) -> Session:
    """The session, when that answer proves the key. Raises NotOurPin."""
    ciphers = None
    if initiator.take(answer):
        # Less than a millisecond on a computer.
        while not initiator.step():
            pass
        ciphers = initiator.result
    if ciphers is None:
        raise NotOurPin("its answer to the handshake is wrong")
    return Session(*ciphers)
