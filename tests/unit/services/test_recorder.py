
from mic_bench import BLOCK, META, Bench, stream

MICROPYTHON_HEAP = "24m"
GOOD = 256 * 16


async def test_a_clip_from_press_to_captured():
    async with Bench() as bench:
        await bench.hold(1000, 3000)
        # From the first good sample to 120 ms after letting go.
        assert bench.heard() == (GOOD, 2120 * 16 - 1)
        count = (2120 * 16 - GOOD) // 2
        data, done = bench.clip()
        assert data == stream(*bench.heard()) and done == (count, 2120 - 256, False)
        assert bench.trace.of("captured")[0][1] == {"clip": "clip-1", "ms": 1864, "bytes": count}
        assert bench.trace.names() == ["listening", "recording", "captured"]
        assert bench.feedback.names() == ["listening", "captured"]
        assert [outcome for _, outcome in bench.over] == ["captured"]
        assert bench.recorder.number is None and not bench.recorder.is_busy


async def test_listening_comes_with_the_hold_and_before_flash():
    async with Bench() as bench:
        await bench.hold(0, 2000)
        assert bench.trace.of("listening") == [(300, {"first_ms": 256})]
        # The tick is felt to its end before anything may hold the interpreter.
        assert bench.store.calls[0][1] == "begin" and 330 <= bench.store.calls[0][0] <= 350


async def test_captured_comes_with_the_end_of_the_tail():
    async with Bench() as bench:
        await bench.hold(0, 2000)
        # A DMA block is 16 ms: the last wanted sample comes at the end of its block.
        assert 2120 <= bench.feedback.shown[-1][0] <= 2120 + 16


async def test_the_microphone_is_on_from_press_to_tail_only():
    async with Bench() as bench:
        await bench.timing.step(500)
        assert not bench.mic.is_open
        await bench.press()
        assert bench.mic.is_open
        await bench.begin(800)
        await bench.release(2000)
        await bench.timing.step_to(2119)
        assert bench.mic.is_open
        await bench.timing.step_to(2140)
        assert not bench.mic.is_open and bench.mic.closed == 1


async def test_the_microphone_is_off_before_the_clip_is_finished():
    async with Bench() as bench:
        seen = []
        bench.store.on_call = lambda name: seen.append((name, bench.mic.is_open))
        await bench.hold(0, 1000)
        assert seen[0] == ("begin", True) and seen[-1] == ("finish", False)


async def test_a_tap_costs_no_flash():
    async with Bench() as bench:
        await bench.tap(100, 350)
        await bench.timing.step(40)
        assert not bench.mic.is_open and bench.store.calls == []
        assert bench.over == [(bench.over[0][0], "discarded")] and bench.over[0][0] <= 350 + 16
        assert bench.feedback.names() == [] and bench.trace.names() == []
        assert bench.feedback.lights[0] == (100, "pressed") and bench.feedback.lights[-1][1] == "off"
        assert [held for _, held in bench.feedback.held] == [True, False]


async def test_nothing_may_buzz_while_the_microphone_is_open():
    async with Bench() as bench:
        await bench.hold(0, 2000)
        (start, on), (end, off) = bench.feedback.held
        assert on is True and off is False and start == 0 and 2120 <= end <= 2140
        # Shown first, so that it goes before what was held back.
        assert bench.feedback.shown[-1] == (end, "captured")


async def test_lights_of_a_clip():
    async with Bench() as bench:
        await bench.hold(0, 2000)
        assert [name for _, name in bench.feedback.lights] == ["pressed", "saving", "off"]
        assert bench.feedback.lights[:2] == [(0, "pressed"), (2000, "saving")]


async def test_kept_when_no_companion_is_in_reach():
    async with Bench() as bench:
        bench.reach = False
        await bench.hold(0, 1000)
        assert bench.feedback.names() == ["listening", "kept"]
        assert bench.trace.names() == ["listening", "recording", "captured", "kept"]
        assert bench.trace.of("kept")[0][1] == {"clip": "clip-1"}


async def test_a_slow_microphone_delays_listening_not_the_clip():
    async with Bench() as bench:
        bench.mic.startup_ms = 400
        await bench.press(0)
        await bench.begin(300)
        assert bench.feedback.names() == []
        await bench.timing.step_to(390)
        assert bench.feedback.names() == [] and bench.store.calls == []
        await bench.timing.step_to(420)
        assert bench.feedback.names() == ["listening"]
        await bench.release(1000)
        await bench.timing.step(200)
        assert bench.heard() == (6400, 1120 * 16 - 1)


async def test_the_last_syllable_is_kept_when_the_release_is_known_late():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.release(2000, known=2090)
        await bench.timing.step(200)
        assert bench.heard() == (GOOD, 2120 * 16 - 1)


async def test_a_release_known_after_its_tail_ends_the_clip_at_once():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.release(2000, known=2600)
        await bench.timing.step(50)
        assert bench.feedback.names()[-1] == "captured"
        assert bench.heard()[1] <= 2620 * 16


async def test_the_ring_is_whole_for_the_link():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(400)
        assert bench.recorder.number == 1
        await bench.timing.step_to(1200)
        buffer = bytearray(20_000)
        got = bench.ring.read_into(0, buffer)
        assert bytes(buffer[:got]) == stream(GOOD, bench.encoder.samples[-1] + 1)[:got] and got > 7000
        await bench.release(2000)
        await bench.timing.step(300)
        assert bench.recorder.number is None
        # What was said last can still be read there.
        assert bench.ring.end == len(bench.clip()[0])


async def test_a_minute_goes_through_the_ring():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(30_000)
        assert bench.ring.end - bench.ring.start < 8192
        await bench.release(30_000)
        await bench.timing.step(300)
        data, done = bench.clip()
        assert data == stream(GOOD, 30_120 * 16) and done[1] == 30_120 - 256


async def test_short_readings_of_any_length():
    async with Bench() as bench:
        bench.mic.shorts = [256, 1, 255, 37, 200, 3]
        await bench.hold(0, 1500)
        assert bench.heard() == (GOOD, 1620 * 16 - 1)
        assert bench.clip()[0] == stream(*bench.heard())


async def test_a_hold_as_short_as_can_be():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.release(300)
        await bench.timing.step(300)
        assert bench.heard() == (GOOD, 420 * 16 - 1) and bench.feedback.names() == ["listening", "captured"]


async def test_a_pin_that_is_not_paired_says_so_and_hears_nothing():
    async with Bench() as bench:
        bench.recorder.is_paired = False
        bench.recorder.configure(True, 0)
        await bench.timing.step_to(500)
        assert not bench.mic.is_open
        await bench.press(1000)
        assert not bench.mic.is_open
        assert await bench.begin(1300) is False
        assert bench.feedback.names() == ["unpaired"] and [o for _, o in bench.over] == ["unpaired"]
        await bench.release(1900)
        await bench.tap(3000, 3100)
        assert bench.feedback.names() == ["unpaired"] and bench.store.calls == []


async def test_a_press_during_the_tail_waits_for_its_turn():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.release(2000)
        await bench.press(2050)
        await bench.begin(2350)
        await bench.release(4000)
        await bench.timing.step(300)
        assert bench.feedback.names() == ["listening", "captured", "listening", "captured"]
        # The microphone stayed on, so the second begins where the first ended.
        assert bench.mic.opened == 1
        assert bench.heard(1) == (GOOD, 2120 * 16 - 1)
        first, last = bench.heard(2)
        # A sample is its position, modulo 2 ** 16.
        assert 2120 * 16 <= first <= 2140 * 16 and last == 4120 * 16 - 1 & 0xFFFF
        assert len(bench.clip(2)[0]) == (4120 * 16 - first) // 2
        assert [held for _, held in bench.feedback.held] == [True, True, False]


async def test_a_tap_during_the_tail():
    async with Bench() as bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.release(2000)
        await bench.tap(2040, 2100)
        await bench.timing.step(200)
        assert bench.feedback.names() == ["listening", "captured"] and not bench.mic.is_open
        assert [outcome for _, outcome in bench.over] == ["captured", "discarded"]


async def test_a_press_while_flash_is_written():
    async with Bench() as bench:
        bench.store.stalls = {"finish": [180]}
        await bench.press(0)
        await bench.begin(300)
        await bench.release(1000)
        await bench.timing.step_to(1400)
        await bench.hold(1400, 3000)
        assert bench.feedback.names() == ["listening", "captured"] * 2
        assert bench.heard(2) == (GOOD, 1720 * 16 - 1)


async def test_presses_in_a_row_are_clips_of_their_own():
    async with Bench() as bench:
        for number in range(4):
            await bench.hold(number * 3000, number * 3000 + 1000 + 100 * number)
        assert [writer.number for writer in bench.store.writers] == [1, 2, 3, 4]
        for number in range(4):
            assert bench.heard(number + 1) == (GOOD, (1120 + 100 * number) * 16 - 1)
            assert bench.clip(number + 1)[0] == stream(*bench.heard(number + 1))


async def test_close_keeps_what_was_said_so_far():
    bench = Bench()
    async with bench:
        await bench.press(0)
        await bench.begin(300)
        await bench.timing.step_to(2000)
    assert bench.clip()[1][2] is True and bench.recorder.number is None


async def test_calls_that_do_not_belong():
    async with Bench() as bench:
        bench.recorder.discard()
        bench.recorder.end(5)
        assert bench.recorder.begin(dict(META)) is False
        await bench.press(100)
        # Let go without a begin: a tap.
        await bench.release(200)
        await bench.timing.step(50)
        assert not bench.mic.is_open and [o for _, o in bench.over] == ["discarded"]


async def test_it_checks_in_idle_and_recording():
    async with Bench() as bench:
        await bench.timing.step_to(3000)
        await bench.press(3000)
        await bench.begin(3300)
        await bench.timing.step_to(9000)
        seen = bench.checked
        assert all(seen[i + 1] - seen[i] <= 1000 for i in range(len(seen) - 1)) and seen[-1] >= 8400


async def test_blocks_are_of_a_dma_block():
    async with Bench() as bench:
        await bench.hold(0, 1000)
        assert bench.recorder.hearing.blocks == (1120 * 16 + BLOCK - 1) // BLOCK
