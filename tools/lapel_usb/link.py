"""One pin on USB, its app interrupted and its raw REPL open: code can be run there and files copied.

`open_pin` waits for what a pin needs: the end of a recording, a port that comes back after a reset. It makes the
watchdog patient before anything else, and starts the app again at the end.
"""

from __future__ import annotations

import ast
import binascii
import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property

from lapel_usb import facts, ports, waking
from lapel_usb.errors import LinkLost, PinError, UsbError
from lapel_usb.facts import Facts
from lapel_usb.wire import TransportError, Wire

Tell = Callable[[str], None]

# The watchdog cannot be stopped. It resets a pin whose cable was pulled in the middle, so that the app runs again;
# whatever is run here feeds it.
WATCHDOG_S = 120
# Bytes of a file that travel in one go: as base64, 2.7 kB of source for the pin's compiler.
CHUNK_BYTES = 2048
_STRETCH = f"""
try:
    import machine
    _dog = machine.WDT(timeout={WATCHDOG_S * 1000})
except (ImportError, ValueError):
    _dog = None
"""
# Without a filesystem the stock boot would print for ever again.
_IS_MOUNTED = "import os\nprint(os.statvfs('/')[2] > 0)"
_FEED = "\nif _dog: _dog.feed()\n"


class PinLink:
    """The pin behind one port, in the raw REPL."""

    def __init__(self, port: str, tell: Tell = lambda sentence: None, *, timeout_s: float = 60) -> None:
        self.port = port
        self.tell = tell
        self._timeout_s = timeout_s
        self._wire: Wire | None = None

    @property
    def transport(self) -> Wire:
        """mpremote's transport, in the raw REPL; for mip."""
        if self._wire is None:
            raise LinkLost(f"The port {self.port} is closed.")
        return self._wire

    def open(self) -> None:
        """Takes the port, interrupts the app, stretches the watchdog, and clears the app away: its heap, its
        modules, its interrupts. Raises UsbError."""
        self._wire = waking.wake(self.port, self.tell, self._timeout_s)
        try:
            self.run(_STRETCH, feed=False)
            if self._is_mounted() or self._mounts_at_another_start():
                self._clear()
            self.run(_STRETCH, feed=False)
        except UsbError:
            self.drop()
            raise

    def _is_mounted(self) -> bool:
        return self.run(_IS_MOUNTED, feed=False).strip() == "True"

    def _mounts_at_another_start(self) -> bool:
        """Ctrl-C may have come while the first start of a new board was making its filesystem."""
        waking.listen_for_start(self.transport)
        self.drop()
        self._wire = waking.wake(self.port, self.tell, self._timeout_s)
        return self._is_mounted()

    def _clear(self) -> None:
        # a soft reset out of the raw REPL comes back to it, without main.py
        try:
            self.transport.enter_raw_repl(soft_reset=True)
        except OSError:
            # a USB of its own that begins anew
            self.drop()
            self._wire = waking.wake(self.port, self.tell, self._timeout_s)
        except TransportError as error:
            raise LinkLost(f"The pin on {self.port} did not come back from a soft reset ({error}).", _AGAIN) from error

    def restart(self) -> None:
        """An empty interpreter: a soft reset that runs no main.py, for who needs all of the heap. Raises UsbError."""
        try:
            self.transport.enter_raw_repl(soft_reset=True)
        except OSError as problem:
            raise LinkLost(f"{self.port} went away: {problem}.", _AGAIN) from problem
        except TransportError as problem:
            raise LinkLost(f"The pin on {self.port} did not start anew ({problem}).", _AGAIN) from problem
        self.run(_STRETCH, feed=False)

    def stop(self) -> None:
        """Ends what still runs there, after an interrupt on this side. Raises LinkLost."""
        try:
            self.transport.enter_raw_repl(soft_reset=False)
        except (OSError, TransportError) as problem:
            raise LinkLost(f"{self.port} does not listen any more: {problem}.", _AGAIN) from problem

    def drop(self) -> None:
        """Lets the port go and leaves the pin as it is."""
        wire, self._wire = self._wire, None
        if wire:
            wire.close()

    def reopen(self) -> None:
        """Waits for a pin that went away (a reset, a loose cable) and interrupts it again. Raises UsbError."""
        self.drop()
        self.tell(f"The port {self.port} went away; waiting for it to come back.")
        self.open()

    def start_app(self) -> None:
        """Soft reset: the pin boots as after power-on; the port is let go."""
        try:
            waking.start(self.transport)
        except OSError as error:
            raise LinkLost(f"{self.port} went away: {error}.") from error
        finally:
            self.drop()

    def reset(self) -> None:
        """Hard reset; the port is let go."""
        try:
            self.transport.exec_raw_no_follow("import machine\nmachine.reset()")
        except (OSError, TransportError) as error:
            # it may be gone before it has answered
            self.tell(f"The pin restarts ({error}).")
        finally:
            self.drop()

    def start_and_listen(self, on_line: Callable[[str], bool], timeout_s: float) -> None:
        """Soft reset; `on_line` gets what the pin prints from then on, until it gives True or time is up. The port is
        let go. A port that goes away with the reset is opened again."""
        wire = self.transport
        self._wire = None
        waking.start_and_listen(wire, on_line, timeout_s)

    def run(
        self, code: str, *, timeout_s: float = 10, on_line: Callable[[str], None] | None = None, feed: bool = True
    ) -> str:
        """What the code prints. `timeout_s` is the longest silence; `on_line` gets each line as it comes.

        Raises PinError with what the code raised, LinkLost when the pin is gone or silent.
        """
        lines = _Lines(on_line)
        try:
            self.transport.exec_raw_no_follow(code + (_FEED if feed else ""))
            self._through(timeout_s, lines.take)
            error = self._through(timeout_s, None)
        except OSError as problem:
            raise LinkLost(f"{self.port} went away: {problem}.", _AGAIN) from problem
        except (TransportError, IndexError, ValueError) as problem:
            raise LinkLost(f"The pin on {self.port} stopped answering ({problem}).", _AGAIN) from problem
        if error:
            text = error.decode(errors="replace").replace("\r\n", "\n").strip()
            raise PinError(text.splitlines()[-1] if text else "nothing", text)
        return lines.text()

    def _through(self, timeout_s: float, consumer: Callable[[bytes], None] | None) -> bytes:
        # up to the end mark, without it
        data: bytes = self.transport.read_until(1, b"\x04", timeout=timeout_s, data_consumer=consumer)
        if not data.endswith(b"\x04"):
            raise TransportError(f"nothing for {timeout_s:.0f} s")
        return data[:-1]

    def evaluate(self, expression: str, *, timeout_s: float = 10) -> object:
        """The value of an expression that prints as a literal. Raises as `run`."""
        text = self.run(f"print(repr({expression}))", timeout_s=timeout_s).strip()
        try:
            value: object = ast.literal_eval(text)
        except (ValueError, SyntaxError) as error:
            raise LinkLost(f"The pin on {self.port} answered {text!r}, which is no value.") from error
        return value

    @cached_property
    def facts(self) -> Facts:
        """What the pin says of itself; asked once."""
        return facts.probe(self.run)

    def forget_facts(self) -> None:
        """They have changed."""
        self.__dict__.pop("facts", None)

    # --- files

    def write_file(self, path: str, data: bytes, on_chunk: Callable[[int], None] = lambda count_bytes: None) -> None:
        """Writes and closes it. `on_chunk` hears how many bytes went with each chunk."""
        self.run(f"from binascii import a2b_base64 as _b\n_f = open({path!r}, 'wb')")
        try:
            for at in range(0, len(data), CHUNK_BYTES):
                chunk = data[at : at + CHUNK_BYTES]
                text = binascii.b2a_base64(chunk, newline=False).decode()
                self.run(f"_f.write(_b('{text}'))")
                on_chunk(len(chunk))
        finally:
            with contextlib.suppress(LinkLost):
                self.run("_f.close()")

    def read_file(self, path: str, on_chunk: Callable[[int], None] = lambda count_bytes: None) -> bytes:
        """All of it. Raises PinError (OSError) when there is none."""
        return self.read_with(f"_f = open({path!r}, 'rb')", "_f.read(_n)", "_f.close()", on_chunk)

    def read_with(
        self, begin: str, read: str, end: str, on_chunk: Callable[[int], None] = lambda count_bytes: None
    ) -> bytes:
        """What `read`, an expression on the pin that may ask for `_n` bytes, gives until it gives nothing."""
        self.run(f"from binascii import b2a_base64 as _a\n_n = {CHUNK_BYTES}\n{begin}")
        data = bytearray()
        try:
            while text := self.run(f"print(_a({read}).decode(), end='')").strip():
                chunk = binascii.a2b_base64(text)
                data += chunk
                on_chunk(len(chunk))
        finally:
            with contextlib.suppress(LinkLost):
                self.run(end)
        return bytes(data)

    def digest(self, path: str) -> str:
        """SHA-256 of a file on the pin, in hex; "" when there is none."""
        return self.digests([path])[path]

    def digests(self, paths: list[str]) -> dict[str, str]:
        """SHA-256 of each file, computed on the pin; "" for one that is not there."""
        self.run(_DIGEST)
        found = {}
        for path in paths:
            found[path] = self.run(f"_digest({path!r})", timeout_s=30).strip()
        return found


_PRINTED_MAX_BYTES = 4 * 1024 * 1024
_AGAIN = "Look at the cable and type the command again. The pin starts by itself within two minutes."
_DIGEST = """
import hashlib, binascii
def _digest(path):
    h = hashlib.sha256()
    b = memoryview(bytearray(1024))
    try:
        with open(path, "rb") as f:
            while True:
                n = f.readinto(b)
                if not n:
                    break
                h.update(b[:n])
    except OSError:
        print("")
        return
    print(binascii.hexlify(h.digest()).decode())
"""


class _Lines:
    """Puts together what comes in pieces."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._on_line = on_line
        self._printed = bytearray()
        self._line = b""

    def take(self, piece: bytes) -> None:
        self._printed += piece
        if len(self._printed) > _PRINTED_MAX_BYTES:
            raise TransportError("it prints without an end")
        if self._on_line is None:
            return
        *lines, self._line = (self._line + piece.replace(b"\x04", b"")).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))

    def text(self) -> str:
        return self._printed.replace(b"\x04", b"").decode(errors="replace").replace("\r\n", "\n")


@contextlib.contextmanager
def open_pin(
    port: str | None = None, *, tell: Tell = lambda sentence: None, timeout_s: float = 60, restart: bool = True
) -> Iterator[PinLink]:
    """The pin on `port`, or the only one there. At the end the app starts again, unless `restart` is False or the
    link is gone. `timeout_s`: how long a pin that records may keep us waiting. Raises UsbError."""
    link = PinLink(ports.choose(port), tell, timeout_s=timeout_s)
    link.open()
    try:
        yield link
    except LinkLost:
        link.drop()
        raise
    finally:
        if restart:
            with contextlib.suppress(LinkLost):
                link.start_app()
        link.drop()


