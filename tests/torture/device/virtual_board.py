"""A board as boards/README.md describes it, in RAM and in virtual time: the firmware runs on it unmodified.

The drivers of the button and of the microphone are the product's own; what lies under them is here.
"""

from sound import BLOCK_BYTES, BLOCK_SAMPLES, Opening
from virtual_gatt import Gatt

from drivers.button import Button
from drivers.mic_i2s import MicI2S
from lapel.core import pattern

FLASH_DIR = "/flash"
# As the real boards mount it: LittleFS takes caches of four times this.
READ_BYTES = 128
BLOCK_US = BLOCK_SAMPLES * 1_000_000 // 16000
_DMA_BLOCKS = 19
_WATCHDOG_MS = 8000


class Bitten(BaseException):
    """The watchdog was not fed in time."""


class Reset(BaseException):
    """The pin resets itself."""


class ButtonPin:
    """The button's GPIO, pulled up: 0 is down."""

    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self):
        self._level = 1
        self._handler = None

    def value(self):
        return self._level

    def irq(self, handler, trigger=0):
        self._handler = handler

    def move(self, is_down: bool) -> None:
        """The finger does."""
        self._level = 0 if is_down else 1
        if self._handler:
            self._handler(self)


class I2S:
    """A receiving I2S: 256 frames a block, 19 blocks wait, then the oldest is lost in silence."""

    def __init__(self, world, sound, voice, openings):
        self._world = world
        self._sound = sound
        self._voice = voice
        self.opening = Opening(world.ticks_ms)
        openings.append(self.opening)
        self._begun_us = world.now_us
        # Bytes read of the first of the blocks that wait, and its index.
        self._at = 0
        self._first = 0
        self._due = None
        self._next()

    def _next(self):
        heard = len(self.opening.recordings)
        self._due = self._world.at_us(self._begun_us + (heard + 1) * BLOCK_US, self._heard)

    def _heard(self):
        heard = self.opening.recordings
        heard.append(self._voice.recording)
        self.opening.numbers.add(self._voice.recording)
        if len(heard) - self._first > _DMA_BLOCKS:
            self.opening.lost.add(self._first)
            self._first += 1
            self._at = 0
        self._next()

    def ioctl(self, request, flags):
        """Readable as soon as a block is whole."""
        return flags & 1 if len(self.opening.recordings) > self._first else 0

    def readinto(self, buffer):
        if len(self.opening.recordings) <= self._first:
            return None
        block = self._sound.block(self.opening.recordings[self._first], self._first)
        n = min(len(buffer), BLOCK_BYTES - self._at)
        buffer[:n] = block[self._at : self._at + n]
        self._at += n
        if self._at == BLOCK_BYTES:
            self._first += 1
            self._at = 0
        return n

    def deinit(self):
        self._world.cancel(self._due)


class Touch:
    """What the person feels and sees: a pattern counts as felt when all of its pulses were driven to their end."""

    def __init__(self, world):
        self._world = world
        # (ms, name, count) of each pattern that was felt whole.
        self.felt = []
        self.colour = (0, 0, 0)
        self._pulses = []
        self._on_ms = None
        self._count = 0

    def drive(self, strength):
        now_ms = self._world.now_ms
        if self._on_ms is not None:
            self._pulses.append(now_ms - self._on_ms)
        self._on_ms = now_ms if strength else None

    def show(self, r, g, b):
        self.colour = (r, g, b)

    def told(self, event, fields):
        """The firmware says which pattern it means; what was driven decides."""
        if event == "haptic":
            self._count = fields["count"]
        elif event == "haptic_end":
            pulses, self._pulses = self._pulses, []
            rhythm = [letter for letter in pattern.haptic(fields["pattern"], self._count) if letter in "tsl"]
            if len(pulses) == len(rhythm):
                lengths = [pattern.LENGTHS_MS[letter] for letter in rhythm]
                if all(pulse >= length - 1 for pulse, length in zip(pulses, lengths)):
                    self.felt.append((self._world.now_ms, fields["pattern"], self._count))

    def power_off(self):
        """What was being felt ends here, unfinished."""
        self._on_ms = None
        self._pulses = []

    def count(self, name: str) -> int:
        """How often that pattern was felt."""
        return sum([1 for _, felt, _ in self.felt if felt == name])


class Retained:
    """Memory that survives a reset: the box is the life's."""

    def __init__(self, box):
        self._box = box

    def load(self):
        return self._box[0]

    def save(self, data):
        if len(data) > 2048:
            raise ValueError("more than 2048 bytes")
        self._box[0] = bytes(data)


class Watchdog:
    """Ends the run when it was not fed for 8 s."""

    def __init__(self, world):
        self._world = world
        self._timeout_ms = _WATCHDOG_MS
        self._due = None

    def feed(self):
        if self._due:
            self._world.cancel(self._due)
        self._due = self._world.after_ms(self._timeout_ms, self._bite)

    def stretch(self, timeout_ms):
        self._timeout_ms = timeout_ms
        self.feed()

    def stop(self):
        """The power is off."""
        if self._due:
            self._world.cancel(self._due)

    def _bite(self):
        raise Bitten


class Console:
    def hold(self, held):
        """Nobody types."""


class Battery:
    charging = None

    def __init__(self, mv):
        self.mv = mv

    def read_mv(self):
        return self.mv

    def read_percent(self):
        return None


class Board:
    """`life` has world, carrier, sound, voice, openings, touch, retained, pin, battery_mv, heap_bytes and
    told(event, fields)."""

    name = "virtual"
    flash_dir = FLASH_DIR

    def __init__(self, life, flash, cause: str):
        world = life.world
        self._life = life
        self._cause = cause
        self.memory = {"heap_bytes": life.heap_bytes, "executable_bytes": 0, "dma_bytes": 0, "nimble_bytes": 0}
        self.flash = flash
        self.faults = []
        self.retained = Retained(life.retained)
        self.watchdog = Watchdog(world)
        self.console = Console()
        self.button = Button(life.pin)
        self.mic = MicI2S(lambda: I2S(world, life.sound, life.voice, life.openings))
        self.haptic = self.led = self.light = life.touch
        self.battery = Battery(life.battery_mv)
        # Made by the app, which knows the names of the service.
        self.radio = None

    def gatt(self, *names):
        """In the place of the driver's class."""
        self.radio = Gatt(self._life.carrier, *names)
        return self.radio

    def trace(self, event, **fields):
        self._life.told(event, fields)

    def reset_cause(self):
        return self._cause

    def reset(self):
        raise Reset
