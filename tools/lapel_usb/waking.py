"""From a port to the raw REPL of a pin that is busy with its app.

A pin that records does not listen to Ctrl-C; one that was reset takes its port away for a moment; one whose
filesystem is broken prints for ever. All of them are asked again, patiently, until they answer or time is up.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from lapel_usb import ports
from lapel_usb.errors import Busy, NotMicroPython, UsbError
from lapel_usb.wire import TransportError, Wire

BANNER = b"raw REPL; CTRL-B to exit\r\n>"
# How long a pin may take to answer before it is asked again, and before we say that we wait.
ASK_S = 1.0
SAY_S = 2.5
# A port that went away is back by then, or it does not come.
RETURN_S = 15.0
# Silence as long as this ends what was still on its way.
QUIET_S = 0.1
POLL_S = 0.05
# A new board makes its filesystem within this.
FORMAT_S = 5.0
# Some programs look at a new port for a moment.
BUSY_S = 1.0
_SILENT_TOO = "\nA board without MicroPython is as silent: then Ctrl-C, and `make flash` says what to do."


def wake(port: str, tell: Callable[[str], None], timeout_s: float) -> Wire:
    """The open port of a pin in the raw REPL. Raises UsbError with what stands in the way."""
    started = time.monotonic()
    wire: Wire | None = None
    heard = b""
    said = False
    while True:
        try:
            if wire is None:
                wire = _open(port)
            if _answers(wire):
                return wire
        except OSError:
            # it vanished: a reset, or a cable
            heard += wire.serial.heard if wire else b""
            if wire:
                wire.close()
            wire = None
            tell(f"The port {port} went away; waiting for it to come back.")
            _wait_for(port)
            continue
        if time.monotonic() - started > timeout_s:
            heard += wire.serial.heard
            wire.close()
            raise _silent(port, heard, timeout_s)
        if not said and time.monotonic() - started > SAY_S:
            said = True
            silent = not (heard + wire.serial.heard).strip()
            tell(
                f"The pin on {port} does not let itself be interrupted yet: it records, or is busy. "
                f"Waiting up to {timeout_s:.0f} s." + (_SILENT_TOO if silent else "")
            )


def start(wire: Wire) -> None:
    """Soft reset out of the raw REPL: the pin boots as after power-on. Raises OSError when the port is gone."""
    # Ctrl-C ends code that runs and a paste that broke off
    for keys in (b"\x03", b"\r\x02"):
        wire.serial.write(keys)
        settle(wire)
    wire.serial.write(b"\x04")
    # a port that is closed at once may take the last byte with it
    wire.read_until(1, b"soft reboot", timeout=2)


def start_and_listen(wire: Wire, on_line: Callable[[str], bool], timeout_s: float) -> None:
    """The same, and then hears what the pin prints, line by line; see listen()."""
    port = wire.device_name
    with contextlib.suppress(OSError):
        start(wire)
    listen(port, on_line, timeout_s, wire)


def listen_for_start(wire: Wire) -> None:
    """The same, until the prompt is there or the filesystem is called corrupted. Raises OSError."""
    start(wire)
    heard, until = b"", time.monotonic() + FORMAT_S
    while time.monotonic() < until and b">>> " not in heard and b"corrupted" not in heard:
        wire.serial.fill(POLL_S)
        heard += wire.serial.take_all()


def listen(port: str, on_line: Callable[[str], bool], timeout_s: float | None = None, wire: Wire | None = None) -> None:
    """Gives what comes to `on_line` until it gives True or time is up; never writes. A port that goes away is opened
    again when it returns. Raises UsbError when it does not."""
    until = None if timeout_s is None else time.monotonic() + timeout_s
    line = b""
    try:
        while until is None or time.monotonic() < until:
            try:
                wire = wire or _open(port)
                wire.serial.fill(0.2)
                *lines, line = (line + wire.serial.take_all()).split(b"\n")
            except OSError:
                if wire:
                    wire.close()
                wire, line = None, b""
                _wait_for(port)
                continue
            for one in lines:
                if on_line(one.decode(errors="replace").rstrip("\r")):
                    return
    finally:
        if wire:
            wire.close()


def settle(wire: Wire) -> bytes:
    """Drops what still comes in, until it is quiet; gives the last of it."""
    last = b""
    until = time.monotonic() + ASK_S
    while time.monotonic() < until and wire.serial.fill(QUIET_S):
        last = wire.serial.take_all()
    return last


def _open(port: str) -> Wire:
    until = time.monotonic() + BUSY_S
    while True:
        try:
            return Wire(port)
        except (TransportError, OSError) as error:
            problem = ports.why_not(port)
            if not os.path.exists(port):
                raise OSError(problem.sentence) from error
            if not isinstance(problem, Busy) or time.monotonic() > until:
                raise problem from error
        time.sleep(POLL_S)


def _wait_for(port: str) -> None:
    until = time.monotonic() + RETURN_S
    while not os.path.exists(port):
        if time.monotonic() > until:
            raise ports.why_not(port)
        time.sleep(POLL_S)


def _answers(wire: Wire) -> bool:
    """Whether Ctrl-C and Ctrl-A bring the raw prompt. Raises OSError when the port is gone."""
    with contextlib.suppress(TransportError):
        wire.serial.write(b"\r\x03")
        settle(wire)
        wire.serial.write(b"\r\x01")
        if wire.read_until(1, BANNER, timeout=ASK_S, timeout_overall=ASK_S).endswith(BANNER):
            # What was typed while it did not listen is answered now; after that, one prompt and nothing else.
            settle(wire)
            wire.enter_raw_repl(soft_reset=False, timeout_overall=ASK_S)
            return True
    return False


def _silent(port: str, heard: bytes, timeout_s: float) -> UsbError:
    install = "If there is no MicroPython on the board yet: `make flash BOARD=...` says how to put it there."
    if b"waiting for download" in heard:
        return NotMicroPython(
            f"The chip on {port} is in its ROM loader and waits for an image.",
            "Press RESET to start what is on it, and type the command again.",
        )
    if not heard.strip():
        return NotMicroPython(
            f"Nothing answered on {port} within {timeout_s:.0f} s.",
            f"Press RESET on the board and type the command again. Is it the right port?\n{install}",
        )
    words = heard.decode(errors="replace").strip().splitlines()[-1][-120:]
    return NotMicroPython(
        f"What answers on {port} is no MicroPython, or it never lets itself be interrupted. Its last words: {words!r}",
        f"Press RESET on the board and type the command again.\n{install}",
    )
