"""The pin on USB with its parts around it: what hangs on its pins is on the simulator's bus, as under `lapel sim`.

LAPEL_SIM_BUS names the bus; the modules of the firmware and of the board lie on MICROPYPATH, as if they were frozen
into the image. An app in a folder of the pin goes before them.
"""

import os
import sys

import vfs


def is_there():
    """Whether a simulator waits for this pin."""
    return bool(os.getenv("LAPEL_SIM_BUS"))


def _interruptible(poll, take_interrupt):
    """`poll`, and then Ctrl-C, if one waits: between frames, never within one."""

    def polled():
        poll()
        if take_interrupt():
            raise KeyboardInterrupt

    return polled


def _printing(send, trace):
    """`send`, and what is told on the channel `trace` printed as well, as a real board does."""

    def sent(channel, op, data=None, *numbers):
        if channel == trace:
            print(str(data, "utf-8"))
        return send(channel, op, data, *numbers)

    return sent


class Parts:
    """Connects and wires the parts. `take_interrupt()` tells whether Ctrl-C came. `flash` is the one whose erases take
    the chip's time, "/" of a real board; None for the classic board, which mounts it elsewhere."""

    def __init__(self, take_interrupt):
        import time

        import bluetooth
        import bus_world
        import esp32
        import machine

        import bus

        here = bus_world.join()
        here.poll = _interruptible(here.poll, take_interrupt)
        link = bus.attached()
        link.send = _printing(link.send, bus.TRACE)
        self.flash = here.flash if here.is_hardware else None
        self._modules = {"machine": machine, "esp32": esp32}
        self._bluetooth = bluetooth
        self._time = time

    def put_in_place(self):
        """Under what chip.py has put into sys.modules: whatever it does not do itself is done here."""
        for name in self._modules:
            if name in sys.modules and hasattr(sys.modules[name], "_real"):
                sys.modules[name]._real = self._modules[name]
        sys.modules["bluetooth"] = self._bluetooth
        sys.modules["time"] = self._time

    def module_path(self):
        """Mounts this computer's disk out of the way; the search path to its modules from then on."""
        vfs.mount(vfs.VfsPosix("/"), "/sim")
        found = ["/sim" + path for path in sys.path if path.startswith("/")]
        return ["", ".frozen", "/lib"] + found
