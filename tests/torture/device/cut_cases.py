"""Power cuts at every operation of the flash, torn in every way, and cuts again while it recovers.

A name is `a/cut/SCENARIO/p113-bits`: at operation 113, a program (`e`: an erase), which is left so; or `t4200`: at
4.2 s, whatever is said or felt in that moment. A second step is a cut in the boot after it, counted from that boot's
first operation. One run of the scenario serves a whole batch: at each operation it is copied for each cut there.
"""

from flash import Random
from play import Play, trees
from scenarios import SCENARIOS, row

# How the operation is left: not begun, a part of the bytes, some of the bits, done (and nothing said of it).
HOWS = {"program": ("before", "prefix", "bits", "after"), "erase": ("before", "bits", "after")}
# Between operations as well: what was said to the companion may not have been felt yet.
_EVERY_MS = 50
# Of so many cases drawn, one is a first cut whose recovery is cut at each of its operations.
_SECOND = 38


def cases(n: int, seed: int):
    """Every cut of every scenario; the recoveries from some, drawn by `seed`, are cut at each operation as well."""
    random, found = Random(seed), {}
    for scenario in SCENARIOS:
        play = Cuts(scenario, {})
        play.run()
        if play.ending.rest_ms is None:
            # Not even the run with nothing wrong comes to rest: there is no other case.
            name = "a/cut/%s/none" % scenario
            found.setdefault(kind_of(name), []).append(name)
            continue
        steps = play.steps()
        times = ["t%d" % ms for ms in range(_EVERY_MS, play.ending.rest_ms, _EVERY_MS)]
        for step in steps + times + ["none"]:
            name = "a/cut/%s/%s" % (scenario, step)
            found.setdefault(kind_of(name), []).append(name)
        tree = {}
        for _ in range(n // _SECOND // len(SCENARIOS)):
            step = steps[random.below(len(steps))]
            tree[step] = {"": "a/cut/%s/%s" % (scenario, step)}
        # These print what they find.
        Cuts(scenario, tree, lists=True).run()
    return sorted(found.items())


def run(names) -> None:
    """As forks.emit, one verdict for each."""
    for scenario, tree in trees(names).items():
        Cuts(scenario, tree).run()


def kind_of(name: str) -> str:
    """The row of the table."""
    _, _, scenario, *steps = name.split("/")
    if steps == ["none"]:
        return row(scenario, "no fault")
    if len(steps) > 1:
        return row(scenario, "second power cut")
    if steps[0][0] == "t":
        return row(scenario, "power cut between operations")
    return row(scenario, "power cut in an erase" if steps[0][0] == "e" else "power cut in a program")


class Cuts(Play):
    """Steps as `p113-bits`."""

    wrong = Play.wrong + ("quarantined", "notice_refused", "dropped")

    def __init__(self, scenario, tree, lists=False):
        super().__init__(scenario, tree, lists)
        for step in tree:
            if step[:1] == "t":
                self.life.world.after_ms(int(step[1:]), self._due, step)

    def _due(self, step):
        if self.take(step):
            self.life.lose_power()

    def steps_at(self, op, kind, block):
        return _steps(op, kind)

    def steps(self):
        """All of the last boot."""
        return [step for op, (kind, _) in enumerate(self.operations) for step in _steps(op, kind)]

    def names_behind(self):
        names = [self.tree[""] + "/" + step for step in self.steps()]
        return [(kind_of(names[0]), names)]

    def fault(self, step):
        place, how = step.split("-")
        random = Random(int(place[1:]) + 7)
        if how != "before":
            self.life.nor.tear = lambda view, data: tear(view, data, how, random)
        return True


def tear(view, data, how: str, random) -> None:
    """What an operation of the flash leaves when the power goes in it; `data` None for an erase."""
    size = len(view)
    old = int.from_bytes(view, "little")
    every = (1 << 8 * size) - 1
    if how == "after":
        mask = every
    elif how == "prefix":
        mask = (1 << 8 * random.below(size)) - 1
    else:
        # A slow sum over single bytes would be most of the time of an erase.
        mask = int.from_bytes(random(32) * (size // 32 + 1), "little") & every
    if data is None:
        new = old | mask
    else:
        new = old & (int.from_bytes(data, "little") | every ^ mask)
    view[:] = new.to_bytes(size, "little")


def _steps(op: int, kind: str):
    return ["%s%d-%s" % (kind[0], op, how) for how in HOWS[kind]]
