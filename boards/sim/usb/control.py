"""The simulated pin's private wire to the host half of its USB (tools/simulator/serial_pin.py).

A message is one byte of kind, its length (u16, little endian), its bytes; each is answered by a length (u16) and
bytes, and the host half has done what it says by then.
"""

import time

LISTEN = b"l"
KEY = b"k"
WDT = b"w"
FEED = b"f"
RESET = b"R"
SOFT_RESET = b"s"
POWER_CUT = b"X"
RTC_LOAD = b"L"
RTC_SAVE = b"S"
SYNC = b"y"


class Control:
    """`out` and `back` are unbuffered files."""

    def __init__(self, out, back):
        self._out = out
        self._back = back
        self._interrupts = 0

    def ask(self, kind, data=b""):
        """The host half's answer as bytes."""
        try:
            self._tell(kind, data)
            n = int.from_bytes(self._back.read(2), "little")
            return self._back.read(n) if n else b""
        except KeyboardInterrupt as error:
            while not self._is_synced():
                pass
            raise error

    def _tell(self, kind, data):
        self._out.write(kind + len(data).to_bytes(2, "little") + data)

    def _is_synced(self):
        # What is left of an answer that nobody waits for any more would be taken for the next one. False: interrupted.
        self._interrupts += 1
        mark = b"interrupt %d." % self._interrupts
        try:
            self._tell(SYNC, mark)
            read = b""
            while read != mark:
                read = (read + self._back.read(1))[-len(mark) :]
        except KeyboardInterrupt:
            return False
        return True

    def listen(self, yes):
        """Whether Ctrl-C interrupts what runs; else it is a character like any other."""
        self.ask(LISTEN, b"1" if yes else b"0")

    def soft_reset(self, raw):
        """Never returns: another interpreter takes this one's place, at the raw prompt if `raw`."""
        self._end(SOFT_RESET, b"1" if raw else b"0")

    def reset(self):
        """Never returns."""
        self._end(RESET)

    def power_is_cut(self):
        """Never returns."""
        self._end(POWER_CUT)

    def _end(self, kind, data=b""):
        self._tell(kind, data)
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                pass
