"""machine's timers, watchdog, memory, clock and sleep."""

import machine
import world
from machine import Timer
from wires import Wires, refused


def test_a_timer_again_and_again():
    with Wires() as wires:
        calls = []
        timer = Timer(1, mode=Timer.PERIODIC, period=10, callback=lambda t: calls.append(t))
        wires.pass_ms(35)
        assert calls == [timer] * 3
        assert timer.value() == 5
        timer.deinit()
        wires.pass_ms(20)
        assert len(calls) == 3


def test_a_timer_that_is_late_is_called_once():
    with Wires() as wires:
        calls = []
        Timer(0).init(freq=100, callback=lambda t: calls.append(1))
        wires.now_ms += 95
        wires.world.poll()
        assert len(calls) == 1
        wires.pass_ms(5)
        assert len(calls) == 2


def test_a_timer_once_and_of_one_number_one():
    with Wires() as wires:
        calls = []
        Timer(2, mode=Timer.ONE_SHOT, period=5, callback=lambda t: calls.append("once"))
        Timer(3, period=5, callback=lambda t: calls.append("first"))
        Timer(3, period=7, callback=lambda t: calls.append("second"))
        wires.pass_ms(10)
        assert calls == ["once", "second"]
        assert refused(ValueError, Timer, 4)


def test_a_callback_that_fails_does_not_end_its_timer():
    with Wires() as wires:
        calls = []

        def fails(timer):
            calls.append(1)
            raise ValueError("in a callback, as it should be here")

        Timer(0, period=5, callback=fails)
        wires.pass_ms(11)
        assert len(calls) == 2


def test_an_interrupt_does_not_interrupt_another():
    with Wires() as wires:
        calls = []

        def polls(timer):
            calls.append(1)
            wires.now_ms += 100
            wires.world.poll()

        Timer(0, period=5, callback=polls)
        wires.pass_ms(5)
        assert len(calls) == 1


def test_watchdog_memory_and_identity():
    with Wires() as wires:
        wdt = machine.WDT(timeout=8000)
        wdt.feed()
        assert (wires.world.watchdog_ms, wires.world.feeds) == (8000, 1)
        machine.WDT(timeout=60_000)
        assert wires.world.watchdog_ms == 60_000
        assert refused(ValueError, machine.WDT, timeout=0)
        rtc = machine.RTC()
        assert rtc.memory() == b""
        rtc.memory(b"kept")
        assert machine.RTC().memory() == b"kept"
        assert refused(ValueError, rtc.memory, bytes(2049))
        assert len(machine.unique_id()) == 6
        assert machine.reset_cause() == machine.PWRON_RESET
        assert machine.wake_reason() == 0


def test_the_clock_takes_what_the_chip_takes():
    with Wires():
        assert machine.freq() == 240_000_000
        machine.freq(80_000_000)
        assert machine.freq() == 80_000_000
        assert refused(ValueError, machine.freq, 100_000_000)


def test_reset_and_deep_sleep_come_back_to_nobody():
    with Wires() as wires:
        refused(SystemExit, machine.reset)
        refused(SystemExit, machine.deepsleep, 5000)
        refused(SystemExit, machine.soft_reset)
        assert wires.world.heard == [("reset", None), ("deep sleep", 5000)]


def test_a_chip_in_no_world_says_so():
    world.attach(None)
    assert "world.attach" in refused(RuntimeError, machine.Pin, 4)


def test_parts_without_a_model_or_a_wire():
    assert "no model of 'flux'; there are button" in refused(
        ValueError, Wires({"chip": "flux", "pins": {}}).__enter__
    )
    assert "led: pin A is not wired" in refused(
        ValueError, Wires({"chip": "led", "pins": {"K": 4}}).__enter__
    )
    world.attach(None)


def test_a_clock_goes_on_when_its_ticks_wrap():
    class Time:
        """32-bit MicroPython's."""

        at = (1 << 30) - 5

        def ticks_ms(self):
            return self.at & (1 << 30) - 1

        def ticks_add(self, ticks, delta):
            return ticks + delta & (1 << 30) - 1

    before, world.time = world.time, Time()
    try:
        clock = world.Clock("ticks_ms", 1_000_000)
        assert clock() == 0
        world.time.at += 20
        assert clock() == 20
        world.time.at += 3
        assert clock() == 23
    finally:
        world.time = before


def test_the_flash_is_a_partition():
    import esp32

    class Flash:
        def readblocks(self, block, buf, offset=0):
            buf[:] = b"x" * len(buf)

        def writeblocks(self, block, buf, offset=None):
            pass

        def ioctl(self, op, arg):
            return {4: 16, 5: 4096}.get(op, 0)

    with Wires() as wires:
        find = esp32.Partition.find
        assert find(esp32.Partition.TYPE_DATA, label="vfs") == []
        wires.world.flash = Flash()
        assert find(esp32.Partition.TYPE_APP) == []
        assert find(esp32.Partition.TYPE_DATA, label="nvs") == []
        found = find(esp32.Partition.TYPE_DATA, label="vfs")[0]
        assert found.info()[3:5] == (65536, "vfs")
        buf = bytearray(2)
        found.readblocks(0, buf, 0)
        assert buf == b"xx"
