"""Everything at once, drawn: what a person does, what the companion does, a bad link, power cuts, a failing flash.

A name is `a/mix/SEED/K`, and draws the same each time, alone or among others. Every third is of a pin that has room
for Opus, and may be set to ADPCM on the way.
"""

from carrier import Air, Carrier
from companion import Companion, Options
from companion_disk import Ears
from cut_cases import HOWS, tear
from draws import Draws
from flash import Random
from forks import branch, leave
from judge import Excuse
from life import CUT, DEAD, SHUT, Life
from play import Play
from scenarios import row
from sound import ADPCM, OPUS, ClipEncoder
from troubles import HUNG, NOTHING_DOWN, NOTHING_UP, Troubles

KIND = "mixture"
_OPUS_EVERY = 3
# Rates go with the battery.
_BATTERIES_MV = (3700, 3860, 4000)
_WRAP = 1 << 30
_RESULTS = ("done", "failed", "question", "held", "done", "")
_KINDS = ("reminder", "held", "done")
_AIRS = ((247, 30, 4), (247, 15, 6), (247, 60, 3), (185, 30, 4), (100, 45, 2), (64, 15, 6), (23, 15, 6))
_BOOTS_MAX = 4
_SETTINGS = ({}, {"haptic_strength": 200}, {"led_brightness": 10, "undo_ms": 5000})
_OPUS_SETTINGS = ({}, {"codec": "opus"}, {"codec": "adpcm"})


def cases(n: int, seed: int):
    """`n` of them."""
    found = {}
    for k in range(n):
        name = "a/mix/%d/%d" % (seed, k)
        found.setdefault(kind_of(name), []).append(name)
    return sorted(found.items())


def kind_of(name: str) -> str:
    """The row of the table."""
    is_opus = ClipEncoder is not None and int(name.split("/")[3]) % _OPUS_EVERY == 0
    return row("opus" if is_opus else "", KIND)


def run(names) -> None:
    """As forks.emit, one verdict for each."""
    for name in names:
        if branch(name, kind_of(name)):
            Mixture(name).run()
            leave()


class Mixture(Play):
    """One case."""

    taps_are_sure = False
    limit_ms = 400_000

    def __init__(self, name):
        seed, k = name.split("/")[2:]
        self.draws = Draws((int(seed) * 1_000_003 + int(k)) & 0x3FFFFFFF)
        self._is_opus = kind_of(name) != KIND
        # {operation of the flash: what happens there} of the boot that is next.
        self._faults = {}
        self._failed_ms = None
        self._boots = 0
        super().__init__("", {"": name})
        self._person()
        self._others()
        self._flash()

    def begin(self, scenario):
        draws = self.draws
        ticks = _WRAP - draws.below(30_000) if draws.chance(300) else draws.below(_WRAP)
        life = Life(1 + draws.below(1000), ticks_at_start=ticks)
        results = [draws.pick(_RESULTS) for _ in range(4)]
        runs_ms = [draws.pick((50, 300, 1000, 5000)) for _ in range(3)]
        settings = draws.below(len(_SETTINGS))
        chosen = (_OPUS_SETTINGS if self._is_opus else _SETTINGS)[settings]
        read_ms = draws.pick((0, 0, 0, 2, 10))
        options = Options(results, runs_ms, chosen, settings, read_ms, draws.between(500, 6000))
        air = Air(*draws.pick(_AIRS[:5] if draws.chance(800) else _AIRS))
        life.carrier = Carrier(life.world, Companion(options, Ears(), Draws(draws.below(1000))), air, Troubles())
        if self._is_opus:
            life.has_psram()
            life.battery_mv = draws.pick(_BATTERIES_MV)
            if chosen.get("codec") == "adpcm":
                life.codecs = (ADPCM, OPUS)
        return life

    def _person(self):
        draws, person = self.draws, self.life.person
        ms = draws.between(300, 3000)
        for _ in range(draws.between(1, 5)):
            act = draws.below(10)
            if act < 6:
                length = draws.between(350, 2500)
                person.hold(ms, length)
                ms += length
            elif act < 7:
                person.hold(ms, 80)
                person.hold(ms + 250, 900)
                ms += 1150
            else:
                times = (1, 2, 3)[act - 7]
                person.tap(ms, times)
                ms += 200 * times
            ms += draws.between(700, 5000)

    def _others(self):
        draws, life = self.draws, self.life
        carrier, troubles, world = life.carrier, life.carrier.troubles, life.world
        end_ms = draws.between(4000, 25_000)
        for k in range(draws.below(4)):
            text, at_ms = "news %d" % k, draws.below(end_ms)
            world.after_ms(at_ms, carrier.remind, draws.pick(_KINDS), text)
            if draws.chance(300):
                act = carrier.read_here if draws.chance(500) else carrier.retract
                world.after_ms(at_ms + draws.below(8000), act, text)
                end_ms = max(end_ms, at_ms + 8000)
        for _ in range(draws.below(3)):
            world.after_ms(draws.below(end_ms), carrier.crash)
        if draws.chance(300):
            point = draws.below(60)
            carrier.companion.at_point = lambda k: k == point
        for _ in range(draws.below(3)):
            world.after_ms(draws.below(end_ms), carrier.cut)
        if draws.chance(500):
            for table, most in ((troubles.lost, 120), (troubles.doubled, 60), (troubles.delayed, 60)):
                table[0], table[1] = draws.below(most), draws.below(most)
            troubles.delay_ms = draws.between(20, 2500)
            troubles.draws = Draws(draws.below(1000))
        for _ in range(draws.below(3)):
            begin_ms = draws.below(end_ms)
            span = (begin_ms, begin_ms + draws.between(200, 12_000))
            draws.pick((troubles.stalls, troubles.enomem)).append(span)
            end_ms = max(end_ms, span[1])
        if draws.chance(150):
            begin_ms = draws.below(end_ms)
            span = (begin_ms, begin_ms + draws.between(500, 40_000))
            troubles.half_open.append(span + (draws.pick((NOTHING_UP, NOTHING_DOWN, HUNG)),))
            end_ms = max(end_ms, span[1])
        troubles.ended_ms = end_ms
        # The air is clean afterwards, so that there is an end.
        world.after_ms(end_ms, troubles.calm)

    def _flash(self):
        draws = self.draws
        self._faults = {}
        if draws.chance(450):
            self._faults[draws.below(90)] = "cut"
        elif draws.chance(80):
            self._faults[draws.below(90)] = "eio"

    def steps_at(self, op, kind, block):
        how = self._faults.pop(op, None)
        if how == "eio":
            self._failed_ms = self.life.world.now_ms
            raise OSError(5)
        if how == "cut":
            how = self.draws.pick(HOWS[kind])
            if how != "before":
                random = Random(self.draws.below(1000))
                self.life.nor.tear = lambda view, data: tear(view, data, how, random)
            self._is_cut = True
        return ()

    def _before(self, op, kind, block, offset, data):
        self._is_cut = False
        super()._before(op, kind, block, offset, data)
        return self._is_cut

    def goes_on(self, how):
        self._boots += 1
        # A start that fails on the flash is tried again.
        again = how == CUT or (how in (SHUT, DEAD) and self._failed_ms is not None)
        if not again or self._boots > _BOOTS_MAX:
            return False
        if self.draws.chance(600):
            self._person()
        self._flash()
        return True

    def excuse(self):
        return Excuse(self.life, failed_ms=self._failed_ms)

    def verdict(self, how, ending):
        found = super().verdict(how, ending)
        if found.get("recovery_ms") is not None:
            found["recovery_ms"] = max(0, ending.rest_ms - max(self.life.carrier.troubles.ended_ms, ending.began_ms))
        return found
