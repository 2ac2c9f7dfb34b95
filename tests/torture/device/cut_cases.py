"""Power cuts at every operation of the flash, torn in every way, and cuts again while it recovers.

A name is `a/cut/SCENARIO/p113-bits`: at operation 113, a program (`e`: an erase), which is left so. A second step
is a cut in the boot after it, counted from that boot's first operation. One run of the scenario serves a whole
batch: at each operation it is copied for each cut there.
"""

import json

from flash import Random
from forks import branch, emit, leave
from judge import Ending, judge
from life import CUT, REST, why
from scenarios import SCENARIOS

# How the operation is left: not begun, a part of the bytes, some of the bits, done (and nothing said of it).
HOWS = {"program": ("before", "prefix", "bits", "after"), "erase": ("before", "bits", "after")}
_LIMIT_MS = 180_000
# Of so many cases drawn, one is a first cut whose recovery is cut at each of its operations.
_SECOND = 100
# What the firmware traces when something is not as it should be; a cut is no reason for it.
_WRONG = ("task_died", "quarantined", "late", "notice_refused", "dropped", "mic_error")


def cases(n: int, seed: int):
    """Every cut of every scenario; the recoveries from some, drawn by `seed`, are cut at each operation as well."""
    random, found = Random(seed), {}
    for scenario in SCENARIOS:
        play = Play(scenario, {})
        play.run()
        names = [step for op, kind in enumerate(play.operations) for step in _steps(op, kind)]
        for step in names:
            name = "a/cut/%s/%s" % (scenario, step)
            found.setdefault(kind_of(name), []).append(name)
        name = "a/cut/%s/none" % scenario
        found.setdefault(kind_of(name), []).append(name)
        tree = {}
        for _ in range(n // _SECOND // len(SCENARIOS)):
            step = names[random.below(len(names))]
            tree[step] = {"": "a/cut/%s/%s" % (scenario, step)}
        # These print what they find.
        Play(scenario, tree, lists=True).run()
    return sorted(found.items())


def run(names) -> None:
    """As forks.emit, one verdict for each."""
    trees = {}
    for name in names:
        path = name.split("/")[2:]
        tree = trees.setdefault(path[0], {})
        for step in path[1:]:
            if step != "none":
                tree = tree.setdefault(step, {})
        tree[""] = name
    for scenario, tree in trees.items():
        Play(scenario, tree).run()


def kind_of(name: str) -> str:
    """The row of the table."""
    steps = name.split("/")[3:]
    if steps == ["none"]:
        return "no fault"
    if len(steps) > 1:
        return "second power cut"
    return "power cut in an erase" if steps[0][0] == "e" else "power cut in a program"


class Play:
    """A scenario, and a tree of cuts: {step: tree}, with the name of the case under "" where one ends. With `lists`
    such a case prints the names of the cuts behind it, in the place of a verdict."""

    def __init__(self, scenario: str, tree, lists: bool = False):
        self.life = SCENARIOS[scenario]()
        self.life.fit = self._fit
        # Kinds of the operations since the last boot.
        self.operations = []
        self._tree = tree
        self._lists = lists
        self._random = None
        self._how = ""
        self._is_copy = False

    def run(self) -> None:
        """Runs until the end of this world, and of those that branch off."""
        life = self.life
        ending = Ending(life)
        how = life.run(ending.step, _LIMIT_MS)
        while how == CUT:
            life.person.stop()
            ending = Ending(life)
            how = life.run(ending.step, _LIMIT_MS)
        if "" in self._tree:
            self._tell(how, ending)
        if self._is_copy:
            leave()

    def _tell(self, how, ending) -> None:
        name = self._tree[""]
        if self._lists:
            names = [name + "/" + step for op, kind in enumerate(self.operations) for step in _steps(op, kind)]
            print(json.dumps({"kind": kind_of(names[0]), "names": names}))
        else:
            emit(self._verdict(name, how, ending))

    def _verdict(self, name, how, ending):
        life, broken = self.life, []
        verdict = {"case": name, "kind": kind_of(name)}
        if how == REST:
            found = judge(life, ending)
            verdict.update(found.counts)
            verdict["recovery_ms"] = ending.rest_ms - ending.began_ms
            verdict["words"] = found.words
        else:
            broken.append("it ended as: %s %s" % (how, why(life.error) if life.error else ""))
        for event in _WRONG:
            if life.names(event):
                broken.append("%s: %s" % (event, life.names(event)))
        if life.nor.violations:
            broken.append("%d programs over what was not erased" % life.nor.violations)
        verdict["broken"] = "; ".join(broken)
        return verdict

    def _fit(self, nor):
        self.operations = []
        nor.before = self._before

    def _before(self, op, kind, block, offset, data):
        self.operations.append(kind)
        for step in _steps(op, kind) if self._tree else ():
            tree = self._tree.get(step)
            if tree and branch(tree.get("", step), "?"):
                how = step.split("-")[1]
                self._tree, self._is_copy = tree, True
                self._random = Random(op + 7)
                self.life.nor.tear = self._tear if how != "before" else None
                self._how = how
                return True
        return False

    def _tear(self, view, data):
        tear(view, data, self._how, self._random)


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
