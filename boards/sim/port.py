"""What the ESP32 port does around main.py, on the simulator: `micropython -m port [PROGRAM]`.

SystemExit out of main is a soft reset: the simulator starts the interpreter anew, with an empty heap, while
RTC memory, a running watchdog and the world stay as they are. When main returns or raises, the port sits at
its prompt: nobody's tasks run any more, but the world is polled, so that timers and the radio's callbacks come.
"""

import io
import sys
import time

import bus_world
import root

import bus

_END = 8
_RETURNED = 0
_RAISED = 1
_INTERRUPTED = 2
_SOFT_RESET = 3

_IDLE_MS = 1


def run(program=None):
    """Runs main, or the program at that path in its place, and never returns."""
    here = bus_world.join()
    how, text = _ended(program, here)
    bus.attached().send(bus.SYSTEM, _END, text.encode(), 1, how)
    idle(here)


def idle(here):
    """The prompt, with nobody typing."""
    while True:
        try:
            here.poll()
            time.sleep_ms(_IDLE_MS)
        except KeyboardInterrupt:
            pass


def _ended(program, here):
    # how main came to its end, and the traceback if there is one
    try:
        folder, _, name = (program or "main").rpartition("/")
        if folder:
            sys.path.insert(0, folder)
        if here.is_hardware:
            root.mount(here)
        __import__(name.split(".")[0])
    except SystemExit:
        return _SOFT_RESET, ""
    except KeyboardInterrupt as error:
        return _INTERRUPTED, _told(error)
    except Exception as error:
        return _RAISED, _told(error)
    return _RETURNED, ""


def _told(error):
    sys.print_exception(error)
    out = io.StringIO()
    sys.print_exception(error, out)
    return out.getvalue()


if __name__ == "__main__":
    run(*sys.argv[1:2])
