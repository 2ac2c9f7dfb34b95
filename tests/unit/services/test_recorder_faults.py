"""A recorder whose flash, microphone or time fails."""

import asyncio

from mic_bench import BLOCK, Bench, stream

from lapel.services.store_files import StoreError, StoreFull

MICROPYTHON_HEAP = "24m"
GOOD = 256 * 16


async def test_flash_stalls_lose_nothing():
    async with Bench() as bench:
        stalls = [0, 45, 45, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 280]
        bench.store.stalls = {"begin": [200], "write": stalls, "finish": [100]}
        await bench.hold(0, 3000)
        assert bench.store.stalls == {"begin": [], "write": [], "finish": []}
        assert bench.heard() == (GOOD, 3120 * 16 - 1)
        assert bench.clip()[0] == stream(*bench.heard())
        assert bench.mic.lost == 0 and bench.recorder.hearing.overrun_samples == 0
        assert bench.trace.of("dropped") == []


async def test_a_stall_beyond_the_dma_memory_is_counted():
    async with Bench() as bench:
        bench.store.stalls = {"write": [0, 0, 500]}
        await bench.hold(0, 3000)
        assert bench.mic.lost > 0
        assert bench.recorder.hearing.overrun_samples == bench.mic.lost
        ((_, fields),) = bench.trace.of("dropped")
        assert fields == {"queue": "mic", "count": bench.mic.lost}
        # The rest of the clip is in its place: it still ends 120 ms after letting go.
        samples = bench.encoder.clips[0]
        assert samples[0] == GOOD and samples[-1] == 3120 * 16 - 1
        assert len(samples) == 3120 * 16 - GOOD - bench.mic.lost


async def test_the_loss_is_known_to_a_block_wherever_the_stall_falls():
    for stall in (300, 304, 310, 319, 320, 321, 333, 350, 400, 555, 1000):
        async with Bench() as bench:
            bench.store.stalls = {"write": [0, stall]}
            await bench.hold(7, 2500)
            missed = bench.mic.lost - bench.recorder.hearing.overrun_samples
            # A block that got whole in the very millisecond is taken for not yet whole.
            assert missed == (BLOCK if stall % 16 == 0 and stall > 304 else 0), stall


async def test_sound_that_only_came_late_is_not_lost():
    # As when what drives the clock and what drives the sound are two: the count is put right again.
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(1000)
        bench.mic.dma_samples, bench.mic.late_ms = 1 << 20, 420
        await bench.timing.step_to(1419)
        bench.mic.late_ms = 0
        await bench.timing.step_to(1500)
        assert bench.recorder.hearing.overrun_samples > 0 and bench.mic.lost == 0
        await bench.release(3000)
        await bench.timing.step(300)
        # To the millisecond that the clock can tell.
        first, last = bench.heard()
        assert first == GOOD and 0 <= 3120 * 16 - 1 - last <= 16


async def test_flash_full_is_said_at_the_press_that_becomes_a_hold():
    async with Bench() as bench:
        bench.store.has_room = False
        await bench.press(0)
        assert not bench.mic.is_open
        assert await bench.begin(300) is False
        assert bench.feedback.names() == ["full"] and [o for _, o in bench.over] == ["full"]
        await bench.release(900)
        assert bench.store.calls == []
        # A tap does not need any room.
        await bench.tap(2000, 2100)
        assert bench.feedback.names() == ["full"] and [o for _, o in bench.over] == ["full", "discarded"]


async def test_flash_that_gets_full_keeps_what_was_said():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(1000)
        bench.store.errors = {"write": StoreFull("flash is full")}
        await bench.timing.step_to(1200)
        assert bench.feedback.names() == ["listening", "full"] and not bench.mic.is_open
        count, ms, cut = bench.clip()[1]
        assert cut and count == len(bench.clip()[0]) and ms == count // 8
        assert bench.recorder.number is None and bench.trace.of("captured") == []
        await bench.release(1500)
        await bench.hold(3000, 4000)
        assert bench.feedback.names()[-1] == "captured"


async def test_flash_that_fails_is_an_error_and_the_pin_goes_on():
    for call in ("begin", "write", "finish"):
        async with Bench() as bench:
            bench.store.errors = {call: StoreError("flash error 5")}
            await bench.hold(0, 2000)
            assert bench.feedback.names() == ["listening", "error"], call
            assert bench.trace.of("captured") == [] and not bench.mic.is_open
            assert bench.trace.of("store_error")[0][1] == {"error": "flash error 5"}
            assert bench.recorder.number is None and not bench.recorder.is_busy
            bench.store.errors = {}
            await bench.hold(4000, 5000)
            assert bench.feedback.names()[-1] == "captured"


async def test_a_microphone_that_does_not_start():
    async with Bench() as bench:
        bench.mic.fails = OSError(19)
        await bench.press(0)
        assert await bench.begin(300) is False
        assert bench.feedback.names() == ["error"]
        assert "does not start" in bench.trace.of("mic_error")[0][1]["error"]
        bench.mic.fails = None
        await bench.hold(2000, 3000)
        assert bench.feedback.names()[-1] == "captured"


async def test_a_microphone_that_dies_while_one_speaks():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(2000)
        bench.mic.dead = True
        await bench.release(2500)
        await bench.timing.step(1500)
        assert not bench.mic.is_open
        assert bench.clip()[1][2] is True and len(bench.clip()[0]) > 10_000
        assert bench.feedback.names() == ["listening", "captured"]
        bench.mic.dead = False
        await bench.hold(6000, 7000)
        assert bench.feedback.names()[-1] == "captured"


async def test_a_microphone_that_never_speaks():
    async with Bench() as bench:
        bench.mic.dead = True
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(3000)
        assert bench.feedback.names() == ["error"] and not bench.mic.is_open and bench.store.calls == []


async def test_a_long_stall_is_not_a_dead_microphone():
    async with Bench() as bench:
        bench.store.stalls = {"write": [0, 1900]}
        await bench.hold(0, 4000)
        assert bench.feedback.names() == ["listening", "captured"]


async def test_an_unforeseen_failure_is_raised_and_everything_is_in_order_after_it():
    bench = Bench()
    task = asyncio.create_task(bench.recorder.run())
    await bench.press(0)
    await bench.begin(300)
    await bench.timing.step_to(1000)
    writer = bench.store.writers[0]
    writer.write = None
    await bench.timing.step_to(1500)
    try:
        await task
    except TypeError:
        pass
    else:
        raise AssertionError("it went on")
    assert not bench.mic.is_open and bench.recorder.number is None and not bench.recorder.is_busy
    assert bench.feedback.names() == ["listening", "error"] and bench.feedback.held[-1][1] is False
    # What was written is kept, and the store's writer is free for the next.
    assert writer.done[2] is True
    async with bench:
        await bench.hold(3000, 4000)
        assert bench.feedback.names()[-1] == "captured"
