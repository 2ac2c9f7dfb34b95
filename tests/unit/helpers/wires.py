"""A world whose clock is moved by hand, with parts on the pins that a test names."""

import parts
import world


class Wires:
    """`with Wires({"chip": "button", "pins": {"A": 2}}, ...) as wires:` attaches wires.world for the time being."""

    def __init__(self, *listed):
        self._listed = listed
        self.now_ms = 1000
        self.world = world.World(lambda: self.now_ms)

    def __enter__(self):
        world.attach(self.world)
        parts.wire(self.world, self._listed)
        return self

    def __exit__(self, *_):
        world.attach(None)

    def heard(self, what):
        """What parts told of that kind, the newest last."""
        return [value for kind, value in self.world.heard if kind == what]

    def pass_ms(self, ms):
        """Time goes by, and interrupts with it, every millisecond."""
        for _ in range(ms):
            self.now_ms += 1
            self.world.poll()


def refused(kind, act, *arguments, **named):
    """The text of the exception of that kind which `act` raises."""
    try:
        act(*arguments, **named)
    except kind as error:
        return str(error)
    raise AssertionError("it was not refused")
