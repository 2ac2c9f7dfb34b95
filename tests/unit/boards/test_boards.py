"""Every board of boards/ on register-level models of its chips: whole, with each part taken away, and in safe mode.

A new board is found by its folder.
"""

from board_bench import Bench, names

# Those that say so when they do not answer.
_ANSWERING = {"drv2605l": "DRV2605L", "max17048": "MAX17048"}


def _chips(bench):
    return [part["chip"] for _, part in bench.parts]


def _wired(name):
    """The names of a board's parts."""
    with Bench(name) as bench:
        return [(part_name, part["chip"]) for part_name, part in bench.parts]


def test_there_are_boards():
    assert len(names()) >= 3


def test_whole_boards_have_no_faults():
    for name in names():
        with Bench(name) as bench:
            board = bench.board.build()
            assert board.faults == [], (name, board.faults)
            assert board.name == name
            assert not bench.heard("misuse")


def test_haptic_moves_and_stops():
    for name in names():
        with Bench(name) as bench:
            board = bench.board.build()
            board.haptic.drive(255)
            assert bench.heard("haptic")[-1] > 128, name
            board.haptic.drive(0)
            assert bench.heard("haptic")[-1] == 0, name


def test_light_shows_what_it_is_told():
    for name in names():
        with Bench(name) as bench:
            board = bench.board.build()
            board.led.show(255, 0, 0)
            shown = bench.heard("led")[-1]
            assert shown in ((255, 0, 0), (255, 255, 255)), (name, shown)
            board.led.show(0, 0, 0)
            assert bench.heard("led")[-1] == (0, 0, 0), name


def test_battery_reads_the_cell():
    for name in names():
        with Bench(name) as bench:
            bench.world.set_battery(3900)
            board = bench.board.build()
            mv = board.battery.read_mv()
            if "divider" in _chips(bench) or "max17048" in _chips(bench):
                assert abs(mv - 3900) < 30, (name, mv)
            else:
                assert mv is None, name
            percent = board.battery.read_percent()
            assert percent is None or 0 <= percent <= 100, name
            assert board.battery.charging in (True, False, None)


def test_button_is_pressed_and_let_go():
    for name in names():
        with Bench(name) as bench:
            bench.world.press(1)
            board = bench.board.build()
            assert not board.button.pressed, name
            bench.world.press(0)
            assert board.button.poll()[0] is True, name


def test_a_button_that_is_down_at_power_on_is_pressed():
    for name in names():
        with Bench(name) as bench:
            bench.world.press(0)
            assert bench.board.build().button.pressed, name


def test_microphone_is_on_its_pins_and_takes_the_memory_that_the_table_says():
    for name in names():
        with Bench(name) as bench:
            board = bench.board.build()
            i2s = board.mic._make_i2s()
            pins, rate_hz, blocks = bench.world.mic_opened
            assert pins == bench.world.mic_pins, (name, pins)
            assert rate_hz == board.mic.rate_hz == 16000, name
            assert blocks * 2048 == board.memory["dma_bytes"], name
            i2s.deinit()
            assert bench.world.mic is None, name


def test_a_chip_that_does_not_answer_is_a_fault_and_silent():
    asked = 0
    for name in names():
        for part, chip in _wired(name):
            if chip not in _ANSWERING:
                continue
            asked += 1
            with Bench(name, without=part) as bench:
                board = bench.board.build()
                pins = bench.board.PINS
                assert len(board.faults) == 1, (name, part, board.faults)
                fault = board.faults[0]
                assert _ANSWERING[chip] in fault and "check its wires" in fault, fault
                assert "GPIO %d" % pins["i2c_sda"] in fault and "GPIO %d" % pins["i2c_scl"] in fault, fault
                board.haptic.drive(255)
                board.haptic.drive(0)
                if chip == "drv2605l":
                    assert not bench.heard("haptic")
                else:
                    assert board.battery.read_mv() is None and board.battery.read_percent() is None
    assert asked >= 3


def test_no_missing_part_keeps_a_board_from_being_built():
    for name in names():
        for part, _ in _wired(name):
            with Bench(name, without=part) as bench:
                board = bench.board.build()
                board.led.show(1, 2, 3)
                board.haptic.drive(1)
                board.battery.read_mv()


def test_wires_of_the_bus_that_are_swapped_are_a_fault():
    for name in names():
        with Bench(name) as bench:
            here = bench.world
            here.on_i2c = [(scl, sda, chip, supply) for sda, scl, chip, supply in here.on_i2c]
            expected = len([chip for chip in _chips(bench) if chip in _ANSWERING])
            assert len(bench.board.build().faults) == expected, name


def test_safe_mode_needs_no_part_and_no_radio_module():
    for name in names():
        with Bench(name, radio=False) as bench:
            bench.world.on_i2c = []
            board = bench.board.essentials()
            board.light.show(255, 255, 255)
            assert bench.heard("led"), name
            assert board.reset_cause() == "power"
            board.retained.save(b"kept")
            assert board.retained.load() == b"kept"
            assert not hasattr(board, "gatt") and not hasattr(board, "haptic")


def test_a_board_without_aioble_says_so():
    for name in names():
        with Bench(name, radio=False) as bench:
            try:
                bench.board.build()
                assert False, name
            except ImportError as error:
                assert "aioble" in str(error), error


def test_watchdog_starts_with_its_first_feed_and_stretches():
    for name in names():
        with Bench(name) as bench:
            board = bench.board.essentials()
            assert bench.world.watchdog_ms is None
            board.watchdog.feed()
            board.watchdog.feed()
            assert (bench.world.watchdog_ms, bench.world.feeds) == (8000, 2)
            board.watchdog.stretch(600_000)
            board.watchdog.feed()
            assert (bench.world.watchdog_ms, bench.world.feeds) == (600_000, 4)


def test_a_trace_takes_the_place_of_the_printed_one():
    told = []
    for name in names():
        with Bench(name) as bench:
            board = bench.board.build(lambda event, **fields: told.append((event, fields)))
            board.trace("x", y=1)
    assert told == [("x", {"y": 1})] * len(names())


def test_every_calls_until_it_is_closed():
    for name in names():
        with Bench(name) as bench:
            calls = []
            ticker = bench.board.essentials().every(10, lambda: calls.append(1))
            timer = bench.world.timers[0]
            assert timer.due(timer._due_ms)
            timer.callback(timer)
            assert calls == [1]
            ticker.close()
            assert not bench.world.timers


def test_the_memory_table_is_whole():
    for name in names():
        with Bench(name) as bench:
            memory = bench.board.Board.memory
            assert set(memory) == {"heap_bytes", "executable_bytes", "dma_bytes", "nimble_bytes"}, name
            assert all(count > 0 for count in memory.values()), name
