"""bleak on Bumble, where a radio answers late, or together with a cancellation."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import MagicMock

import pytest
from bleak.exc import BleakError

from lapel_companion.link.bumble_backend import BumbleClient, BumbleScanner
from tests.host.companion.companion_fakes import run


def test_a_radio_that_answers_too_late_is_no_mistake_of_the_daemon() -> None:
    """Bumble asserts that an answer is of the right kind; it may be that to what was given up."""

    class Late:
        def on(self, *_: object) -> None: ...

        def remove_listener(self, *_: object) -> None: ...

        async def fails(self, *_: object, **__: object) -> None:
            raise AssertionError

        async def hangs(self, *_: object, **__: object) -> None:
            await asyncio.Event().wait()

        start_scanning = stop_scanning = send_sync_command = fails
        connect = hangs

    async def test() -> None:
        radio: Any = Late()
        scanner = BumbleScanner(None, None, bumble=radio)
        for ask in (scanner.start, scanner.stop):
            with pytest.raises(BleakError):
                await ask()
        client = BumbleClient("C0:00:00:00:00:01", bumble=radio, disconnected_callback=None, timeout=9)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.connect(False)

    run(test)


@pytest.mark.parametrize("late", ("connect", "write"))
def test_a_cancellation_that_comes_with_the_answer_is_one(late: str) -> None:
    """Before Python 3.12 `wait_for`, which Bumble asks with, drops it: the keeper went on, and a stop hung."""

    class Radio(MagicMock):
        """Answers when `answer` is set, as Bumble does."""

        answer: asyncio.Future[Any]

        async def connect(self, *_: object, timeout: float) -> Any:
            return await asyncio.wait_for(asyncio.shield(self.answer), timeout)

    async def test() -> None:
        radio = Radio()
        radio.answer = asyncio.get_running_loop().create_future()
        client = BumbleClient("C0:00:00:00:00:01", bumble=radio, disconnected_callback=None, timeout=9)
        if late == "connect":
            task = asyncio.create_task(client.connect(False))
        else:
            client._peer = MagicMock(write_value=lambda *_: asyncio.wait_for(radio.answer, 9))
            task = asyncio.create_task(client.write_gatt_char(MagicMock(), b"x", True))
        await asyncio.sleep(0)
        while not radio.answer._callbacks:
            await asyncio.sleep(0)
        radio.answer.set_result(MagicMock())
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # What was connected is known, so that it can be ended.
        assert client.is_connected == (late == "connect")

    run(test)
