"""Who is on the other side of a Unix socket, as the kernel says."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Protocol

# sys/ucred.h and sys/un.h of macOS: struct xucred begins with its version and the user's id.
_SOL_LOCAL = 0
_LOCAL_PEERCRED = 1
_XUCRED_BYTES = 76
_XUCRED_VERSION = 0
_ROOT = 0
_SYSTEM = str(sys.platform)


class Connected(Protocol):
    """A socket, or asyncio's view of one."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def peer_uid(connected: Connected) -> int | None:
    """The user id of the process on the other side, None where nobody says. Raises OSError.

    Linux: SO_PEERCRED (unix(7)); macOS: LOCAL_PEERCRED (unix(4)).
    """
    if _SYSTEM == "linux":
        found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", found)[1])
    return _by_xucred(connected) if _SYSTEM == "darwin" else None


def is_owner(connected: Connected) -> bool:
    """Whether the other side runs as our user, or as root, who can read everything here anyway."""
    try:
        return peer_uid(connected) in (os.getuid(), _ROOT)
    except OSError:
        return False


def _by_xucred(connected: Connected) -> int | None:
    found = connected.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
    if len(found) < 8:
        return None
    version, uid = struct.unpack_from("=II", found)
    return int(uid) if version == _XUCRED_VERSION else None
