"""Handshakes on the pin: what a stranger costs, keys ahead of need, and nothing while a clip is recorded."""

import asyncio

import light
from linked import KEY, Bytes, Pairing

from lapel.compat import sleep_ms
from lapel.services.handshakes import ANSWERED_MAX, FREE_MAX, READY_MAX, SPACING_MS, Handshakes
from lapel_wire import gatt
from lapel_wire.session import Session, prologue
from noise import plain
from noise.initiator import Initiator
from noise.nnpsk0 import Ephemeral


class Clock:
    now_ms = 0

    def ms(self):
        return self.now_ms


class Slow:
    """A suite whose ladders take steps and count them."""

    Cipher = light.Cipher

    def __init__(self, steps=8):
        suite = self
        self.steps = 0
        self.ladders = 0

        class Ladder(light.Ladder):
            def __init__(self, scalar, u):
                light.Ladder.__init__(self, scalar, u)
                suite.ladders += 1
                self._left = steps

            def step(self):
                if self._left:
                    suite.steps += 1
                    self._left -= 1
                return self._left == 0

        self.Ladder = Ladder


class Bench:
    def __init__(self, suite=light, key=KEY):
        self.suite = suite
        self.busy = False
        self.clock = Clock()
        self.pairing = Pairing(key)
        self.keys = Handshakes(self.pairing, suite, Bytes(70), lambda: self.busy, self.clock)

    def initiator(self, seed=1, key=KEY, info=gatt.INFO):
        return Initiator(self.suite, key, prologue(info), Ephemeral(self.suite, Bytes(seed)))


async def until(condition):
    for _ in range(2000):
        if condition():
            return
        await sleep_ms(1)
    raise AssertionError("it did not come to that")


async def ended(task):
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


def finished(initiator, answer):
    assert initiator.take(answer)
    while not initiator.step():
        pass
    return Session(*initiator.result)


def say(sender, receiver, body):
    record = bytearray(2 + len(body) + 16)
    record[2 : 2 + len(body)] = body
    sender.seal(record, len(body))
    got = receiver.open(record)
    return got is not None and bytes(got) == body


def test_the_owner_and_the_pin_agree():
    async def main(suite):
        bench = Bench(suite)
        initiator = bench.initiator()
        answer, pin = await bench.keys.answer(initiator.start())
        host = finished(initiator, answer)
        assert len(answer) == 48
        assert say(host, pin, b"hello") and say(pin, host, b"hello yourself")

    for suite in (light, plain):
        asyncio.run(main(suite))


def test_what_does_not_prove_the_key_costs_no_arithmetic():
    async def main():
        bench = Bench(Slow())
        opening = bench.initiator().start()
        wrong = [b"", opening[:-1], opening + b"x", bytes(48), b"lapel in clear 1" + bytes(32)]
        wrong.append(bench.initiator(key=bytes(32)).start())
        wrong.append(bench.initiator(info=gatt.UNPAIRED_INFO).start())
        for i in range(0, 48 * 8, 7):
            flipped = bytearray(opening)
            flipped[i // 8] ^= 1 << (i % 8)
            wrong.append(bytes(flipped))
        before = bench.suite.steps
        for message in wrong:
            assert await bench.keys.answer(message) is None
        assert bench.suite.steps == before
        assert await bench.keys.answer(opening) is not None
        assert bench.suite.steps > before

    asyncio.run(main())


def test_who_is_refused_leaves_no_key_behind_and_wastes_none():
    async def main():
        bench = Bench()
        made, new = [], bench.pairing.new_responder

        def remembered(*arguments):
            made.append(new(*arguments))
            return made[-1]

        bench.pairing.new_responder = remembered
        assert await bench.keys.answer(bytes(48)) is None
        assert made[0]._psk == bytes(32) and made[0]._ephemeral.spent
        making = asyncio.create_task(bench.keys.run())
        await until(lambda: len(bench.keys._ready) == READY_MAX)
        for _ in range(3):
            assert await bench.keys.answer(bytes(48)) is None
        # Those that wait serve the next one.
        assert len(made) == 1 + READY_MAX
        assert await bench.keys.answer(bench.initiator().start()) is not None
        assert made[1]._psk == bytes(32) and made[2]._psk == KEY
        await ended(making)

    asyncio.run(main())


def test_an_opening_is_answered_once():
    async def main():
        bench = Bench()
        first = bench.initiator(1).start()
        assert await bench.keys.answer(first) is not None
        assert await bench.keys.answer(first) is None
        assert bench.keys.replayed == 1
        for seed in range(2, ANSWERED_MAX + 2):
            bench.keys.proved()
            assert await bench.keys.answer(bench.initiator(seed).start()) is not None
        assert len(bench.keys._answered) == ANSWERED_MAX

    asyncio.run(main())


def test_keys_are_made_ahead_and_used_once():
    async def main():
        bench = Bench(Slow())
        making = asyncio.create_task(bench.keys.run())
        await until(lambda: len(bench.keys._ready) == READY_MAX)
        made, steps = bench.suite.ladders, bench.suite.steps
        initiator = bench.initiator()
        opening = initiator.start()
        theirs = bench.suite.steps - steps
        answer, _ = await bench.keys.answer(opening)
        # Only the shared secret was left to be done; the next key had begun.
        assert bench.suite.steps - steps <= theirs + 8 + 1
        finished(initiator, answer)
        await until(lambda: len(bench.keys._ready) == READY_MAX)
        again = bench.initiator(2)
        other, _ = await bench.keys.answer(again.start())
        assert other[:32] != answer[:32]
        assert bench.suite.ladders > made
        await ended(making)

    asyncio.run(main())


def test_nothing_is_computed_while_a_clip_is_recorded():
    async def main():
        bench = Bench(Slow(5000))
        bench.busy = True
        making = asyncio.create_task(bench.keys.run())
        opening = bench.initiator().start()
        steps = bench.suite.steps
        answering = asyncio.create_task(bench.keys.answer(opening))
        for _ in range(30):
            await sleep_ms(1)
        assert bench.suite.steps == steps
        bench.busy = False
        await until(lambda: bench.suite.steps > steps + 20)
        # One that begins in the middle is not waited for either.
        bench.busy = True
        steps = bench.suite.steps
        for _ in range(30):
            await sleep_ms(1)
        assert bench.suite.steps == steps and not answering.done()
        bench.busy = False
        assert await answering is not None
        await ended(making)

    asyncio.run(main())


def test_handshakes_without_a_proof_are_spaced_and_a_proof_ends_that():
    async def main():
        bench = Bench()
        for seed in range(FREE_MAX):
            assert await bench.keys.answer(bench.initiator(seed).start()) is not None
        bench.clock.now_ms = SPACING_MS - 300
        waiting = asyncio.create_task(bench.keys.answer(bench.initiator(50).start()))
        for _ in range(20):
            await sleep_ms(1)
        assert not waiting.done()
        assert await waiting is not None
        bench.keys.proved()
        quick = asyncio.create_task(bench.keys.answer(bench.initiator(51).start()))
        for _ in range(20):
            await sleep_ms(0)
        assert quick.done()

    asyncio.run(main())


def test_a_guest_that_goes_away_leaves_the_next_one_its_turn():
    async def main():
        bench = Bench(Slow(2000))
        leaving = asyncio.create_task(bench.keys.answer(bench.initiator(1).start()))
        next_one = asyncio.create_task(bench.keys.answer(bench.initiator(2).start()))
        await sleep_ms(5)
        await ended(leaving)
        assert await next_one is not None

    asyncio.run(main())


def test_a_pin_that_is_not_paired_answers_nobody():
    async def main():
        bench = Bench(Slow(), key=None)
        opening = bench.initiator(key=bytes(32)).start()
        before = bench.suite.ladders
        await bench.keys.run()
        assert await bench.keys.answer(opening) is None
        assert bench.suite.ladders == before

    asyncio.run(main())
