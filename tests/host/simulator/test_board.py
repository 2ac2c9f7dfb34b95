"""The simulated board under the real interpreter: bus, pins, microphone, flash, watchdog, reset, power."""

from __future__ import annotations

import asyncio
from array import array
from itertools import pairwise

from simulator.mic import BLOCK_FRAMES
from tests.host.simulator.desks import Desk, seen


def test_files_on_a_new_flash_and_after_a_restart(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", {"flash_blocks": 64}, PART="write") as simulation:
            mounted = await seen(simulation, "mounted")
            assert mounted.fields == {"made": True, "names": [], "blocks": 64}
            wrote = await seen(simulation, "wrote")
            assert wrote.fields["size"] == 20000
            # five blocks erased at 45 ms, 160 pages programmed at 0.4 ms, as the device feels it
            assert 250 < wrote.fields["ms"] < 1500
            assert simulation.flash.erases >= 5
            assert simulation.flash.violations == []
        async with desk("board_parts.py", PART="files") as simulation:
            mounted = await seen(simulation, "mounted")
            assert mounted.fields == {"made": False, "names": ["a.txt"], "blocks": 64}

    asyncio.run(run())


def test_without_device_time_writing_is_fast(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", {"flash_timed": False}, PART="write") as simulation:
            assert (await seen(simulation, "wrote")).fields["ms"] < 200

    asyncio.run(run())


def test_power_cut_after_an_operation_and_on_again(desk: Desk) -> None:
    async def run() -> None:
        options = {"flash_timed": False, "flash_blocks": 64}
        async with desk("board_parts.py", options, PART="write_for_ever") as simulation:
            await seen(simulation, "round")
            for torn in (False, True):
                start = len(simulation.timeline.events)
                await simulation.power_cut(after=7, torn=torn)
                before = simulation.flash.operations
                await seen(simulation, "power", start, who="sim", on="false")
                assert simulation.flash.operations == before + 7
                assert not simulation.pin.running
                await simulation.power_on()
                mounted = await seen(simulation, "mounted", start)
                assert mounted.fields["made"] is False
                await seen(simulation, "round", mounted.index)
            assert simulation.flash.violations == []

    asyncio.run(run())


def test_programming_what_was_not_erased_fails_the_run(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="overwrite") as simulation:
            await seen(simulation, "overwritten")
            assert simulation.failure == ""
        assert "rules of NOR" in simulation.failure
        assert "block 5, offset 0" in simulation.failure

    asyncio.run(run())


def test_button_bounces_and_interrupts(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="button") as simulation:
            await seen(simulation, "ready")
            await simulation.person.press()
            await asyncio.sleep(0.05)
            await simulation.person.release()
            levels = (await seen(simulation, "edges")).fields["levels"]
            assert levels[0] == 0
            assert levels[-1] == 1
            assert all(a != b for a, b in pairwise(levels))

    asyncio.run(run())


def test_microphone_reads_per_block_short_and_drops_the_oldest(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="mic") as simulation:
            mic = await seen(simulation, "mic")
            first, short, rest, error = mic.fields["got"]
            assert (first, short) == (1024, 400)
            # what is left of the block, and not the 4096 B asked for
            assert rest == 624
            assert "multiple of the sample size" in error
            # 40,000 B of DMA are 19 blocks, each 1024 B of mono
            assert mic.fields["after_pause"] == 19 * 1024
            overrun = await seen(simulation, "overrun", who="sim")
            assert 5 <= overrun.fields["blocks"] <= 12

    asyncio.run(run())


def test_microphone_start_up_offset_and_format(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="sound") as simulation:
            await seen(simulation, "closed")
            blocks = [e.fields for e in simulation.timeline.events if e.name == "block"]
            # 24 bits, left-aligned
            assert all(block["low"] == 0 for block in blocks)
            value = [b["value"] - (1 << 32 if b["value"] >> 31 else 0) for b in blocks]
            # 256 ms are 16 blocks: nothing, then settling, then the offset
            assert value[:8] == [0] * 8
            assert value[8] > 5 * value[16] > 0
            assert 30_000 < value[19] >> 8 < 50_000
            mic = [e.fields["on"] for e in simulation.timeline.events if e.name == "mic" and e.who == "sim"]
            assert mic == [True, False]

    asyncio.run(run())


def test_speech_is_paced_in_real_time_and_whole(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="sound") as simulation:
            await seen(simulation, "block", number="17")
            begun = simulation.timeline.now_s()
            await simulation.mic.play(array("h", [8000] * (2 * BLOCK_FRAMES)))
            # a person begins a moment later, on a grid of the microphone's clock
            assert 0.1 < simulation.timeline.now_s() - begun < 0.5
            await seen(simulation, "closed")
            blocks = [e.fields for e in simulation.timeline.events if e.name == "block"]
            loud = [b["number"] for b in blocks if b["number"] >= 16 and 8000 << 16 < b["value"] < 1 << 31]
            assert loud == [28, 29]

    asyncio.run(run())


def test_reset_keeps_retained_memory_and_says_its_cause(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="rtc") as simulation:
            first = await seen(simulation, "rtc")
            assert first.fields == {"n": 0, "same": False}
            second = await seen(simulation, "rtc", first.index + 1)
            assert second.fields == {"n": 2048, "same": True}
            boots = [e.fields["cause"] for e in simulation.timeline.events if e.name == "boot"]
            assert boots[:2] == [1, 2]
            uids = {e.fields["uid"] for e in simulation.timeline.events if e.name == "boot"}
            assert len(uids) == 1
            await simulation.power_cut()
            start = len(simulation.timeline.events)
            await simulation.power_on()
            third = await seen(simulation, "rtc", start)
            assert third.fields["n"] == 0

    asyncio.run(run())


def test_watchdog(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="watchdog") as simulation:
            starving = await seen(simulation, "starving")
            reset = await seen(simulation, "reset", who="sim")
            assert reset.fields["cause"] == "watchdog"
            assert 0.1 < reset.t_s - starving.t_s < 0.6
            again = await seen(simulation, "boot", reset.index)
            assert again.fields["cause"] == 3

    asyncio.run(run())


def test_a_crash_is_told_with_its_cause_and_the_pin_sits_at_its_prompt(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="crash") as simulation:
            died = await seen(simulation, "task_died")
            assert died.fields == {"task": "main", "error": "RuntimeError: it broke"}
            assert simulation.failure == "the firmware died: RuntimeError: it broke"
            assert simulation.last_words[0].startswith("Traceback")
            assert (await seen(simulation, "repl", who="sim")).fields == {"why": "raised"}
            assert simulation.pin.running

    asyncio.run(run())


def test_a_crash_may_be_what_a_run_is_about(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", {"may_die": True}, PART="crash") as simulation:
            await seen(simulation, "task_died")
        assert not simulation.failure

    asyncio.run(run())


def test_an_interpreter_that_is_gone_fails_any_run(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", {"may_die": True}, PART="gone") as simulation:
            await seen(simulation, "task_died")
            assert simulation.failure == "the pin's interpreter ended by itself (exit 7): the last word"
            assert not simulation.pin.running

    asyncio.run(run())


def test_soft_resets_keep_memory_and_watchdog(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", {"may_die": True}, PART="soft_reset") as simulation:
            bitten = await seen(simulation, "boot", cause="3")
            boots = [e.fields["cause"] for e in simulation.timeline.events if e.name == "boot"]
            assert boots == [1, 5, 5, 3]
            told = [e.fields["boots"] for e in simulation.timeline.events if e.name == "soft"]
            assert told[:3] == [0, 1, 2]
            why = await seen(simulation, "repl", who="sim")
            assert why.fields == {"why": "returned"}
            first = await seen(simulation, "soft")
            assert 1.4 < bitten.t_s - first.t_s < 3
        assert not simulation.failure

    asyncio.run(run())


def test_firmware_that_gives_up_fails_an_ordinary_run(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="soft_reset") as simulation:
            await seen(simulation, "task_died")
            assert simulation.failure == "the firmware gave up (soft reset): it cannot go on"
            assert simulation.last_words == ["it cannot go on"]

    asyncio.run(run())


def test_a_button_held_at_boot_is_seen(desk: Desk) -> None:
    async def run() -> None:
        async with desk("board_parts.py", PART="levels") as simulation:
            await simulation.power_cut()
            start = len(simulation.timeline.events)
            await simulation.person.press()
            await simulation.power_on()
            assert (await seen(simulation, "levels", start)).fields["pressed"] is True

    asyncio.run(run())
