"""What happens in a case without its fault: some clips, notices and what goes with them."""

from carrier import Carrier
from companion import Companion, Options
from companion_disk import Ears
from draws import Draws
from life import Life
from sound import ClipEncoder

# Ticks wrap in the middle of it.
_TICKS = (1 << 30) - 12_000
_REMINDERS = 9


def plain() -> Life:
    """A clip with the companion listening, one that it is not there for, and one behind that; two notices, of which
    one is seen."""
    life = _life(Options(results=("done", "question", "")))
    person = life.person
    person.hold(2000, 1500)
    person.tap(7500)
    _away(life, 10_000, 18_000)
    person.hold(11_000, 2600)
    person.hold(14_600, 600)
    return life


def busy() -> Life:
    """Settings arrive, a dispatch is taken back, a reply is given, and everything is marked seen."""
    settings = {"led_brightness": 50}
    options = Options(results=("question", "done", "done"), runs_ms=(300, 6000), settings=settings, settings_id=3)
    life = _life(options)
    person = life.person
    person.hold(1500, 900)
    # A reply to the question: a tap, and a hold at once.
    person.hold(6000, 80)
    person.hold(6250, 1000)
    person.tap(9500, 3)
    _away(life, 12_000, 17_000)
    person.hold(13_000, 700)
    person.tap(24_000, 2)
    return life


def many() -> Life:
    """So many notices and taps that the directories of the file system are written anew, between two clips."""
    life = _life(Options(results=("",)))
    person = life.person

    def remind(text):
        life.carrier.companion.remind(life.world.now_ms, "reminder", text)
        life.carrier.wake()

    person.hold(1500, 700)
    for k in range(_REMINDERS):
        life.world.after_ms(4000 + 3000 * k, remind, "reminder %d, %s" % (k, "with some words to it. " * 6))
        if k % 3:
            person.tap(5800 + 3000 * k)
    # They come up whatever happens to the pin.
    life.carrier.troubles.ended_ms = 2000 + 3000 * _REMINDERS
    person.hold(4500 + 3000 * _REMINDERS, 2500)
    return life


def opus() -> Life:
    """A pin with PSRAM. A clip goes over the link while it is spoken, one waits until the companion is back; behind
    that the battery is nearly empty: three rates. One notice is seen, and one is not."""
    life = _life(Options(results=("done", "", "failed")))
    life.has_psram()
    person = life.person
    # More than the pin's RAM keeps of it.
    person.hold(2500, 2700)
    person.tap(7700)
    _away(life, 8500, 13_500)
    person.hold(9200, 2300)
    # In the middle of a clip, which keeps its rate.
    life.world.after_ms(9700, _drain, life)
    person.hold(16_500, 2600)
    return life


SCENARIOS = {"plain": plain, "busy": busy, "many": many}
# Where no machine code is made there is no Opus.
if ClipEncoder is not None:
    SCENARIOS["opus"] = opus


def row(scenario: str, kind: str, family: str = "") -> str:
    """The row of the table for a kind of fault. Opus has rows of its own, where `family` is given one for all of its
    kinds."""
    return "Opus: " + (family or kind) if scenario == "opus" else kind


def _life(options) -> Life:
    life = Life(ticks_at_start=_TICKS)
    life.carrier = Carrier(life.world, Companion(options, Ears(), Draws(5)))
    return life


def _drain(life) -> None:
    life.battery_mv = 3700
    if life.board is not None:
        life.board.battery.mv = life.battery_mv


def _away(life, from_ms: int, until_ms: int) -> None:
    # The computer is shut down, and comes back.
    def go():
        life.carrier.companion.crash(life.world.now_ms, until_ms)
        life.carrier.wake()

    life.world.after_ms(from_ms, go)
