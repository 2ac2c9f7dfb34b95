"""The supervisor, with a clock that only goes when the test says so."""

import asyncio

from watched import Bench, Worker

from lapel.core.clock import Clock
from lapel.services.flight import Flight
from lapel.services.supervisor import (
    BACKOFF_MAX_MS,
    BACKOFF_MS,
    DEATHS_MAX,
    HEAP_EVERY_MS,
    PERIOD_MS,
    RETRY_MS,
    TICK_MS,
    WELL_MS,
    Supervisor,
)
from lapel.services.timing import Timing
from lapel_wire import flight_reading


async def test_the_watchdog_is_fed_while_all_check_in():
    bench = Bench()
    for name in ("link", "recorder"):
        bench.supervisor.spawn(name, Worker(bench, name).run)
    await bench.start()
    await bench.timing.step(20 * PERIOD_MS)
    assert bench.watchdog.fed == 20 * PERIOD_MS // TICK_MS
    assert bench.flight.told == [] and bench.traced == []
    assert bench.flight.ticks == bench.watchdog.fed and bench.flight.at_work in ("link", "recorder")
    await bench.stop()


async def test_the_watchdog_starves_when_one_does_not_check_in():
    bench = Bench()
    bench.supervisor.spawn("link", Worker(bench, "link").run)
    bench.supervisor.spawn("recorder", Worker(bench, "recorder", PERIOD_MS + 3 * TICK_MS).run)
    await bench.start()
    await bench.timing.step(PERIOD_MS)
    fed = bench.watchdog.fed
    assert fed == PERIOD_MS // TICK_MS
    await bench.timing.step(2 * TICK_MS)
    assert bench.watchdog.fed == fed and bench.supervisor.late() == ["recorder"]
    # Told once, written down before the reset comes.
    assert bench.flight.told == [("late", "recorder")] and bench.traced == [("late", {"task": "recorder"})]
    await bench.timing.step(3 * TICK_MS)
    assert bench.watchdog.fed > fed and bench.supervisor.late() == []
    await bench.stop()


async def test_a_service_without_a_period_need_not_check_in():
    bench = Bench()

    async def quiet():
        await bench.timing.passed_ms(1000 * PERIOD_MS)

    bench.supervisor.spawn("quiet", quiet, None)
    await bench.start()
    await bench.timing.step(3 * PERIOD_MS)
    assert bench.watchdog.fed == 3 * PERIOD_MS // TICK_MS
    await bench.stop()


async def test_a_service_that_dies_is_reported_with_its_cause_and_restarted():
    bench = Bench()
    worker = Worker(bench, "link", dies=(300,))
    other = Worker(bench, "recorder")
    bench.supervisor.spawn("link", worker.run)
    bench.supervisor.spawn("recorder", other.run)
    await bench.start()
    await bench.timing.step(10_000)
    assert worker.starts == [0, 300 + BACKOFF_MS] and other.starts == [0]
    assert len(bench.deaths()) == 1
    fields = bench.deaths()[0]
    assert fields["task"] == "link" and fields["error"].startswith("OSError: ")
    assert "watched.py:" in fields["error"] and "\n" not in fields["error"]
    assert bench.flight.told == [("died", "link", fields["error"])] and bench.trouble == []
    # The watchdog was fed through it: the pin goes on.
    assert bench.watchdog.fed == 10_000 // TICK_MS
    await bench.stop()


async def test_it_is_tried_again_at_growing_intervals_and_then_told_to_the_person():
    bench = Bench()
    worker = Worker(bench, "link", dies=[0] * 7)
    bench.supervisor.spawn("link", worker.run)
    await bench.start()
    await bench.timing.step(BACKOFF_MS * 15)
    gaps = [worker.starts[i + 1] - worker.starts[i] for i in range(DEATHS_MAX - 1)]
    assert gaps == [BACKOFF_MS << i for i in range(DEATHS_MAX - 1)] and max(gaps) <= BACKOFF_MAX_MS
    assert bench.trouble == ["link"]
    assert ("error", "link dies again and again") in bench.flight.told
    await bench.timing.step(3 * RETRY_MS + 1000)
    # Two more deaths are not told again; then it lives.
    assert bench.trouble == ["link"] and len(bench.deaths()) == 7 and len(worker.starts) == 8
    assert bench.supervisor.late() == [] and bench.watchdog.fed > 3 * RETRY_MS // TICK_MS
    await bench.stop()


async def test_deaths_far_apart_are_not_trouble():
    bench = Bench()
    worker = Worker(bench, "link", dies=[WELL_MS] * 8)
    bench.supervisor.spawn("link", worker.run, None)
    await bench.start()
    await bench.timing.step(8 * WELL_MS + 8 * BACKOFF_MS + 50)
    assert len(bench.deaths()) == 8 and bench.trouble == [] and len(worker.starts) == 9
    await bench.stop()


async def test_a_service_that_returns_is_restarted_too():
    bench = Bench()
    starts = []

    async def short():
        starts.append(bench.timing.ms())

    bench.supervisor.spawn("short", short)
    await bench.start()
    await bench.timing.step(BACKOFF_MS)
    assert starts == [0, BACKOFF_MS] and "ended by itself" in bench.deaths()[0]["error"]
    await bench.stop()


async def test_what_died_inside_a_service_is_reported_by_it():
    bench = Bench()
    try:
        {}["gone"]
    except KeyError as error:
        bench.supervisor.report("link", error)
    assert bench.deaths()[0]["task"] == "link" and bench.deaths()[0]["error"].startswith("KeyError: ")
    assert bench.flight.told[0][0] == "died"


async def test_close_ends_all_services_and_waits_for_them():
    bench = Bench()
    order = []

    def service(name):
        async def run():
            try:
                while True:
                    await bench.timing.passed_ms(10)
            finally:
                await asyncio.sleep(0)
                order.append(name)

        return run

    for name in ("a", "b", "c"):
        bench.supervisor.spawn(name, service(name), None)
    await bench.start()
    await bench.timing.step(100)
    await bench.stop()
    assert order == ["c", "b", "a"]
    await bench.supervisor.close()
    assert order == ["c", "b", "a"] and bench.deaths() == []


async def test_a_service_that_waits_for_its_restart_is_ended_too():
    bench = Bench()
    worker = Worker(bench, "link", dies=(0, 0, 0))
    bench.supervisor.spawn("link", worker.run)
    await bench.start()
    await bench.timing.step(1)
    await bench.stop()
    await bench.timing.step(RETRY_MS)
    assert len(worker.starts) == 1


async def test_a_service_may_be_added_while_running_and_has_its_time_to_check_in():
    bench = Bench()
    starts = []

    async def slow_to_begin():
        starts.append(bench.timing.ms())
        await bench.timing.passed_ms(PERIOD_MS - TICK_MS)
        while True:
            bench.supervisor.check_in("late comer")
            await bench.timing.passed_ms(1000)

    await bench.start()
    await bench.timing.step(2 * PERIOD_MS)
    bench.supervisor.spawn("late comer", slow_to_begin)
    await bench.timing.step(3 * PERIOD_MS)
    assert starts == [2 * PERIOD_MS] and bench.flight.told == []
    assert bench.watchdog.fed == 5 * PERIOD_MS // TICK_MS
    await bench.stop()


async def test_a_stalled_loop_is_measured():
    bench = Bench()
    await bench.start()
    await bench.timing.step(10 * TICK_MS)
    assert bench.flight.told == []
    # An erase holds the interpreter: time passes and nobody runs.
    bench.timing.now_ms += TICK_MS + 180
    await bench.timing.settle()
    await bench.timing.step(TICK_MS)
    assert bench.flight.told == [("stall", 180)]
    await bench.stop()


async def test_the_heap_is_measured_when_idle():
    idle = [False]
    bench = Bench(is_idle=lambda: idle[0], mem_free=lambda: 54_321)
    await bench.start()
    await bench.timing.step(3 * HEAP_EVERY_MS)
    assert bench.flight.told == []
    idle[0] = True
    await bench.timing.step(2 * HEAP_EVERY_MS)
    assert bench.flight.told == [("heap", 54_321)] * 2
    await bench.stop()


async def test_with_the_real_clock_and_recorder():
    restarted = asyncio.Event()
    lives = []

    async def service():
        lives.append(1)
        if len(lives) == 1:
            raise ValueError("no such block")
        restarted.set()
        await asyncio.Event().wait()

    class Memory:
        data = b""

        def load(self):
            return self.data

        def save(self, data):
            self.data = bytes(data)

    memory = Memory()
    clock = Clock()
    flight = Flight(memory, clock.ms)
    flight.boot("power on")
    traced = []

    def trace(event, **fields):
        traced.append((event, fields["task"]))

    supervisor = Supervisor(trace, None, flight, Timing(clock))
    supervisor.spawn("link", service)
    task = asyncio.create_task(supervisor.run())
    await restarted.wait()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    assert traced == [("task_died", "link")]
    log = flight_reading.decode(memory.data)
    assert log["last_error"].startswith("link: ValueError: no such block (test_supervisor.py:")
