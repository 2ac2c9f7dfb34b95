"""Every packet of a scenario, in both directions: lost, doubled, delayed, the connection ended before or after it;
and the companion killed at each point of its durable operations.

A name is `a/packet/SCENARIO/up41-lost` or `a/packet/SCENARIO/point17`. One run of the scenario serves a whole batch:
it is copied where the fault comes.
"""

from play import Play, trees
from scenarios import SCENARIOS, row
from troubles import AFTER, BEFORE, DELAYED, DOUBLED, LOST, Troubles

_DIRECTIONS = ("up", "down")
_SAID = {
    LOST: "a packet lost",
    DOUBLED: "a packet doubled",
    DELAYED: "a packet delayed",
    BEFORE: "the link cut before a packet",
    AFTER: "the link cut after a packet",
}
_POINT = "the companion killed"


def cases(n: int, seed: int):
    """All of every scenario, by a dry run."""
    found = {}
    for scenario in SCENARIOS:
        play = Packets(scenario, {})
        play.run()
        for step in play.steps():
            kind = row(scenario, _kind_of(step))
            found.setdefault(kind, []).append("a/packet/%s/%s" % (scenario, step))
    return sorted(found.items())


def run(names) -> None:
    """As forks.emit, one verdict for each."""
    for scenario, tree in trees(names).items():
        Packets(scenario, tree).run()


class Packets(Play):
    """Steps as `up41-lost`, `down3-after` and `point17`."""

    def __init__(self, scenario, tree):
        super().__init__(scenario, tree)
        life = self.life
        life.carrier.troubles = _Asking(self)
        life.carrier.companion.at_point = self._point

    def steps(self):
        """All of a run that is over."""
        found = ["point%d" % k for k in range(self.life.carrier.companion.points)]
        for direction, word in enumerate(_DIRECTIONS):
            for k in range(self.life.carrier.sent[direction]):
                found += ["%s%d-%s" % (word, k, how) for how in _SAID]
        return found

    def packet(self, direction: int, k: int):
        """What happens to that packet."""
        for how in _SAID if self.tree else ():
            if self.take("%s%d-%s" % (_DIRECTIONS[direction], k, how)):
                return how
        return None

    def _point(self, k):
        return self.take("point%d" % k)


class _Asking(Troubles):
    def __init__(self, packets):
        super().__init__()
        self._packets = packets

    def fate(self, direction, k):
        return self._packets.packet(direction, k)


def _kind_of(step):
    return _POINT if step.startswith("point") else _SAID[step.split("-")[1]]
