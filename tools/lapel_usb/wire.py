"""mpremote's serial transport, with a buffer in front of the port.

mpremote asks the port byte by byte and sleeps 10 ms when nothing is there; the buffer waits on the port instead,
and gives up where the port would hang for ever.
"""

from __future__ import annotations

import contextlib
import select
import termios
import time
from collections.abc import Callable

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

WRITE_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0


class Buffered:
    """The parts of pyserial's port that mpremote uses. Waiting reads give less than asked for after
    READ_TIMEOUT_S."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        port.timeout = 0
        port.write_timeout = WRITE_TIMEOUT_S
        # a port behind a URL has none
        self._fd: int | None = port.fileno() if hasattr(port, "fileno") else None
        self._data = b""
        # the newest of all that came in, for a sentence on what answers there
        self.heard = b""

    @property
    def fd(self) -> int:
        """For who waits with select."""
        return int(self._port.fileno())

    def fill(self, wait_s: float) -> bool:
        """Takes what is there, or the first that comes within `wait_s`. False: nothing came."""
        if self._fd is None:
            self._port.timeout = wait_s
        elif not select.select([self._fd], [], [], wait_s)[0]:
            return False
        data = self._port.read(max(1, self._port.in_waiting))
        self._data += data
        self.heard = (self.heard + data)[-2000:]
        return bool(data)

    def inWaiting(self) -> int:
        """Bytes that can be read at once."""
        self.fill(0)
        return len(self._data)

    def read(self, n: int) -> bytes:
        """`n` bytes; fewer after READ_TIMEOUT_S."""
        until = time.monotonic() + READ_TIMEOUT_S
        while len(self._data) < n and (left := until - time.monotonic()) > 0:
            self.fill(left)
        data, self._data = self._data[:n], self._data[n:]
        return data

    def take_through(self, ending: bytes) -> tuple[bytes, bool]:
        """What is buffered, up to and with `ending`; and whether that was there."""
        at = self._data.find(ending)
        n = len(self._data) if at < 0 else at + len(ending)
        # an ending may come in two pieces
        if at < 0:
            n = max(0, n - len(ending) + 1)
        data, self._data = self._data[:n], self._data[n:]
        return data, at >= 0

    def take_all(self) -> bytes:
        """What is buffered."""
        data, self._data = self._data, b""
        return data

    def write(self, data: bytes) -> int:
        """All of it. Raises serial.SerialTimeoutException when the pin takes nothing for WRITE_TIMEOUT_S."""
        written: int | None = self._port.write(data)
        return written or 0

    def close(self) -> None:
        """Let the port go, also one that is gone already. RTS before DTR: the other order resets boards with a
        USB bridge."""
        with contextlib.suppress(OSError):
            self._port.rts = False
            self._port.dtr = False
        with contextlib.suppress(OSError):
            self._port.close()


class Wire(SerialTransport):  # type: ignore[misc]
    """One open port. Raises TransportError when it cannot be opened; OSError when it goes away."""

    serial: Buffered

    def __init__(self, port: str) -> None:
        try:
            super().__init__(port, baudrate=115200)
        except termios.error as error:
            raise TransportError(f"{port} is no serial port") from error
        self.serial = Buffered(self.serial)

    def close(self) -> None:
        """Let the port go."""
        self.serial.close()

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = 10,
        data_consumer: Callable[[bytes], None] | None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """As mpremote's: gives up `timeout` s after the last byte, or `timeout_overall` s after the first."""
        end = None if timeout_overall is None else time.monotonic() + timeout_overall
        data = b""
        while True:
            piece, found = self.serial.take_through(ending)
            if piece and data_consumer:
                data_consumer(piece)
            data = piece if data_consumer else data + piece
            if found:
                return data
            waits = [1.0 if timeout is None else timeout]
            if end is not None:
                waits.append(end - time.monotonic())
            if not (min(waits) > 0 and self.serial.fill(min(waits))) and timeout is not None:
                return data + self.serial.take_all()


__all__ = ["Buffered", "TransportError", "Wire"]
