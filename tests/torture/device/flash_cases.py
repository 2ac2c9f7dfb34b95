"""A flash that fails: blocks and operations with an error, blocks that take nothing without a word, stuck bits.

Names: `a/flash/SCENARIO/b17-eio`, a block from its first use on; `a/flash/SCENARIO/o41-eio`, one operation. The pin
goes on with a block that is bad for good; where it cannot, the person is told, and all that was promised is still
there once the block is well again.
"""

from flash import Random
from judge import WARNINGS, Excuse
from life import CUT, DEAD, LATE, SHUT
from nor import BLOCK
from play import Play, trees
from scenarios import SCENARIOS, row

# Of a block: every program and erase raises EIO, or answers with it, or with LittleFS's own word for a bad block
# (-84); nothing happens and nothing is said; reading raises EIO; some bits never change.
BLOCK_HOWS = {
    "eio": "a block raises EIO",
    "answer": "a block answers with EIO",
    "corrupt": "a block answers that it is bad",
    "silent": "a block takes nothing, in silence",
    "stuck": "stuck bits in a block",
}
OP_HOWS = {"eio": "an operation raises EIO once"}
# LittleFS goes around the others, and nothing may be lost.
_TOLD = ("eio", "answer")
_STUCK_BITS = 8
# As many boots that fail are followed by safe mode.
_BOOTS_MAX = 3


def cases(n: int, seed: int):
    """Every block and every operation of every scenario."""
    found = {}
    for scenario in SCENARIOS:
        play = Faults(scenario, {})
        play.run()
        blocks = []
        for op, (_, block) in enumerate(play.operations):
            steps = ["o%d-%s" % (op, how) for how in OP_HOWS]
            if block not in blocks:
                blocks.append(block)
                steps += ["b%d-%s" % (block, how) for how in BLOCK_HOWS]
            for step in steps:
                kind = row(scenario, kind_of(step), "a flash that fails")
                found.setdefault(kind, []).append("a/flash/%s/%s" % (scenario, step))
    return sorted(found.items())


def run(names) -> None:
    """As forks.emit, one verdict for each."""
    for scenario, tree in trees(names).items():
        Faults(scenario, tree).run()


def kind_of(step: str) -> str:
    """The row of the table."""
    place, how = step.split("-")
    return (OP_HOWS if place[0] == "o" else BLOCK_HOWS)[how]


class Faults(Play):
    """Steps as `b17-eio`."""

    failed_ms = None
    how = None
    is_healed = False
    boots_failed = 0
    # A block that is bad looks as if it had not been erased.
    checks_erased = False

    def steps_at(self, op, kind, block):
        return ["o%d-%s" % (op, how) for how in OP_HOWS] + ["b%d-%s" % (block, how) for how in BLOCK_HOWS]

    def fault(self, step):
        place, how = step.split("-")
        self.how = how
        nor, number = self.life.nor, int(place[1:])
        self.failed_ms = self.life.world.now_ms
        if place[0] == "o":
            raise OSError(5)
        if how == "stuck":
            nor.stuck.update(stuck_bits(number))
        else:
            nor.bad[number] = {"eio": "raise", "answer": -5, "corrupt": -84, "silent": "stuck"}[how]
        return False

    def goes_on(self, how):
        life = self.life
        if how == LATE or self.boots_failed == _BOOTS_MAX:
            # It cannot go on, and must have said so: by a pattern, or by safe mode. Then the block is well again.
            if how == LATE and not any(name in WARNINGS for _, name, _ in life.touch.felt):
                return False
            self.boots_failed = 0
            is_first, self.is_healed = not self.is_healed, True
            life.nor.bad, life.nor.stuck = {}, {}
            return is_first
        self.boots_failed += 1
        return how in (SHUT, DEAD, CUT)

    def excuse(self):
        return Excuse(self.life, failed_ms=self.failed_ms if self.how in _TOLD else None)


def stuck_bits(block: int):
    """Some bits of a block that never change, as nor.Nor takes them."""
    random, found = Random(block + 1), {}
    for _ in range(_STUCK_BITS):
        bit = 1 << random.below(8)
        found[BLOCK * block + random.below(BLOCK)] = (bit, 0) if random.below(2) else (0, bit)
    return found
