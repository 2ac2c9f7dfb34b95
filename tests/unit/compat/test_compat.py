"""The clock and the flag mean the same on both Pythons."""

import asyncio

from lapel import compat


def test_const_is_the_value():
    assert compat.const(7) == 7


def test_ticks_diff_undoes_ticks_add_over_the_wrap():
    start = compat.ticks_ms()
    # Up to the port's own limit of half a period; 2**28 is safe on every port.
    for delta in (0, 1, -1, 1000, -1000, 1 << 28, -(1 << 28)):
        assert compat.ticks_diff(compat.ticks_add(start, delta), start) == delta


def test_ticks_go_forward():
    first_ms, first_us = compat.ticks_ms(), compat.ticks_us()
    while compat.ticks_diff(compat.ticks_us(), first_us) < 2000:
        pass
    assert compat.ticks_diff(compat.ticks_ms(), first_ms) >= 1


async def test_sleep_ms_waits():
    start = compat.ticks_us()
    await compat.sleep_ms(5)
    assert compat.ticks_diff(compat.ticks_us(), start) >= 4000


async def test_a_flag_set_before_the_wait_is_not_lost():
    flag = compat.ThreadSafeFlag()
    flag.set()
    await asyncio.wait_for(flag.wait(), 1)


async def test_waiting_clears_the_flag():
    flag = compat.ThreadSafeFlag()
    flag.set()
    await flag.wait()
    try:
        await asyncio.wait_for(flag.wait(), 0.01)
    except asyncio.TimeoutError:
        return
    raise AssertionError("the flag was still set")


async def test_a_cleared_flag_is_waited_for():
    flag = compat.ThreadSafeFlag()
    flag.set()
    flag.clear()
    try:
        await asyncio.wait_for(flag.wait(), 0.01)
    except asyncio.TimeoutError:
        return
    raise AssertionError("clear() did nothing")


async def test_set_wakes_the_waiting_task():
    flag = compat.ThreadSafeFlag()
    woken = []

    async def waiter():
        await flag.wait()
        woken.append(True)

    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    assert not woken
    flag.set()
    await asyncio.wait_for(task, 1)
    assert woken == [True]
