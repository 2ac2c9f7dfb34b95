"""The console is held while a clip is open."""

import asyncio

from mic_bench import Bench

MICROPYTHON_HEAP = "24m"


async def test_the_console_is_held_while_a_clip_is_open_and_not_for_taps():
    async with Bench() as bench:
        await bench.tap(0, 100)
        assert bench.console == []
        await bench.hold(1000, 3000)
        (begun, held), (over, let_go) = bench.console
        # From the moment it is a hold until it is whole on flash.
        assert (held, let_go) == (True, False)
        assert begun == 1300 and over >= bench.trace.of("captured")[0][0]


async def test_the_console_stays_held_for_the_clip_after_it():
    async with Bench() as bench:
        await bench.hold(0, 1000)
        await bench.press(1050)
        await bench.begin(1350)
        assert [held for _, held in bench.console][-1] is True
        await bench.release(2000)
        await bench.timing.step(1000)
        assert [held for _, held in bench.console][-1] is False
        # Each change is told once.
        told = [held for _, held in bench.console]
        assert all(told[i] != told[i + 1] for i in range(len(told) - 1))


async def test_the_console_is_free_again_whatever_ended_the_clip():
    for end in ("let go", "closed", "failure"):
        bench = Bench()
        task = asyncio.create_task(bench.recorder.run())
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(1000)
        if end == "let go":
            await bench.release(1600)
        elif end == "closed":
            await bench.recorder.close()
        else:
            bench.store.writers[0].write = None
        await bench.timing.step(3000)
        assert [held for _, held in bench.console] == [True, False], (end, bench.console)
        task.cancel()
        try:
            await task
        except (asyncio.CancelledError, TypeError):
            pass
