"""What was said before the press, and how loud."""

from mic_bench import Bench, stream

MICROPYTHON_HEAP = "24m"
GOOD = 256 * 16


async def test_preroll_keeps_what_was_before_the_press():
    async with Bench() as bench:
        bench.recorder.configure(True, 0)
        await bench.timing.step_to(5000)
        assert bench.mic.is_open and bench.store.calls == [] and bench.encoder.clips == []
        await bench.press(5000)
        await bench.begin(5300)
        assert bench.feedback.shown == [(5300, "listening")]
        assert bench.trace.of("listening")[0][1] == {"first_ms": -200}
        await bench.release(6000)
        await bench.timing.step(300)
        first, last = bench.heard()
        assert last - first + 1 == 1320 * 16 and bench.clip()[0] == stream(first, last)
        assert bench.mic.is_open
        bench.recorder.configure(False, 0)
        await bench.timing.step(50)
        assert not bench.mic.is_open


async def test_preroll_goes_no_further_without_a_hold():
    async with Bench() as bench:
        bench.recorder.configure(True, 0)
        await bench.timing.step_to(2000)
        await bench.tap(2000, 2100)
        await bench.timing.step(50)
        assert bench.mic.is_open and bench.store.calls == []
        await bench.press(2200)
        await bench.begin(2500)
        await bench.release(3000)
        await bench.timing.step(300)
        # What was heard during the tap is gone.
        first, last = bench.heard(2)
        assert last + 1 == 3120 * 16 and first >= 2100 * 16


async def test_preroll_right_after_the_start_has_only_good_samples():
    async with Bench() as bench:
        bench.recorder.configure(True, 0)
        await bench.timing.settle()
        await bench.press(300)
        await bench.begin(600)
        await bench.release(1000)
        await bench.timing.step(300)
        assert bench.heard()[0] == GOOD


async def test_preroll_for_hours():
    async with Bench() as bench:
        bench.recorder.configure(True, 0)
        await bench.timing.step_to(125_000)
        # A minute was taken off the count.
        assert bench.recorder.hearing.position < 70_000 * 16
        await bench.hold(125_000, 126_000)
        samples = bench.encoder.clips[0]
        assert len(samples) == 1320 * 16
        assert bench.trace.of("dropped") == []


async def test_gain_reaches_the_converter():
    async with Bench() as bench:
        bench.recorder.configure(False, 2)
        await bench.hold(0, 1000)
        assert bench.converter.shift == 6
