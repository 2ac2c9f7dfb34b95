"""What can go wrong over USB. Each trouble is a sentence and a way on."""

from __future__ import annotations


class UsbError(Exception):
    """`sentence` says what is wrong and where, `way_on` what to do: whole lines, ready to be typed."""

    def __init__(self, sentence: str, way_on: str = "") -> None:
        super().__init__(f"{sentence}\n{way_on}" if way_on else sentence)
        self.sentence = sentence
        self.way_on = way_on

    def add(self, way_on: str) -> None:
        """More of what to do."""
        self.way_on = f"{self.way_on}\n{way_on}".strip()
        self.args = (f"{self.sentence}\n{self.way_on}",)


def printable(text: str) -> str:
    """What a pin said as one line that does nothing to a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class NoPort(UsbError):
    """No port, more than one, or not the one that was named."""


class Busy(UsbError):
    """Another program holds the port."""


class NoPermission(UsbError):
    """The system does not let this user open the port."""


class NotMicroPython(UsbError):
    """What answers on the port is no MicroPython, or nothing answers."""


class StrangeAnswer(UsbError):
    """The pin answered something that cannot be understood."""

    def __init__(self, asked: str, answer: str) -> None:
        super().__init__(
            f"Asked {asked}, the pin answers: {printable(answer)[:60] or 'nothing'}",
            "Press RESET and type the command again. If it comes again, put MicroPython on it anew.",
        )


class LinkLost(UsbError):
    """The port went away, or the pin stopped answering, in the middle of something."""


class PinError(UsbError):
    """Code on the pin raised. `exception` is the last line of its traceback, `traceback` all of it."""

    def __init__(self, exception: str, traceback: str) -> None:
        super().__init__(
            f"On the pin this came up: {printable(exception)}",
            "Type the command again; what was done so far is kept. If it comes again, press RESET first.",
        )
        self.exception = exception
        self.traceback = traceback


class Unfit(UsbError):
    """The pin, or the MicroPython on it, is not what the board needs."""


class Full(UsbError):
    """It does not fit on the pin's flash."""


class Refused(UsbError):
    """It would lose something, and was not asked for plainly enough."""
