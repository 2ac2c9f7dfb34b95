"""The harness's own way into the daemon: the real one, with a trap at its points and a socket for a radio.

What a daemon waits for is some times shorter here, so that a case takes seconds; nothing else is changed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import channels, dbos_runner, durable, intake, notice_book, retention, steps
from lapel_companion.agents import command
from lapel_companion.daemon import Daemon, DaemonError, Options, quiet_libraries
from lapel_companion.link import candidates, desk, keeper, peer, teller
from lapel_companion.pairing import KeyFile
from tests.host.companion.companion_pin import KEY
from tests.torture.crash.radio import SocketRadio
from tests.torture.crash.trap import Fault, Trap

_SHORTER: tuple[tuple[Any, str, Any], ...] = (
    (intake, "BATCH_S", 0.02),
    (intake, "ACK_EVERY_S", 0.05),
    (intake, "RETRY_S", (0.2, 0.4)),
    (teller, "REPEAT_S", 0.4),
    (desk, "_REPEAT_S", 0.4),
    (desk, "_JOBS_SETTLE_S", 0.2),
    (peer, "_TICK_S", 0.1),
    (peer, "_HELLO_REPEAT_S", 0.5),
    (candidates, "PAUSE_S", (0.2, 0.4)),
    (keeper, "NO_RADIO_RETRY_S", (0.3,)),
    (keeper, "GATHER_S", 0.0),
    (dbos_runner, "_AGAIN_S", (0.3, 0.6, 1.0)),
    (steps, "_SAVE_AGAIN_S", 0.2),
    (channels, "_AGAIN_S", 0.3),
    (command, "_AFTERMATH_S", 0.2),
    (retention, "_FIRST_S", 0.3),
    (retention, "_BUSY_S", 0.3),
    # Written once in thousands of notices.
    (notice_book, "_MARK_EVERY", 5),
)


@dataclass(frozen=True)
class Orders:
    """Paths of the state folder, the configuration, the pin's and the control socket; what lies in wait."""

    state: str
    config: str
    pin: str
    control: str
    fault: dict[str, Any] | None

    def line(self) -> str:
        return json.dumps(self.__dict__)


def main(line: str) -> int:
    """One daemon until it ends; `line` is its Orders."""
    orders = Orders(**json.loads(line))
    os.environ["HOME"] = str(Path(orders.state).parent)
    for module, name, value in _SHORTER:
        setattr(module, name, value)
    quiet_libraries()
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(orders.control)
        trap = Trap(control, None if orders.fault is None else Fault(**orders.fault))
        trap.tell(pid=os.getpid())
        key = KeyFile(Path(orders.state))
        if key.load() is None:
            # Here, where everything that is done to the folder is looked at.
            key.save(KEY)
        durable.watch(trap)
        return asyncio.run(_live(orders, trap))


async def _live(orders: Orders, trap: Trap) -> int:
    options = Options(Path(orders.state), Path(orders.config), SocketRadio(Path(orders.pin)))
    daemon = Daemon(options, on_event=lambda _: None, report=_report)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, daemon.stop.set)
    # The harness says nothing; what can be read is its end.
    loop.add_reader(trap.control, os._exit, 1)
    running = asyncio.create_task(daemon.run())
    ready = asyncio.create_task(daemon.ready.wait())
    await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
    if daemon.ready.is_set():
        trap.tell(ready=True)
    ready.cancel()
    try:
        await running
    except DaemonError as error:
        _report(str(error))
        return 1
    return 0


def _report(sentence: str) -> None:
    print(f"{time.time():.3f} {sentence}", file=sys.stderr, flush=True)
