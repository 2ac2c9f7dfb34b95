"""The first program of a job's process group: waits until its attempt is on disk, then becomes the command.

Run by path, with no import beyond the standard library: `gate.py FD PROGRAM ARGUMENT...`. It reads one byte
from the socket FD. No byte (the companion is gone, or could not write the attempt down) means that nothing
is run. When the command cannot be run, the reason goes back through the same socket, which running it
closes.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

NOT_RUN = 125


def main(arguments: list[str]) -> int:
    # Python ignores these two, and what is ignored stays so in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    try:
        if channel.recv(1) != b"!":
            return NOT_RUN
        os.execvp(arguments[1], arguments[1:])
    except OSError as error:
        channel.sendall(f"{error.errno or 0}".encode())
    return NOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
