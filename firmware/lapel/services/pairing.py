"""Who may talk to the pin. For now anyone: the session in clear stands where the private one will."""

import os

from lapel_wire import gatt
from lapel_wire.session import ClearSession

IS_PRIVATE = False


def new_session():
    """A responder's session for one connection."""
    return ClearSession(False, gatt.INFO, os.urandom)
