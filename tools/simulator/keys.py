"""A terminal's space bar as a button.

Terminals send a character for a key that goes down and nothing when it comes up. Those that speak kitty's
keyboard protocol tell both. With the others a bar that is held repeats: the button is down until the repeats
stop. Where it does not repeat, one press is down and the next is up.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# report keys as escape codes (8), with press, repeat and release (2), unambiguously (1)
KITTY_ON, KITTY_OFF = b"\x1b[>11u", b"\x1b[<u"
KITTY_ASK = b"\x1b[?u\x1b[c"
ASK_S = 0.25
# longer than the pause between repeats of any terminal
REPEATS_END_S = 0.2

SPACE, CTRL_C, CTRL_D = 32, 3, 4
_KEY = re.compile(rb"\x1b\[(\d+)(?::\d*)*(?:;(\d+)(?::(\d+))?)?(?:;[\d:]*)?u")
_KITTY_ANSWER = re.compile(rb"\x1b\[\?\d+u")
_ANY_ANSWER = re.compile(rb"\x1b\[\?[\d;]*c")
_CONTROL = 4
_RELEASED = 3


class Button:
    """`push(down)` is called at each edge, `quit()` once for q, Ctrl-C or Ctrl-D. Feed it what the terminal
    sends."""

    def __init__(self, push: Callable[[bool], None], quit: Callable[[], None]) -> None:
        self._push = push
        self._quit = quit
        self._down = False
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, data: bytes) -> None:
        """Bytes from the terminal."""
        for match in _KEY.finditer(data):
            key, modifiers, kind = (int(part) if part else 1 for part in match.groups())
            control = bool(modifiers - 1 & _CONTROL)
            if key == SPACE:
                self._edge(kind != _RELEASED)
            elif key == ord("q") or (control and key in (ord("c"), ord("d"))):
                self._quit()
        for byte in _KEY.sub(b"", data):
            if byte == SPACE:
                self._again()
            elif byte in (CTRL_C, CTRL_D, ord("q")):
                self._quit()

    def _edge(self, down: bool) -> None:
        if down != self._down:
            self._down = down
            self._push(down)

    def _again(self) -> None:
        if not self._down:
            self._edge(True)
            return
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(REPEATS_END_S, self._edge, False)


@contextmanager
def keyboard() -> Iterator[bool]:
    """The terminal unbuffered and silent; gives whether it tells when a key comes up."""
    stdin, stdout = sys.stdin.fileno(), sys.stdout.fileno()
    before = termios.tcgetattr(stdin)
    tty.setcbreak(stdin)
    tells = False
    try:
        tells = _speaks_kitty(stdin, stdout)
        if tells:
            os.write(stdout, KITTY_ON)
        yield tells
    finally:
        if tells:
            os.write(stdout, KITTY_OFF)
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def _speaks_kitty(stdin: int, stdout: int) -> bool:
    import select

    os.write(stdout, KITTY_ASK)
    said = b""
    while select.select([stdin], [], [], ASK_S)[0]:
        said += os.read(stdin, 256)
        if _ANY_ANSWER.search(said):
            break
    return bool(_KITTY_ANSWER.search(said))
