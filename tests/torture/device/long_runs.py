"""A minute of speech over bad links, many clips that wait, and state that was restored from an older copy."""

import gc

import keys
from carrier import QUEUE_MAX as RADIO_MAX
from carrier import Air, Carrier
from companion import Companion, Options
from companion_disk import Ears
from draws import Draws
from life import Life
from sound import ClipEncoder
from troubles import Troubles

from lapel.services.feedback import QUEUE_MAX

_LOOK_MS = 2000
_LOOKS_ON_MS = 600_000


def too_much(life) -> str:
    """A sentence on what the pin held at any time that it must not hold, or nothing."""
    carrier = life.carrier
    if carrier.queue_high > RADIO_MAX:
        return "%d notifications waited in the radio" % carrier.queue_high
    return carrier.broken


def _life(options, air=None, troubles=None):
    life = Life(ticks_at_start=(1 << 30) - 40_000)
    companion = Companion(options, Ears(), Draws(11))
    life.carrier = Carrier(life.world, companion, air, troubles)
    return life


def _watch(life, until_ms):
    """Looks at what the pin holds, once a second."""

    def look():
        # A minute is half a megabyte in one piece: what stays must not be strewn over the whole heap.
        gc.collect()
        if life.app is None:
            return
        held = (
            ("handles", len(life.app._store._clips._readers), 1),
            ("patterns", len(life.app._feedback._queue), QUEUE_MAX),
            ("takes", len(life.app._recorder._takes), 3),
        )
        for what, count, most in held:
            if count > most:
                life.carrier.broken = "%d %s are held" % (count, what)

    for ms in range(_LOOK_MS, until_ms + _LOOKS_ON_MS, _LOOK_MS):
        life.world.after_ms(ms, look)
    return life


def minute(air=None, troubles=None, read_ms=0, for_ms=60_000):
    """One hold, mostly of 60 s."""
    life = _life(Options(("done",), read_ms=read_ms), air, troubles)
    life.person.hold(2500, for_ms)
    return _watch(life, 64_000)


def in_earnest():
    """With the firmware's own arithmetic in place of the light one, over a relay that loses packets."""
    life = lossy(50, for_ms=10_000)
    keys.real(True)
    return life


def lossy(per_mille, air=None, doubled=0, delayed=0, for_ms=60_000):
    """Over a relay that loses so many of a thousand packets, in both directions."""
    troubles = Troubles()
    troubles.draws = Draws(3)
    troubles.lost = [per_mille, per_mille]
    troubles.doubled = [doubled, doubled]
    troubles.delayed = [delayed, delayed]
    return minute(air, troubles, 0, for_ms)


def late(read_ms, per_mille=0):
    """A minute that waited comes over a quick radio to a companion that reads slowly."""
    air = Air(247, 8, 6)
    life = lossy(per_mille, air) if per_mille else minute(air)
    life.carrier.companion.options.read_ms = read_ms
    life.world.after_ms(1000, life.carrier.crash, 64_000)
    return life


def joined():
    """The companion comes in the middle of a minute: what the ring has forgotten is read from flash, behind which the
    pin still writes."""
    life = lossy(50)
    life.world.after_ms(1000, life.carrier.crash, 30_000)
    return life


def of_opus(life):
    """The same on a pin with PSRAM."""
    life.has_psram()
    return life


def blocked(what):
    """The radio takes nothing, or carries nothing, through all of the hold."""
    troubles = Troubles()
    getattr(troubles, what).append((3000, 63_000))
    troubles.ended_ms = 63_000
    return minute(None, troubles)


def waiting():
    """Clips wait while one is recorded, and the companion comes back in the middle of it."""
    life = _life(Options(("done",)))
    life.world.after_ms(1000, life.carrier.crash, 20_000)
    for k in range(6):
        life.person.hold(2000 + 2500 * k, 1500)
    life.person.hold(18_000, 20_000)
    return _watch(life, 39_000)


def restored(after, early):
    """The state is copied; `after` notices follow; the copy takes its place. `early`: one more comes up before the
    pin is linked again."""
    life = _life(Options(("",)))
    carrier, world = life.carrier, life.world
    companion, kept = carrier.companion, []
    world.after_ms(2000, carrier.remind, "reminder", "before the copy")
    world.after_ms(5000, lambda: kept.append(companion.disk.copy()))
    for k in range(after):
        world.after_ms(6000 + 700 * k, carrier.remind, "reminder", "after the copy, %d" % k)
    world.after_ms(10_000, lambda: (companion.restore(kept[0], world.now_ms), carrier.wake()))
    if early:
        world.after_ms(11_550, carrier.remind, "failed", "after the restart")
    world.after_ms(17_000, carrier.remind, "held", "much later")
    carrier.troubles.ended_ms = 18_000
    return life


_MINUTE = "a minute of speech"
_OPUS_MINUTE = "Opus: a minute of speech"
_RESTORED = "an older copy of the state"
# name: (what makes the life, the row of the table)
LIVES = {
    "minute": (minute, _MINUTE),
    "lossy": (lambda: lossy(50), _MINUTE),
    "very-lossy": (lambda: lossy(200), _MINUTE),
    "relay": (lambda: lossy(50, None, 30, 30), _MINUTE),
    "mtu-23": (lambda: minute(Air(23, 15, 6)), _MINUTE),
    # A record is eight packets then, and every third is lost: a minute would take half an hour.
    "lossy-mtu-23": (lambda: lossy(50, Air(23, 15, 6), 0, 0, 5000), _MINUTE),
    "stalled": (lambda: blocked("stalls"), _MINUTE),
    "enomem": (lambda: blocked("enomem"), _MINUTE),
    "slow-reader": (lambda: minute(read_ms=40), _MINUTE),
    "late-slow-reader": (lambda: late(60), _MINUTE),
    "lossy-slow-reader": (lambda: late(10, 10), _MINUTE),
    "joined": (joined, _MINUTE),
    "real-arithmetic": (in_earnest, _MINUTE),
    "waiting": (waiting, "clips wait while one is recorded"),
    "restored-0": (lambda: restored(0, False), _RESTORED),
    "restored-1": (lambda: restored(1, False), _RESTORED),
    "restored-3": (lambda: restored(3, False), _RESTORED),
    "restored-0-early": (lambda: restored(0, True), _RESTORED),
    "restored-1-early": (lambda: restored(1, True), _RESTORED),
    "restored-3-early": (lambda: restored(3, True), _RESTORED),
}
_OPUS_LIVES = {
    "opus": (lambda: of_opus(minute()), _OPUS_MINUTE),
    "opus-lossy": (lambda: of_opus(lossy(50)), _OPUS_MINUTE),
    "opus-mtu-23": (lambda: of_opus(minute(Air(23, 15, 6))), _OPUS_MINUTE),
    "opus-stalled": (lambda: of_opus(blocked("stalls")), _OPUS_MINUTE),
    "opus-slow-reader": (lambda: of_opus(minute(read_ms=40)), _OPUS_MINUTE),
    "opus-joined": (lambda: of_opus(joined()), _OPUS_MINUTE),
}
if ClipEncoder is not None:
    LIVES.update(_OPUS_LIVES)
