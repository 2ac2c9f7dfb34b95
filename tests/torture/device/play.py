"""A scenario played once, and copied where a case wants a fault: what cut_cases and flash_cases have in common."""

import json

from ending import Ending
from forks import branch, emit, leave
from judge import Excuse, judge, judge_presses
from life import CUT, LATE, REST, why
from scenarios import SCENARIOS


class Play:
    """A scenario, and a tree of faults: {step: tree}, with the name of the case under "" where one ends.

    A subclass says which steps there are at an operation of the flash (`steps_at`) and does what they say (`fault`).
    With `lists` a case prints the names of the cases behind it, in the place of a verdict.
    """

    # What the firmware traces when something is not as it should be, and such a fault is no reason for it.
    wrong = ("task_died", "late", "mic_error")
    checks_erased = True
    # What follows a tap is its answer: nothing else comes up in that moment.
    taps_are_sure = True
    # Of the virtual time of one boot.
    limit_ms = 90_000

    def __init__(self, scenario: str, tree, lists: bool = False):
        self.life = self.begin(scenario)
        self.life.fit = self._fit
        # (kind, block) of the operations since the last boot.
        self.operations = []
        self.tree = tree
        self._lists = lists
        self._is_copy = False
        self.ending = None
        self.fault_ms = 0

    def begin(self, scenario: str):
        """The Life that is played."""
        return SCENARIOS[scenario]()

    def steps_at(self, op: int, kind: str, block: int):
        """The steps that can be taken there."""
        return ()

    def fault(self, step: str) -> bool:
        """Does it, at the operation that is about to be done; whether the power goes in it."""
        return False

    def excuse(self) -> Excuse:
        """What such a fault may do."""
        return Excuse(self.life)

    def names_behind(self):
        """[(kind, names)] of the cases that this one has behind it, by self.operations."""
        return ()

    def run(self) -> None:
        """Runs until the end of this world, and of those that branch off."""
        life = self.life
        self.ending = Ending(life)
        how = life.run(self.ending.step, self.limit_ms)
        while how != REST and self.goes_on(how):
            life.person.stop()
            self.ending = Ending(life)
            how = life.run(self.ending.step, self.limit_ms, "power" if how in (CUT, LATE) else "reset")
        if "" in self.tree:
            self._tell(how, self.ending)
        if self._is_copy:
            leave()

    def goes_on(self, how: str) -> bool:
        """Whether the pin is started once more after a run that ended so."""
        return how == CUT

    def take(self, step: str) -> bool:
        """True in a copy of the process, for which that step is wanted."""
        tree = self.tree.get(step)
        if not tree:
            return False
        if not branch(tree.get("", step)):
            # A block is met again and again.
            del self.tree[step]
            return False
        self.tree, self._is_copy = tree, True
        self.fault_ms = self.life.world.now_ms
        return True

    def verdict(self, how, ending):
        """The fields of one verdict."""
        life, broken = self.life, []
        found = {}
        if how == REST:
            judged = judge(life, ending, self.excuse(), self.taps_are_sure)
            found.update(judged.counts)
            found["why"] = "; ".join(judged.words)
            broken += judged.broken
            found["recovery_ms"] = max(0, ending.rest_ms - self._over_ms(ending))
        else:
            if how == LATE:
                judged = judge_presses(life, self.excuse())
                found.update(judged.counts)
                found["why"] = "; ".join(judged.words)
                broken.append("it never came to rest")
            else:
                broken.append("it ended as: %s %s" % (how, why(life.error) if life.error else ""))
        for event in self.wrong:
            if life.names(event):
                broken.append("%s: %s" % (event, life.names(event)))
        if self.checks_erased and life.nor.violations:
            broken.append("%d programs over what was not erased" % life.nor.violations)
        found["broken"] = "; ".join(broken)
        return found

    def _over_ms(self, ending):
        # When fault and script were over.
        return max(ending.began_ms, self.fault_ms, self.life.carrier.troubles.ended_ms)

    def _tell(self, how, ending) -> None:
        name = self.tree[""]
        if self._lists:
            for kind, names in self.names_behind():
                print(json.dumps({"kind": kind, "names": names}))
        else:
            found = self.verdict(how, ending)
            found["case"] = name
            emit(found)

    def _fit(self, nor):
        self.operations = []
        nor.before = self._before

    def _before(self, op, kind, block, offset, data):
        self.operations.append((kind, block))
        for step in self.steps_at(op, kind, block) if self.tree else ():
            if self.take(step):
                return self.fault(step)
        return False


def trees(names):
    """{scenario: tree} of case names FAMILY.../SCENARIO/STEP/STEP, where `none` is no step at all."""
    found = {}
    for name in names:
        path = name.split("/")[2:]
        tree = found.setdefault(path[0], {})
        for step in path[1:]:
            if step != "none":
                tree = tree.setdefault(step, {})
        tree[""] = name
    return found
