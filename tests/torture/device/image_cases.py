"""Files that are damaged while the power is off, and a flash that has no room, at times of the scenario.

Names: `a/file/SCENARIO/t16500-state.counter-flip1`, power off at 16.5 s and that file changed; `a/full/SCENARIO/
t2900-3`, from 2.9 s on another file leaves three blocks, for a while.
"""

import os

import vfs
from judge import Excuse
from life import CUT
from play import Play, trees
from scenarios import SCENARIOS, row
from virtual_board import FLASH_DIR, READ_BYTES
from virtual_flash import TimedNor

# Times at which clips wait, notices are unseen, something is being recorded.
TIMES_MS = {
    "plain": (6000, 12_100, 16_500),
    "busy": (5500, 11_500, 16_000),
    "many": (30_000,),
    "opus": (3900, 10_900, 12_500, 18_300),
}
# A flipped byte at the beginning, in the middle, at the end; half of it; nothing of it; and no file at all.
HOWS = ("flip0", "flip1", "flip2", "half", "empty", "gone")
# What a file system that keeps its promises cannot do to files that are whole, and nobody could notice.
_UNNOTICED = ("empty", "gone")
# A lost counter, device id or settings file costs nothing that was promised.
_HARMLESS = ("counter", "device", "settings")
FULL_MS = (1500, 2200, 2900, 3450, 4000, 11_600, 14_300, 19_000)
FULL_BLOCKS = (0, 1, 2, 3, 4, 6, 9, 14, 20)
_FULL_FOR_MS = 25_000
_HOG = FLASH_DIR + "/hog"
_STATE_FOLDERS = ("state", "clips", "notices")


def cases(n: int, seed: int):
    """Every file at each time, in every way; every time and number of blocks."""
    found = []
    for scenario in SCENARIOS:
        files = []
        for ms in TIMES_MS[scenario]:
            files += ["a/file/%s/%s" % (scenario, step) for step in Damaged(scenario, {}).steps_at_ms(ms)]
        full = ["a/full/%s/t%d-%d" % (scenario, ms, blocks) for ms in FULL_MS for blocks in FULL_BLOCKS]
        found += [(kind_of(names[0]), names) for names in (files, full)]
    return found


def run(names) -> None:
    """As forks.emit, one verdict for each."""
    for family, play in (("file", Damaged), ("full", Full)):
        chosen = [name for name in names if name.split("/")[1] == family]
        for scenario, tree in trees(chosen).items():
            play(scenario, tree).run()


def kind_of(name: str) -> str:
    """The row of the table."""
    _, family, scenario, _ = name.split("/")
    return row(scenario, "a damaged file" if family == "file" else "a full flash")


class Timed(Play):
    """Steps that begin with a time."""

    def __init__(self, scenario, tree):
        super().__init__(scenario, tree)
        self.at_ms = None
        for step in tree:
            if step:
                self.life.world.after_ms(int(step.split("-")[0][1:]), self._due, step)

    def _due(self, step):
        if self.take(step):
            self.at_ms = self.life.world.now_ms
            self.befall(step)


class Damaged(Timed):
    """Steps as `t16500-state.counter-flip1`."""

    step = None

    def befall(self, step):
        self.step = step
        self.life.lose_power()

    def goes_on(self, how):
        if how == CUT and self.step:
            _, path, change = self.step.split("-")
            with Opened(self.life.image):
                damage(FLASH_DIR + "/" + path.replace(".", "/"), change)
        return how == CUT

    def excuse(self):
        harmless = self.step.split("-")[1].split(".")[1] in _HARMLESS
        return Excuse(self.life, decayed_ms=None if harmless else self.at_ms)

    def steps_at_ms(self, ms):
        """All that can be done to the files that are there after a power cut at that time."""
        self.life.run(lambda: self.life.world.now_ms >= ms, ms + 1000)
        steps = []
        with Opened(self.life.image):
            for folder in _STATE_FOLDERS:
                for name in sorted(os.listdir(FLASH_DIR + "/" + folder)):
                    unnoticed = _UNNOTICED if folder != "state" or name == "marks" else ()
                    for how in HOWS:
                        if how not in unnoticed:
                            steps.append("t%d-%s.%s-%s" % (ms, folder, name, how))
        return steps


class Full(Timed):
    """Steps as `t2900-3`."""

    def befall(self, step):
        world, blocks = self.life.world, int(step.split("-")[1])
        world.after_ms(_FULL_FOR_MS, self._make_room)
        self.life.carrier.troubles.ended_ms = world.now_ms + _FULL_FOR_MS
        # It takes no time, as if it had always been there.
        before_us = world.now_us
        with open(_HOG, "wb") as file:
            while os.statvfs(FLASH_DIR)[3] > blocks:
                try:
                    file.write(bytes(4096))
                    file.flush()
                except OSError:
                    break
        world.now_us = before_us

    def _make_room(self):
        before_us = self.life.world.now_us
        os.remove(_HOG)
        self.life.world.now_us = before_us

    def excuse(self):
        return Excuse(self.life, failed_ms=self.at_ms)


class Opened:
    """`with Opened(image):` its files are there, without a pin."""

    def __init__(self, image):
        self._image = image

    def __enter__(self):
        import virtual_time

        self._nor = TimedNor(virtual_time.World(), self._image)
        vfs.mount(vfs.VfsLfs2(self._nor, readsize=READ_BYTES), FLASH_DIR)

    def __exit__(self, *_):
        vfs.umount(FLASH_DIR)
        self._nor.dead = self._nor.is_over = True


def damage(path: str, how: str) -> None:
    """Changes a file: as HOWS."""
    if how == "gone":
        os.remove(path)
        return
    with open(path, "rb") as file:
        data = bytearray(file.read())
    if how == "empty":
        data = b""
    elif how == "half":
        data = data[: len(data) // 2]
    else:
        data[(len(data) - 1) * int(how[4:]) // 2] ^= 0x41
    with open(path, "wb") as file:
        file.write(data)
