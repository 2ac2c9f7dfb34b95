"""`make console`: mpremote's own prompt, with the watchdog made patient first."""

from __future__ import annotations

from collections.abc import Callable

from mpremote.console import Console
from mpremote.repl import do_repl_main_loop

from lapel_usb import waking
from lapel_usb.errors import UsbError
from lapel_usb.link import open_pin

# Longer than anybody sits there.
WATCHDOG_MS = 24 * 3600 * 1000
LEAVE = "Ctrl-]"


class _State:
    """What mpremote's loop looks at."""

    def __init__(self, transport: object) -> None:
        self.transport = transport


def run(port: str | None, tell: Callable[[str], None]) -> None:
    """Until the person leaves; then the app starts again. Raises UsbError."""
    with open_pin(port, tell=tell) as link:
        link.run(f"try:\n import machine\n machine.WDT(timeout={WATCHDOG_MS})\nexcept ImportError: pass\n", feed=False)
        try:
            console = Console()
        except Exception as error:  # termios.error is an Exception of its own
            raise UsbError("The console needs a terminal.", "For scripts: mpremote connect PORT exec ...") from error
        wire = link.transport
        wire.exit_raw_repl()
        waking.settle(wire)
        tell(f"The prompt of the pin. {LEAVE} leaves and starts the app again.")
        wire.serial.write(b"\r")
        console.enter()
        try:
            do_repl_main_loop(
                _State(wire),
                console,
                console.write,
                escape_non_printable=False,
                code_to_inject=None,
                file_to_inject=None,
            )
        finally:
            console.exit()
        tell("")
