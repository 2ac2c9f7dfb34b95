import asyncio

from felt import Bench, rhythm
from stepped import ended

from lapel.core import pattern
from lapel.services.feedback import QUEUE_MAX, Feedback

ONLY_MICROPYTHON = ("test_the_real_clock",)


async def test_every_pattern_is_played_as_written():
    for name in pattern.PATTERNS:
        if name == pattern.COUNT:
            continue
        async with Bench() as bench:
            await bench.step(100)
            bench.show(name)
            await bench.step(3000)
            length = pattern.length_ms(pattern.haptic(name))
            assert bench.buzzes() == rhythm(name, 100), name
            assert bench.trace.of("haptic") == [(100, {"pattern": name, "ms": length, "count": 0})]
            assert bench.trace.of("haptic_end") == [(100 + length, {"pattern": name})]
            assert [f["pattern"] for _, f in bench.trace.of("led")] == [name]


async def test_a_pattern_starts_before_show_returns():
    # Nothing ran in between: the bar from notice to pattern is not at the mercy of other tasks.
    async with Bench() as bench:
        bench.show("done")
        assert bench.haptic.calls == [(0, 255)]
        assert bench.trace.names() == ["haptic", "led"]


async def test_two_patterns_are_kept_apart():
    async with Bench() as bench:
        bench.show("done")
        bench.show("held")
        await bench.step(5000)
        length = pattern.length_ms(pattern.haptic("done"))
        assert bench.played() == [(0, "done"), (length + pattern.APART_MS, "held")]


async def test_the_urgent_goes_first():
    async with Bench() as bench:
        for name in ("done", "low_battery", "done", "held", "question", "captured", "failed"):
            bench.show(name)
        await bench.step(20_000)
        assert [name for _, name in bench.played()] == [
            "done", "captured", "question", "failed", "held", "done", "low_battery",
        ]  # fmt: skip


async def test_listening_does_not_wait_and_what_it_cut_short_comes_again():
    async with Bench() as bench:
        bench.show("failed")
        await bench.step(150)
        bench.show("listening")
        assert bench.played() == [(0, "failed"), (150, "listening")]
        assert bench.haptic.calls[-1] == (150, 255)
        await bench.step(5000)
        assert [name for _, name in bench.played()] == ["failed", "listening", "failed"]
        assert bench.trace.of("haptic_end")[0] == (150, {"pattern": "failed"})
        assert bench.buzzes()[-3:] == rhythm("failed", bench.played()[-1][0])


async def test_nothing_buzzes_into_a_recording():
    async with Bench() as bench:
        bench.feedback.hold(True)
        for name in ("done", "question", "captured"):
            bench.show(name)
        await bench.step(300)
        bench.show("listening")
        await bench.step(54_700)
        bench.show("tick55")
        await bench.step(4000)
        assert bench.played() == [(300, "listening"), (55_000, "tick55")]
        bench.feedback.hold(False)
        await bench.step(5000)
        assert [name for _, name in bench.played()[2:]] == ["captured", "question", "done"]
        assert bench.played()[2][0] == 59_000


async def test_a_press_stops_what_is_playing():
    async with Bench() as bench:
        bench.show("failed")
        await bench.step(100)
        bench.feedback.hold(True)
        assert bench.haptic.calls[-1] == (100, 0)
        await bench.step(3000)
        bench.feedback.hold(False)
        await bench.step(3000)
        assert bench.played() == [(0, "failed"), (3100, "failed")]


async def test_an_answer_to_a_tap_is_stale_with_the_next_press():
    async with Bench() as bench:
        bench.show("none_long")
        await bench.step(50)
        bench.show("pulse", 2)
        bench.feedback.hold(True)
        await bench.step(1000)
        bench.show("captured")
        bench.feedback.hold(False)
        await bench.step(3000)
        assert bench.played() == [(0, "none_long"), (1050, "captured")]


async def test_what_was_cut_short_does_not_delay_the_next_captured():
    async with Bench() as bench:
        bench.show("accepted")
        await bench.step(50)
        bench.feedback.hold(True)
        await bench.step(1000)
        bench.show("captured")
        bench.feedback.hold(False)
        await bench.step(3000)
        assert [name for _, name in bench.played()] == ["accepted", "captured", "accepted"]
        assert bench.played()[1][0] == 1050


async def test_what_was_felt_is_not_repeated_after_a_press():
    felt = []
    async with Bench() as bench:
        bench.feedback.on_felt = felt.append
        bench.show("done", 9, "id")
        await bench.step(pattern.length_ms(pattern.haptic("done")))
        # The motor has stopped, the count still glows.
        assert felt == ["id"]
        bench.feedback.hold(True)
        bench.feedback.hold(False)
        await bench.step(10_000)
        assert len(bench.played()) == 1 and felt == ["id"]


async def test_a_notice_is_felt_when_it_was_played_to_its_end():
    felt = []
    async with Bench() as bench:
        bench.feedback.on_felt = lambda identity: felt.append((bench.timing.now_ms, identity))
        bench.show("failed", 1, "a")
        await bench.step(200)
        bench.feedback.hold(True)
        await bench.step(1000)
        assert felt == []
        bench.feedback.hold(False)
        await bench.step(3000)
        assert felt == [(1200 + pattern.length_ms(pattern.haptic("failed")), "a")]


async def test_the_queue_is_bounded_and_counts():
    async with Bench() as bench:
        bench.feedback.hold(True)
        for _ in range(QUEUE_MAX):
            bench.show("done")
        assert bench.feedback.dropped == 0
        bench.show("question")
        bench.show("low_battery")
        assert bench.feedback.dropped == 2
        lost = [fields for _, fields in bench.trace.of("dropped")]
        assert lost == [
            {"queue": "feedback", "count": 1, "pattern": "done"},
            {"queue": "feedback", "count": 1, "pattern": "low_battery"},
        ]
        bench.feedback.hold(False)
        await bench.step(20_000)
        assert [name for _, name in bench.played()] == ["question"] + ["done"] * (QUEUE_MAX - 1)


async def test_clips_accepted_during_a_recording_are_felt_once_and_push_nothing_out():
    async with Bench() as bench:
        bench.feedback.hold(True)
        assert bench.feedback.is_held
        bench.show("done")
        for _ in range(2 * QUEUE_MAX):
            bench.show("accepted")
        bench.feedback.hold(False)
        await bench.step(10_000)
        assert [name for _, name in bench.played()] == ["accepted", "done"]
        assert bench.feedback.dropped == 0


async def test_pulses_of_running_jobs():
    async with Bench() as bench:
        bench.show("pulse", 3)
        await bench.step(3000)
        assert bench.buzzes() == rhythm("pulse", 0, 3) and len(bench.buzzes()) == 3


async def test_an_interpreter_that_was_held_up_does_not_smear_the_rhythm():
    async with Bench() as bench:
        bench.show("done")
        # 250 ms pass at once: an erase. What follows keeps its lengths.
        await bench.timing.settle()
        bench.timing.now_ms += 250
        await bench.step(3000)
        assert [length for _, length in bench.buzzes()] == [250, 90, 280]


async def test_is_buzzing_is_for_the_motor_only():
    async with Bench() as bench:
        assert not bench.feedback.is_buzzing
        bench.show("done")
        assert bench.feedback.is_buzzing
        await bench.step(pattern.length_ms(pattern.haptic("done")) - 1)
        assert bench.feedback.is_buzzing
        await bench.step(1)
        assert not bench.feedback.is_buzzing
        assert bench.led.now != (0, 0, 0)


async def test_it_checks_in():
    bench = Bench()
    seen = [0]

    def check_in():
        assert bench.timing.now_ms - seen[-1] <= 1000
        seen.append(bench.timing.now_ms)

    feedback = Feedback(bench.haptic, bench.led, bench.trace, bench.timing, check_in)
    task = asyncio.create_task(feedback.run())
    await bench.step(10_000)
    await ended(task)
    assert seen[-1] >= 9000


async def test_the_real_clock():
    from lapel.core.clock import Clock
    from lapel.services.timing import Timing

    bench = Bench()
    timing = Timing(Clock())
    feedback = Feedback(bench.haptic, bench.led, bench.trace, timing)
    task = asyncio.create_task(feedback.run())
    event = asyncio.Event()
    feedback.on_felt = lambda _: event.set()
    started = timing.ms()
    feedback.show("captured", 0, "id")
    assert await timing.wait(event, 2000)
    assert 250 <= timing.ms() - started <= 400
    assert not await timing.wait(asyncio.Event(), 1)
    await ended(task)
