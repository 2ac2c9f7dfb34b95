"""What the pin is doing, and every change of that which may happen: this table is the only list."""

BOOT = "boot"
IDLE = "idle"
PRESSED = "pressed"
RECORDING = "recording"
TAIL = "tail"
SAVING = "saving"
REFUSED = "refused"

# From a state to those that may follow. A press is taken while the clip before it is still being saved.
LEGAL = {
    BOOT: (IDLE,),
    IDLE: (PRESSED,),
    PRESSED: (IDLE, RECORDING, REFUSED),
    RECORDING: (TAIL, REFUSED),
    TAIL: (SAVING, PRESSED, REFUSED),
    SAVING: (IDLE, PRESSED, REFUSED),
    # Flash full, microphone or store failed: until the button is up, or until the press after it is heard.
    REFUSED: (IDLE, PRESSED, RECORDING),
}


class IllegalChange(Exception):
    """A change that the table does not have; the state stays as it was."""


class State:
    """`trace(event, **fields)` hears of each change as state{state}."""

    def __init__(self, trace, start: str = BOOT) -> None:
        self._trace = trace
        self.now = start

    def go(self, name: str) -> None:
        """Changes the state; to stay is no change. Raises IllegalChange."""
        if name == self.now:
            return
        if name not in LEGAL[self.now]:
            raise IllegalChange("the pin cannot go from '%s' to '%s'" % (self.now, name))
        self.now = name
        self._trace("state", state=name)
