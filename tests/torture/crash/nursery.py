"""Where daemons come from: one process that has imported everything, and forks a daemon for each line of orders.

A daemon's imports cost a second of the processor, the rest of its start a tenth. Lines are JSON:
{"orders": ..., "log": path}; it ends with its input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback

# Imported late by the daemon; here once for all.
import dbos  # noqa: F401
import sqlalchemy.dialects.sqlite  # noqa: F401

import lapel_companion.workflows_v1  # noqa: F401
from tests.torture.crash import entry


def main() -> None:
    """Until the harness closes our input."""
    # Whoever ends is forgotten; the harness sees it by the control socket.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    handle = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    with os.fdopen(handle, "r") as lines:
        while line := lines.readline():
            wanted = json.loads(line)
            if os.fork() == 0:
                os.close(handle)
                _be(wanted["orders"], wanted["log"])


def _be(orders: str, log: str) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        code = entry.main(orders)
    except FileNotFoundError:
        # The case was over before its daemon began.
        pass
    except BaseException:  # noqa: BLE001 - it must not go on as a second nursery
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        # Not sys.exit: what the nursery has registered is not ours to end.
        os._exit(code)


if __name__ == "__main__":
    main()
