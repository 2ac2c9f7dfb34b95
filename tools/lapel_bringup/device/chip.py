"""Memory and temperature of the chip."""

import gc

import machine

from bench import say


async def run(board):
    """What is left of the heap once the app's modules are loaded, and the largest piece of it."""
    import lapel.app

    gc.collect()
    say("heap", with_app_bytes=gc.mem_free(), allocated_bytes=gc.mem_alloc(), largest_bytes=_largest())
    say("told", memory=board.memory, reset_cause=board.reset_cause(), hz=machine.freq(), app=lapel.app.__name__)
    try:
        import esp32
    except ImportError:
        say("no_esp32")
        return
    # (total, free, largest free, lowest ever) of each region
    for name, kind in (("data", "HEAP_DATA"), ("exec", "HEAP_EXEC")):
        if hasattr(esp32, kind) and hasattr(esp32, "idf_heap_info"):
            say("regions", kind=name, regions=[list(r) for r in esp32.idf_heap_info(getattr(esp32, kind))])
    if hasattr(esp32, "mcu_temperature"):
        say("temperature", celsius=esp32.mcu_temperature())


def _largest():
    # by halves, to 1 kB
    low, high = 0, gc.mem_free() + 1024
    while high - low > 1024:
        middle = (low + high) // 2
        try:
            piece = bytearray(middle)
        except MemoryError:
            high = middle
        else:
            low = middle
            del piece
        gc.collect()
    return low
