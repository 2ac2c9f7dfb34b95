# What the store costs the flash: erases of each thing it does, and how evenly LittleFS spreads them.
#
#   micropython -X heapsize=64m tests/device_bench/wear_store.py        prints one JSON line
#
# The real LittleFS, mounted as a board mounts it, on a small NOR flash in RAM; the app's files lie on it. Then a
# pin is used: clips of 5 s, each recorded, accepted, and answered by a notice that is seen. The erases of each block
# are counted over so many rounds that also those of directories, which LittleFS moves after a hundred, have moved.
import gc
import json
import os
import sys

ROOT = (__file__.rpartition("/")[0] or ".") + "/../.."
sys.path[:0] = [ROOT + "/firmware", ROOT + "/lib", ROOT + "/tests/unit/helpers"]

import nor  # noqa: E402
import vfs  # noqa: E402
from flash import Random, Trace  # noqa: E402

from lapel.services.store import Store  # noqa: E402

META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 12345, "t": None, "re": None}
EPOCH = "f0f1f2f3f4f5f6f7"
BYTES_A_S = 8000
READ_BYTES = 128
APP_FILES, APP_FILE_BYTES = 50, 2400
TIMES = 20
BLOCKS = 160
# Erases of a free block on average, before the rounds end.
EVEN_AT = 150
_PIECE = bytes(range(128))


def record(store, seconds):
    writer = store.begin(META)
    for _ in range(BYTES_A_S * seconds // 128):
        writer.write(_PIECE)
    writer.finish(1000 * seconds)
    gc.collect()
    return writer.number


def notice(store, seq):
    text = "how much disk space is left: " + "12 GB of 400 GB are free " * 4
    store.put({"ep": EPOCH, "s": seq, "k": "done", "d": "d12", "j": "d12.1", "x": text})


def seen(store, seq):
    store.mark_seen(EPOCH, [seq])
    store.seen_answered(EPOCH, [seq])


def settings(store, number):
    store.settings.save(number, {"preroll": False, "haptic_strength": 200, "quiet_from_min": 1320, "quiet_to_min": 420})


class Pin:
    def __init__(self, blocks):
        self.flash = nor.Nor(blocks)
        vfs.VfsLfs2.mkfs(self.flash)
        vfs.mount(vfs.VfsLfs2(self.flash, readsize=READ_BYTES), "/flash")
        os.mkdir("/flash/app")
        for number in range(APP_FILES):
            with open(f"/flash/app/{number}", "wb") as file:
                file.write(bytes(APP_FILE_BYTES))
        os.mkdir("/flash/data")
        self.store = Store("/flash/data", Random(1), Trace())
        self.store.mount()
        self.seq = 0

    def cost(self, act):
        """Erases that it costs, on average."""
        before = self.flash.erased
        for number in range(TIMES):
            act(number)
            self.store.reconcile()
        return (self.flash.erased - before) / TIMES

    def clip(self, seconds):
        self.store.remove(record(self.store, seconds))

    def noticed(self, _):
        self.seq += 1
        notice(self.store, self.seq)

    def round(self, _):
        self.clip(5)
        self.noticed(0)
        seen(self.store, self.seq)


def main():
    pin = Pin(BLOCKS)
    free = os.statvfs("/flash")[3]
    out = {
        "app_blocks": BLOCKS - free,
        "clip_5_s": pin.cost(lambda _: pin.clip(5)),
        "clip_30_s": pin.cost(lambda _: pin.clip(30)),
        "notice": pin.cost(pin.noticed),
        "seen": pin.cost(lambda number: seen(pin.store, number + 1)),
        "settings": pin.cost(lambda number: settings(pin.store, number + 1)),
    }
    while pin.flash.erased < EVEN_AT * free:
        pin.round(0)
        pin.store.reconcile()
    out["most_of_mean"] = max(pin.flash.erases) * free / pin.flash.erased
    print(json.dumps(out))


main()
