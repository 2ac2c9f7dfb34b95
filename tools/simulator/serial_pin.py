"""A pin on USB without hardware: a pseudo terminal that behaves as an ESP32-S3 with stock MicroPython.

The code runs on this computer's MicroPython (boards/sim/usb/prompt.py), on a LittleFS at "/" in an image file. Here is
what is not the interpreter: the cable, Ctrl-C, resets, the watchdog, and the power.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from simulator.pin import find_interpreter
from simulator.serial_flash import SerialFlash
from simulator.serial_process import INPUT_BYTES, NO_KEY, Claim, Interpreter
from simulator.serial_pty import Manners, Socket

BLOCKS = 256
# machine.reset_cause()
POWER_ON, HARD_RESET, WATCHDOG, SOFT_RESET = 1, 2, 3, 5
KEPT_OUTPUT_BYTES = 1 << 18
# What the interpreter tells on its private wire: see boards/sim/usb/control.py.
LISTEN, KEY, WDT, FEED, RTC_SAVE, RTC_LOAD, SYNC = b"l", b"k", b"w", b"f", b"S", b"L", b"y"
RESET, SOFT_RESET_ASKED, POWER_CUT, ENDED = b"R", b"s", b"X", b""


@dataclass
class SerialPin:
    """`folder` keeps image and port. A context manager; all methods may be called from any thread.

    `log`, when given, gets every flash operation (simulator.serial_flash.read_log). `output` is what the pin
    printed, the newest of it.
    """

    folder: Path
    blocks: int = BLOCKS
    claim: Claim = field(default_factory=Claim)
    manners: Manners = field(default_factory=Manners)
    heap_bytes: int = 2_000_000
    interpreter: str = ""
    uid: str = "7c2c67ffee01"
    env: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.flash = SerialFlash(self.folder, self.blocks)
        self.socket = Socket(self.folder / "ttyLAPEL")
        self.port = str(self.socket.path)
        self.output = b""
        self.received_bytes = 0
        # causes of all resets so far; 0 for an interpreter that ended by itself
        self.resets: list[int] = []
        self._lock = threading.RLock()
        self._news = threading.Condition(self._lock)
        self._run: Interpreter | None = None
        self._input: deque[int] = deque()
        self._rtc = b""
        self._watchdog_s = 0.0
        self._bites_at: float | None = None
        self._back_at: float | None = None
        self._cut_at_byte: int | None = None
        self._cut: Callable[[], None] = self.power_cut
        self._wake = os.pipe()
        self._thread: threading.Thread | None = None
        self._closing = False

    # --- the person's hands

    def __enter__(self) -> SerialPin:
        self._thread = threading.Thread(target=self._serve, name="serial pin", daemon=True)
        self._thread.start()
        self.power_on()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self.power_cut()
            self._closing = True
            self._woken()
        if self._thread:
            self._thread.join()
        for end in self._wake:
            os.close(end)

    def power_on(self) -> None:
        """From nothing: RTC memory is lost, main.py runs, the port appears."""
        with self._lock:
            if self._run is None:
                self._rtc = b""
                self._start(POWER_ON, raw=False)
                self.plug()
                self.socket.write(self.manners.greeting)

    def power_cut(self) -> None:
        """The pin is dead at once, and so is its port."""
        with self._lock:
            self._stop()
            self._bites_at = None
            self.unplug()
            self._news.notify_all()

    def unplug(self) -> None:
        """The cable is pulled; the pin runs on."""
        with self._lock:
            self._back_at = None
            self._input.clear()
            self.socket.unplug()
            self._woken()

    def plug(self) -> None:
        """The cable is back, under the same path."""
        with self._lock:
            self._back_at = None
            self.socket.plug()
            self._woken()

    def reset(self, cause: int = HARD_RESET) -> None:
        """As the button beside the USB socket, or what `machine.reset()` does."""
        with self._lock:
            self._stop()
            self.resets.append(cause)
            self._bites_at = None
            if self.manners.away_s is not None and self.socket.plugged:
                self.unplug()
                self._back_at = time.monotonic() + self.manners.away_s
            self._start(cause, raw=False)
            self.socket.write(self.manners.greeting)
            self._woken()

    # --- faults

    def cut_at_byte(self, count: int, cut: Callable[[], None] | None = None) -> None:
        """The power (or what `cut` does) goes once the host has sent so many bytes from now."""
        with self._lock:
            self._cut_at_byte = self.received_bytes + count
            self._cut = cut or self.power_cut

    # --- looking

    def wait_for(self, text: bytes, *, since: int = 0, timeout_s: float = 10) -> int:
        """Until the pin printed it after byte `since` of its output; gives where it ends. Raises TimeoutError."""
        return self.wait(lambda: text in self.output[since:], f"{text!r}", timeout_s) and (
            self.output.index(text, since) + len(text)
        )

    def wait(self, true: Callable[[], bool], what: str, timeout_s: float = 10) -> bool:
        """Until `true` is; asked whenever something happened. Raises TimeoutError with the last words."""
        with self._news:
            if not self._news.wait_for(true, timeout_s):
                raise TimeoutError(f"no {what} within {timeout_s} s; the pin said: {self.output[-500:]!r}")
        return True

    @contextlib.contextmanager
    def off(self) -> Iterator[Path]:
        """Without power for as long as this lasts: the image may be looked at, or changed."""
        self.power_cut()
        yield self.flash.image
        self.power_on()

    def _start(self, cause: int, *, raw: bool) -> None:
        options = {
            "image": str(self.flash.image),
            "state": str(self.flash.state),
            "log": str(self.log) if self.log else None,
            "blocks": self.flash.blocks,
            "raw": raw,
            "cause": cause,
            "uid": self.uid,
            "claim": self.claim.options(),
        }
        command = [find_interpreter(self.interpreter), "-X", f"heapsize={self.heap_bytes}"]
        self._run = Interpreter(command, options, self.env, self.folder, self.flash)
        self._woken()

    def _stop(self) -> None:
        run, self._run = self._run, None
        if run:
            run.stop()

    def _woken(self) -> None:
        os.write(self._wake[1], b"x")

    def _serve(self) -> None:
        while not self._closing:
            with self._lock:
                readable, writable, timeout_s = self._interests()
            # a descriptor may be closed meanwhile: then the next round asks anew
            with contextlib.suppress(OSError, ValueError):
                ready = select.select(readable, writable, [], timeout_s)[0]
                if self._wake[0] in ready:
                    os.read(self._wake[0], 4096)
            with self._lock:
                if not self._closing:
                    self._turn()
                    self._news.notify_all()

    def _interests(self) -> tuple[list[int], list[int], float]:
        readable, writable, timeout_s = [self._wake[0]], [], 1.0
        if self.socket.plugged:
            if len(self._input) < INPUT_BYTES:
                readable.append(self.socket.fd)
            if self.socket.waiting:
                writable.append(self.socket.fd)
                timeout_s = 0.05
        run = self._run
        if run:
            readable.append(run.control_fd)
            if not self.socket.waiting:
                readable.append(run.output_fd)
            if self._input or run.interrupt_waits:
                timeout_s = min(timeout_s, 0.001 + self.manners.chunk_s)
        for moment in (self._bites_at, self._back_at):
            if moment is not None:
                timeout_s = max(0.0, min(timeout_s, moment - time.monotonic()))
        return readable, writable, timeout_s

    def _turn(self) -> None:
        now = time.monotonic()
        if self._back_at is not None and now >= self._back_at:
            self.plug()
        if self._bites_at is not None and now >= self._bites_at:
            self.reset(WATCHDOG)
        self._from_host()
        if self.socket.plugged:
            self.socket.push()
        self._from_pin()
        if self._run:
            self._run.feed(self._input, self.manners.chunk_bytes, self.manners.chunk_s)
            self._run.interrupt_again()

    def _from_host(self) -> None:
        room = INPUT_BYTES - len(self._input)
        if self._cut_at_byte is not None:
            room = min(room, self._cut_at_byte - self.received_bytes)
        if self.socket.plugged and room > 0:
            data = self.socket.read(room)
            self.received_bytes += len(data)
            for byte in data:
                if self._run and self._run.listens and byte == self._run.key:
                    self._run.interrupt()
                else:
                    self._input.append(byte)
        if self._cut_at_byte is not None and self.received_bytes >= self._cut_at_byte:
            self._cut_at_byte = None
            self._cut()

    def _from_pin(self) -> None:
        run = self._run
        while run and run is self._run and (message := run.message()):
            # what it printed before it said this
            self._printed(run)
            self._told(run, *message)
        if run and run is self._run:
            self._printed(run)

    def _printed(self, run: Interpreter) -> None:
        while not self.socket.waiting and (data := run.printed()):
            # as the port does
            data = data.replace(b"\n", b"\r\n")
            self.output = (self.output + data)[-KEPT_OUTPUT_BYTES:]
            self.socket.write(data)

    def _told(self, run: Interpreter, kind: bytes, data: bytes) -> None:
        if kind == RESET:
            self.reset(HARD_RESET)
        elif kind == POWER_CUT:
            self.power_cut()
        elif kind == SOFT_RESET_ASKED:
            # the watchdog, RTC memory and the cable stay as they are
            self._stop()
            self._start(SOFT_RESET, raw=data == b"1")
        elif kind == ENDED:
            # the interpreter crashed: on a chip that is a reset
            self.resets.append(0)
            self.reset(HARD_RESET)
        else:
            run.answer(self._answer(run, kind, data))

    def _answer(self, run: Interpreter, kind: bytes, data: bytes) -> bytes:
        if kind == LISTEN:
            run.listens = data == b"1"
            run.interrupt_waits = False
        elif kind == KEY:
            run.key = data[0] if data[0] < 0x80 else NO_KEY
        elif kind == WDT:
            self._watchdog_s = int.from_bytes(data, "little") / 1000
        elif kind == RTC_SAVE:
            self._rtc = data
        if kind in (WDT, FEED):
            self._bites_at = time.monotonic() + self._watchdog_s
        return {RTC_LOAD: self._rtc, SYNC: data}.get(kind, b"")
