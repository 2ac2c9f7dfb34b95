"""A link that is bad for a while, at each phase of a scenario; other radios and readers; a minute of speech.

A name is `a/link/SCENARIO/WHAT-FROM-SECONDS`, as `a/link/plain/hung-3500-20`, or `a/link/long/lossy`.
"""

import long_runs
from carrier import Air
from forks import branch, leave
from play import Play
from scenarios import SCENARIOS, row
from troubles import GHOST, HUNG, NOTHING_DOWN, NOTHING_UP

_PHASE_MS = 700
_SCENARIO_MS = 20_000
# Seconds that each goes on, and its row of the table.
_PHASES = {
    NOTHING_UP: ((4, 40), "half-open: nothing comes up"),
    NOTHING_DOWN: ((4, 40), "half-open: nothing comes down"),
    HUNG: ((4, 40), "half-open: nothing either way"),
    GHOST: ((40,), "half-open: the companion has gone"),
    "enomem": ((1, 2, 3, 5, 10), "the radio takes nothing (ENOMEM)"),
    "stall": ((1, 3, 10, 25), "the radio is stalled"),
    "away": ((1, 6, 30), "the companion is away"),
}
_WRAP = 1 << 30
_WRAP_EVERY_MS = 100
# MTU, interval in ms, packets an event.
_AIRS = ("23-15-6", "23-30-4", "48-30-4", "99-30-4", "100-50-2", "185-30-4", "247-8-6", "247-100-6", "247-150-6")
_READS_MS = (5, 20, 60, 150)
_OTHERS = {"wrap": "ticks_ms wraps", "air": "another radio", "reader": "a companion that reads slowly"}


def cases(n: int, seed: int):
    """All of them, whatever is drawn."""
    found = {}
    for scenario in SCENARIOS:
        steps = ["wrap-%d" % ms for ms in range(0, _SCENARIO_MS, _WRAP_EVERY_MS)]
        steps += ["air-" + air for air in _AIRS] + ["reader-%d" % ms for ms in _READS_MS]
        for what, (seconds, _) in _PHASES.items():
            for from_ms in range(_PHASE_MS, _SCENARIO_MS, _PHASE_MS):
                steps += ["%s-%d-%d" % (what, from_ms, s) for s in seconds]
        for step in steps:
            kind = row(scenario, _kind_of(step), "a bad link")
            found.setdefault(kind, []).append("a/link/%s/%s" % (scenario, step))
    for name, (_, kind) in long_runs.LIVES.items():
        found.setdefault(kind, []).append("a/link/long/" + name)
    return sorted(found.items())


def run(names) -> None:
    """As forks.emit, one verdict for each."""
    for name in names:
        if branch(name):
            Bad(name).run()
            leave()


class Bad(Play):
    """One case."""

    taps_are_sure = False
    # At an MTU of 23 a minute of speech takes minutes.
    limit_ms = 900_000

    def __init__(self, name):
        scenario, self._step = name.split("/")[2:]
        super().__init__(scenario, {"": name})
        # Taps that count the notices come later.
        self._script_ms = self.life.person.script_ms
        if scenario != "long":
            self._apply()

    def begin(self, scenario):
        if scenario == "long":
            return long_runs.LIVES[self._step][0]()
        return SCENARIOS[scenario]()

    def verdict(self, how, ending):
        found = super().verdict(how, ending)
        ended_ms = max(self.life.carrier.troubles.ended_ms, self.life.carrier.script_ms, self._script_ms)
        if found.get("recovery_ms") is not None:
            found["recovery_ms"] = max(0, ending.rest_ms - ended_ms)
        found["broken"] = found["broken"] or long_runs.too_much(self.life)
        return found

    def _apply(self):
        what, words = _split(self._step)
        life = self.life
        carrier, troubles = life.carrier, life.carrier.troubles
        if what == "wrap":
            life.world.ticks_at_start = _WRAP - words[0]
        elif what == "air":
            carrier.air = Air(*words)
        elif what == "reader":
            carrier.companion.options.read_ms = words[0]
        else:
            begin_ms, end_ms = words[0], words[0] + 1000 * words[1]
            troubles.ended_ms = end_ms
            if what == "enomem":
                troubles.enomem.append((begin_ms, end_ms))
            elif what == "stall":
                troubles.stalls.append((begin_ms, end_ms))
            elif what != "away":
                troubles.half_open.append((begin_ms, end_ms, what))
            if what in (GHOST, "away"):
                life.world.after_ms(begin_ms, carrier.crash, end_ms if what == "away" else None)


def _split(step):
    # (what, numbers): words of the former have a - of their own.
    parts = step.split("-")
    count = sum([1 for part in parts if not part.isdigit()])
    return "-".join(parts[:count]), [int(part) for part in parts[count:]]


def _kind_of(step):
    what = _split(step)[0]
    return _OTHERS[what] if what in _OTHERS else _PHASES[what][1]
