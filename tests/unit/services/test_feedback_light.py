"""What the light shows, alone and with the motor, and how strong both are."""

from felt import Bench

from lapel.core import pattern


async def test_quiet_hours_keep_light_and_count():
    felt = []
    async with Bench() as bench:
        bench.feedback.is_quiet = lambda: True
        bench.feedback.on_felt = felt.append
        bench.show("done", 3, "id")
        assert bench.led.now != (0, 0, 0)
        await bench.step(10_000)
        assert bench.haptic.calls == [] and bench.played() == []
        assert [f for _, f in bench.trace.of("led")] == [{"pattern": "done", "count": 3}]
        flashes = [c for _, c in bench.led.calls if c != (0, 0, 0)]
        assert len(flashes) == 4 and felt == ["id"]


async def test_quiet_patterns_stand_apart_too():
    async with Bench() as bench:
        bench.feedback.is_quiet = lambda: True
        bench.show("cancelled")
        bench.show("done")
        await bench.step(10_000)
        (first, _), (second, _) = bench.trace.of("led")
        assert second == first + pattern.length_ms(pattern.light("cancelled")) + pattern.APART_MS


async def test_strength_and_brightness():
    async with Bench() as bench:
        bench.feedback.strength, bench.feedback.brightness = 128, 51
        bench.show("failed")
        assert bench.haptic.calls == [(0, 128)]
        assert bench.led.now == (51, 0, 0)
    async with Bench() as bench:
        bench.feedback.strength = 0
        bench.show("failed")
        await bench.step(3000)
        assert bench.haptic.calls == [] and bench.played() == []


async def test_steady_lights_lie_behind_the_patterns():
    async with Bench() as bench:
        bench.feedback.brightness = 255
        bench.feedback.light("saving")
        saving = bench.led.now
        assert saving == pattern.LIGHTS["saving"]
        bench.show("done")
        assert bench.led.now == pattern.colour("done")
        await bench.step(5000)
        assert bench.led.now == saving
        bench.feedback.light("off")
        assert bench.led.now == (0, 0, 0)
        assert [f["pattern"] for _, f in bench.trace.of("led")] == ["saving", "done", "off"]


async def test_listening_leaves_its_light_on():
    async with Bench() as bench:
        bench.feedback.light("pressed")
        bench.feedback.hold(True)
        bench.show("listening")
        await bench.step(2000)
        assert bench.led.now == pattern.colour("listening")
        bench.show("tick55")
        await bench.step(2000)
        assert bench.led.now == pattern.colour("listening")
        bench.feedback.light("off")
        assert bench.led.now == (0, 0, 0)


async def test_only_the_count():
    async with Bench() as bench:
        bench.show(pattern.COUNT, 3)
        await bench.step(3000)
        assert bench.played() == [] and len([c for _, c in bench.led.calls if c != (0, 0, 0)]) == 3
