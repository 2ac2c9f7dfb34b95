"""What the ESP32 port does around main.py, on the simulator: `micropython -m port [PROGRAM]`.

SystemExit out of main is a soft reset: the simulator starts the interpreter anew, with an empty heap, while
RTC memory, a running watchdog and the world stay as they are. When main returns or raises, the port sits at
its prompt: nobody's tasks run any more, but the world is polled, so that timers and the radio's callbacks come.
"""

import asyncio
import io
import json
import os
import sys
import time

import bus_world
import nor
import parts
import root
import world
from machine import reserve_dma

import bus

_END = 8
_RETURNED = 0
_RAISED = 1
_INTERRUPTED = 2
_SOFT_RESET = 3

_IDLE_MS = 1
# On the chip no part of Python's heap: taken before anything else is.
_DMA_BYTES = 40000


def run(program=None):
    """Runs main, or the program at that path in its place, and never returns."""
    reserve_dma(_DMA_BYTES)
    link = bus.connect()
    bus.attach(link)
    here = bus_world.BusWorld(link)
    world.attach(here)
    here.flash = nor.open_flash(link)
    listed = os.getenv("LAPEL_SIM_PARTS")
    parts.wire(here, json.loads(listed) if listed else parts.CLASSIC)
    # what the simulator says of battery and button at once
    here.poll()
    # The tasks of a program are not there yet: this one waits in the queue for whoever runs asyncio first.
    asyncio.create_task(asyncio.StreamReader(bus_world.Pump(here)).read(1))
    how, text = _ended(program, here if listed else None)
    link.send(bus.SYSTEM, _END, text.encode(), 1, how)
    idle(here)


def idle(here):
    """The prompt, with nobody typing."""
    while True:
        try:
            here.poll()
            time.sleep_ms(_IDLE_MS)
        except KeyboardInterrupt:
            pass


def _ended(program, hardware):
    # how main came to its end, and the traceback if there is one
    try:
        folder, _, name = (program or "main").rpartition("/")
        if folder:
            sys.path.insert(0, folder)
        if hardware:
            root.mount(hardware)
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
