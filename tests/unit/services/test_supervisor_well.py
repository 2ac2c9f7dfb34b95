"""When a boot is well."""

from watched import Bench, Worker

from lapel.services.supervisor import BACKOFF_MS, BOOT_WELL_MS, TICK_MS


def well_bench(**options):
    well = []
    bench = Bench(on_well=lambda: well.append(bench.timing.ms()), **options)
    return bench, well


async def test_a_boot_is_well_once_all_were_at_work_for_10_s():
    bench, well = well_bench()
    for name in ("link", "recorder"):
        bench.supervisor.spawn(name, Worker(bench, name).run)
    await bench.start()
    await bench.timing.step(BOOT_WELL_MS - TICK_MS)
    assert well == []
    await bench.timing.step(3 * TICK_MS)
    assert len(well) == 1 and ("well", {}) in bench.traced
    await bench.timing.step(10 * BOOT_WELL_MS)
    assert len(well) == 1
    await bench.stop()


async def test_a_service_that_died_or_is_late_begins_the_10_s_again():
    bench, well = well_bench()
    bench.supervisor.spawn("link", Worker(bench, "link", dies=(6000,)).run)
    bench.supervisor.spawn("recorder", Worker(bench, "recorder").run)
    await bench.start()
    await bench.timing.step(6000 + BOOT_WELL_MS)
    assert well == []
    await bench.timing.step(BACKOFF_MS + 3 * TICK_MS)
    assert len(well) == 1
    await bench.stop()
    bench, well = well_bench()
    bench.supervisor.spawn("link", Worker(bench, "link").run)
    bench.supervisor.spawn("recorder", Worker(bench, "recorder", every_ms=BOOT_WELL_MS * 3).run)
    await bench.start()
    # On time at first, then late, and never well.
    await bench.timing.step(BOOT_WELL_MS * 2)
    assert well == []
    await bench.stop()


async def test_a_boot_with_a_service_that_dies_again_and_again_is_not_well():
    bench, well = well_bench()
    bench.supervisor.spawn("link", Worker(bench, "link", dies=[3000] * 99).run)
    bench.supervisor.spawn("recorder", Worker(bench, "recorder").run)
    await bench.start()
    await bench.timing.step(20_000)
    assert well == []
    await bench.stop()


async def test_being_well_is_not_written_down_into_a_recording():
    idle = [False]
    bench, well = well_bench(is_idle=lambda: idle[0])
    bench.supervisor.spawn("recorder", Worker(bench, "recorder").run)
    await bench.start()
    await bench.timing.step(3 * BOOT_WELL_MS)
    assert well == []
    idle[0] = True
    await bench.timing.step(2 * TICK_MS)
    assert len(well) == 1
    await bench.stop()
