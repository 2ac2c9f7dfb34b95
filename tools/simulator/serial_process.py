"""One run of the interpreter behind the simulated pin's USB, from reset to reset: the process and its pipes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator import interrupting
from simulator.serial_flash import SerialFlash

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "boards" / "sim" / "usb" / "prompt.py"
# Not an argument: the unix port takes none of more than 255 characters.
OPTIONS = "LAPEL_SIM_USB"
BUS = "LAPEL_SIM_BUS"
MODULES = "LAPEL_SIM_MODULES"
CTRL_C = 3
NO_KEY = -1
# The port's input buffer; what is more waits on the host's side.
INPUT_BYTES = 260
# A second interrupt would end the unix port when the first was not taken yet.
INTERRUPT_GAP_S = 0.3


@dataclass(frozen=True)
class Claim:
    """What the pin says of itself where it differs from the truth; see boards/sim/usb/chip.py."""

    machine: str | None = None
    version: tuple[int, int, int] | None = None
    mpy: int | None = None
    psram_bytes: int = 0
    flash_bytes: int | None = None
    without: tuple[str, ...] = ()

    def options(self) -> dict[str, Any]:
        """For the device's half."""
        return {name: value for name, value in vars(self).items() if value}


class Interpreter:
    """Starts the process. `options` are those of boards/sim/usb/prompt.py.

    On the simulator's bus an interrupt in the middle of a frame would break the wire: there the pin is asked to take it
    when it polls, and interrupted only when it does not poll.
    """

    def __init__(
        self, command: list[str], options: Mapping[str, Any], env: Mapping[str, str], folder: Path, flash: SerialFlash
    ) -> None:
        self._asks = flash if BUS in env else None
        flash.interrupt = False
        to_pin, from_pin = os.pipe(), os.pipe()
        # of the firmware, for a pin with its parts around it
        path = [str(PROGRAM.parent), *([env[MODULES]] if MODULES in env else []), ".frozen"]
        told = json.dumps({**options, "control": [from_pin[1], to_pin[0]]})
        self._process = subprocess.Popen(
            [*command, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env, OPTIONS: told, "MICROPYPATH": ":".join(path)},
            cwd=folder,
            pass_fds=(from_pin[1], to_pin[0]),
            bufsize=0,
            start_new_session=True,
        )
        os.close(from_pin[1])
        os.close(to_pin[0])
        self._to_control, self.control_fd = to_pin[1], from_pin[0]
        assert self._process.stdin and self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        # whether the key interrupts what runs, or is a character like any other
        self.listens = False
        self.key = CTRL_C
        self.interrupt_waits = False
        self._interrupted_at = 0.0
        self._computed_s: float | None = None
        self._fed_at = 0.0

    @property
    def output_fd(self) -> int:
        """To wait for."""
        return self._stdout.fileno()

    def stop(self) -> None:
        """Gone at once, whatever it was doing."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()
        os.close(self._to_control)
        os.close(self.control_fd)

    def interrupt(self) -> None:
        """What Ctrl-C does, as soon as it may: see interrupting.py."""
        if self._asks and not self.interrupt_waits:
            self._asks.interrupt = True
            self._interrupted_at = time.monotonic()
        self.interrupt_waits = True
        self._computed_s = interrupting.computed_s(self._process.pid)
        self.interrupt_again()

    def interrupt_again(self) -> None:
        """The interrupt that had to wait."""
        if self._asks and not self._asks.interrupt:
            self.interrupt_waits = False
        since_s = time.monotonic() - self._interrupted_at
        if not (self.interrupt_waits and self.listens) or since_s < INTERRUPT_GAP_S:
            return
        now_s = interrupting.computed_s(self._process.pid)
        is_busy = now_s is None or self._computed_s is None or now_s > self._computed_s + interrupting.BUSY_S
        if interrupting.interrupt(self._process.pid, anyway=is_busy):
            self._interrupted_at, self.interrupt_waits = time.monotonic(), False
            if self._asks:
                self._asks.interrupt = False

    def feed(self, waiting: deque[int], chunk_bytes: int, chunk_s: float) -> None:
        """Moves input to the interpreter, no more ahead than the port's buffer holds."""
        if not waiting or time.monotonic() < self._fed_at + chunk_s:
            return
        ahead = struct.unpack("i", fcntl.ioctl(self._stdin.fileno(), termios.FIONREAD, bytes(4)))[0]
        n = min(INPUT_BYTES - ahead, len(waiting), chunk_bytes)
        if n <= 0:
            return
        self._fed_at = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(bytes(waiting.popleft() for _ in range(n)))

    def printed(self) -> bytes:
        """Some of what it printed, b"" when there is nothing now."""
        ready = select.select([self._stdout], [], [], 0)[0]
        return self._stdout.read(4096) or b"" if ready else b""

    def message(self) -> tuple[bytes, bytes] | None:
        """Kind and bytes of the next one on its private wire, if one is there; a kind of b"" when it ended."""
        if not select.select([self.control_fd], [], [], 0)[0]:
            return None
        head = os.read(self.control_fd, 3)
        if len(head) < 3:
            return b"", b""
        n = head[1] | head[2] << 8
        return head[:1], os.read(self.control_fd, n) if n else b""

    def answer(self, data: bytes) -> None:
        """To the last message."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._to_control, len(data).to_bytes(2, "little") + data)
