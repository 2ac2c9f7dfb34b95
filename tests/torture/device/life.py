"""One case: a pin with its flash, its person and what carries its packets, over any number of boots."""

import gc
import sys

import keys
import vfs
import virtual_time
from flash import Random
from nor import PowerCut
from person import Person
from sound import ADPCM, OPUS, Sound
from virtual_board import FLASH_DIR, READ_BYTES, Bitten, Board, ButtonPin, Reset, Touch
from virtual_flash import TimedNor

from lapel.app import App
from lapel.services.store_files import StoreError

# 60 s of speech must fit at a press, with the reserve.
BLOCKS = 192
# As the boards with PSRAM have it.
_PSRAM_BYTES = 8_000_000
_LOOK_MS = 50
_EVENTS_MAX = 4000

# How a run ended.
REST = "rest"
CUT = "cut"
RESET = "reset"
BITTEN = "watchdog"
LATE = "late"
DEAD = "dead"
SHUT = "shut"


class _Over(BaseException):
    def __init__(self, how):
        self.how = how


class Life:
    """`carrier` as of virtual_gatt; `ticks_at_start` of the pin's first tick, near 2**30 for a wrap.

    `image` is what the flash holds; a fresh file system when None. `fit(nor)` is called at each boot, to put faults
    on the flash.
    """

    def __init__(self, seed: int = 1, carrier=None, image=None, ticks_at_start: int = 0, blocks: int = BLOCKS):
        keys.real(False)
        self.world = world = virtual_time.World(ticks_at_start)
        virtual_time.attach(world)
        self.random = Random(seed)
        virtual_time.seed(self.random)
        self.carrier = carrier
        self.sound = Sound()
        self.openings = []
        self.touch = Touch(world)
        self.retained = [b""]
        self.battery_mv = 3900
        # Of the board; and the codecs that clips of such a pin have.
        self.heap_bytes = 0
        self.codecs = (ADPCM,)
        self.pin = ButtonPin()
        self.person = self.voice = Person(world, self.pin, self.openings)
        self.fit = None
        # (ms, event, fields) of everything the firmware traced.
        self.events = []
        self.boots = 0
        # (ms of the world, ticks of the pin) at which the power went.
        self.cuts = []
        # The exception that ended the last run, when it was one of the product's.
        self.error = None
        self.app = None
        self.board = None
        self.image = fresh_image(blocks) if image is None else image
        self.nor = TimedNor(world, self.image)

    def run(self, until, limit_ms: int, cause: str = "power") -> str:
        """Boots the pin and lets it live until `until()` is true, `limit_ms` at most; how it ended.

        The power is off afterwards: all that counts is in `image`. Events of the world stay, so a script may go
        on over a boot.
        """
        self.boots += 1
        world = self.world
        old = self.nor
        self.nor = nor = TimedNor(world, self.image)
        nor.erases, nor.erased, nor.violations = old.erases, old.erased, old.violations
        nor.bad, nor.stuck = old.bad, old.stuck
        if cause == "power":
            self.retained[0] = b""
        if self.fit:
            self.fit(nor)
        look = world.after_ms(0, self._look, until, world.now_ms + limit_ms)
        self.error = None
        try:
            vfs.mount(vfs.VfsLfs2(nor, readsize=READ_BYTES), FLASH_DIR)
            keys.pair(FLASH_DIR)
            world.run(self._main(cause))
            how = DEAD
        except _Over as over:
            how = over.how
        except PowerCut:
            self.cuts.append((world.now_ms, world.ticks_ms))
            how = CUT
        except Reset:
            how = RESET
        except Bitten:
            how = BITTEN
        except (StoreError, OSError) as error:
            self.error = error
            how = SHUT
        except Exception as error:
            self.error = error
            how = DEAD
        self._off(look)
        return how

    def has_psram(self) -> None:
        """It is a board whose heap has room for Opus, which its pin then takes by itself."""
        self.heap_bytes = _PSRAM_BYTES
        self.codecs = (OPUS,)

    def lose_power(self) -> None:
        """An event of the world: the power goes between two operations."""
        raise PowerCut

    def told(self, event: str, fields: dict) -> None:
        """The firmware's trace."""
        self.touch.told(event, fields)
        if len(self.events) < _EVENTS_MAX:
            self.events.append((self.world.now_ms, event, fields))

    def names(self, event: str):
        """The fields of every event of that name."""
        return [fields for _, name, fields in self.events if name == event]

    async def _main(self, cause):
        self.board = Board(self, self.nor, cause)
        self.app = App(self.board)
        await self.app.run()

    def _look(self, until, end_ms):
        if until():
            raise _Over(REST)
        if self.world.now_ms >= end_ms:
            raise _Over(LATE)
        # The look of a later run is another one.
        self._looking = self.world.after_ms(_LOOK_MS, self._look, until, end_ms)

    def _off(self, look) -> None:
        world, board = self.world, self.board
        self.nor.dead = self.nor.is_over = True
        world.cancel(look)
        if self._looking:
            world.cancel(self._looking)
        self._looking = None
        if board is not None:
            if board.radio is not None:
                board.radio.stop()
            board.mic.close()
            board.watchdog.stop()
        self.person.startled()
        self.touch.power_off()
        self.board = self.app = None
        try:
            vfs.umount(FLASH_DIR)
        except OSError:
            # It was never mounted.
            pass
        gc.collect()

    _looking = None


def fresh_image(blocks: int = BLOCKS) -> bytearray:
    """A flash with a file system on it, and in that a key."""
    nor = TimedNor(virtual_time.World(), bytearray(b"\xff" * (4096 * blocks)))
    vfs.VfsLfs2.mkfs(nor, readsize=READ_BYTES)
    # Without the time of day, from which the file system would choose its blocks at the next mount.
    vfs.mount(vfs.VfsLfs2(nor, readsize=READ_BYTES, mtime=False), FLASH_DIR)
    keys.pair(FLASH_DIR)
    vfs.umount(FLASH_DIR)
    nor.dead = nor.is_over = True
    return nor.data


def why(error) -> str:
    """The traceback of an exception, as text."""
    import io

    text = io.StringIO()
    sys.print_exception(error, text)
    return text.getvalue()
