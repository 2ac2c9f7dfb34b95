"""A block that fails, once or for ever, in any operation of a day: what was promised is kept, or the pin tells.

`Day` (helpers/day.py) goes on after every StoreError, as the pin does; nothing else may be raised. Then the pin
starts with the fault, and once more without it.
"""

import gc

from day import Day
from flash import Flash, Random
from nor import Nor

ONLY_MICROPYTHON = (
    "test_an_operation_that_fails_once", "test_a_block_that_fails_for_ever", "test_a_block_that_begins_to_fail",
    "test_a_block_that_accepts_and_keeps_the_old", "test_a_bit_that_is_stuck",
    "test_bits_that_rot_after_they_were_written",
)  # fmt: skip
MICROPYTHON_HEAP = "32m"
MICROPYTHON_TIMEOUT_S = 120

BLOCKS = 40
OPTIONS = {"readsize": 128}
KINDS = ("read", "program", "erase")
# A failure that the block device answers, and one that it raises, as the chip's partition does.
WAYS = ("answers", "raises")
# Bits of each block that rot.
TRIES = 60
TOLD = ("quarantined", "clip_damaged", "store_error")


class Once:
    def __init__(self, kind, at, way):
        self.kind, self.at, self.way = kind, at, way
        self.count = 0

    def __call__(self, kind, block):
        if kind != self.kind:
            return 0
        self.count += 1
        return failed(self.way) if self.count - 1 == self.at else 0


class Ever:
    def __init__(self, kind, block, way):
        self.kind, self.block, self.way = kind, block, way

    def __call__(self, kind, block):
        return failed(self.way) if kind == self.kind and block == self.block else 0


def failed(way):
    if way == "raises":
        raise OSError(5)
    return -5


class Result:
    """`mounts`: with the fault still there. `bare`, `told`: what is missing then, and whether the pin said so;
    `lost`: what is missing when the fault is gone."""

    def __init__(self):
        self.mounts, self.told, self.bare, self.lost = False, [], [], []


def day(fit, late=False):
    """A day with the fault that fit(nor) makes; `late`: from its middle on."""
    result = Result()
    flash = Flash(BLOCKS, **OPTIONS)
    nor = flash.nor
    flash.__enter__()
    whole = Day(flash)
    try:
        if late:
            whole.between = lambda: fit(nor)
        else:
            fit(nor)
        if lives(whole.play) and lives(flash.remount):
            result.mounts = whole.boot()
        if result.mounts:
            result.bare = whole.missing()
        result.told = [event for event, _ in whole.trace.events if event in TOLD]
        if whole.store:
            whole.store.close()
        nor.fault, nor.stuck = None, {}
        nor.bad.clear()
        gc.collect()
        lives(flash.remount) or flash.__enter__()
        assert whole.boot(), whole.failures[-1]
        result.lost = whole.missing()
        assert whole.record(5000) in whole.store.waiting()
        whole.store.close()
    finally:
        nor.fault = None
        lives(lambda: flash.__exit__())
        gc.collect()
    return result


def lives(act):
    """Whether the file system could be mounted."""
    try:
        act()
    except OSError:
        return False
    return True


def kept(result, where):
    """What is asked of each case: nothing is missing that the pin has not told of."""
    assert not result.lost or result.told, (where, result.lost)
    assert not result.bare or result.told, (where, result.bare)
    return not result.lost


def test_an_operation_that_fails_once():
    for kind in KINDS:
        count = Once(kind, -1, "")
        day(lambda nor, fault=count: setattr(nor, "fault", fault))
        for way in WAYS:
            step = max(1, count.count // 40)
            tried = range(len(kind) % step, count.count, step)
            good = 0
            for at in tried:
                fault = Once(kind, at, way)
                good += kept(day(lambda nor, fault=fault: setattr(nor, "fault", fault)), (kind, way, at))
            # Marks that could not be read once are the one thing that is not there afterwards.
            assert good >= len(tried) - (2 if kind == "read" else 0), (kind, way)


def test_a_block_that_fails_for_ever():
    for kind in KINDS:
        for block in range(BLOCKS):
            way = WAYS[block % 2]
            assert kept(day(lambda nor, at=block: setattr(nor, "fault", Ever(kind, at, way))), (kind, way, block))


def test_a_block_that_begins_to_fail():
    for kind in KINDS:
        mounted = 0
        for block in range(BLOCKS):
            way = WAYS[(block + 1) % 2]
            result = day(lambda nor, at=block: setattr(nor, "fault", Ever(kind, at, way)), True)
            assert kept(result, (kind, way, block))
            mounted += result.mounts
        # Only a directory that cannot be read keeps it from starting.
        assert mounted >= BLOCKS - (10 if kind == "read" else 0)


def test_a_block_that_accepts_and_keeps_the_old():
    for block in range(BLOCKS):
        for late in (False, True):
            result = day(lambda nor, at=block: nor.bad.update({at: "stuck"}), late)
            assert kept(result, (block, late)) and result.mounts, block


def test_bits_that_rot_after_they_were_written():
    random, flash = Random(3), Flash(BLOCKS, **OPTIONS)
    flash.__enter__()
    lived = Day(flash)
    lived.play()
    image = bytes(flash.nor.data)
    flash.__exit__()
    damaged = told = silent = 0
    # The root directory's two blocks hold the names of four folders, and are told of in firmware/README.md.
    for block in range(2, BLOCKS):
        content = image[block * 4096 : (block + 1) * 4096]
        used = [at for at in range(4096) if content[at] != 255]
        for _ in range(TRIES if used else 0):
            rotten = bytearray(image)
            rotten[block * 4096 + used[random.below(len(used))]] ^= 1 << random.below(8)
            found = after_rot(lived, rotten)
            if found is None:
                damaged += 1
                continue
            missing, tells = found
            told += bool(missing and tells)
            # No clip is gone without a word. Of a notice the companion knows, as of settings; marks and cancels
            # are as they were a moment before.
            assert tells or not [one for one in missing if one[:4] in ("clip", "devi")], (block, missing)
            silent += bool(missing) and not tells
    assert told > 3 * TRIES and silent < 10 * TRIES and damaged < 4 * TRIES


def after_rot(lived, image):
    """(what is missing, whether the pin tells of something) or None where it does not mount."""
    flash = Flash(BLOCKS, image=image, nor=Nor(BLOCKS, image), **OPTIONS)
    try:
        flash.__enter__()
    except OSError:
        return None
    now = Day(flash, 9)
    for name in ("captured", "possible", "given", "notices", "settings", "cancels", "device"):
        setattr(now, name, getattr(lived, name))
    try:
        if not now.boot():
            return None
        missing = now.missing()
        tells = any(event in TOLD or event == "clip_cut" for event, _ in now.trace.events)
        now.store.close()
        return missing, tells
    finally:
        flash.__exit__()
        gc.collect()


def test_a_bit_that_is_stuck():
    random = Random(5)
    for block in range(BLOCKS):
        for ones, zeros in ((1 << random.below(8), 0), (0, 1 << random.below(8))):
            position = block * 4096 + random.below(4096)
            kept(day(lambda nor, at=position, to=(ones, zeros): nor.stuck.update({at: to})), (position, ones, zeros))
