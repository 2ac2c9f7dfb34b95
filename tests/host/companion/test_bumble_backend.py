"""bleak on Bumble, where a radio answers late, or together with a cancellation."""

from __future__ import annotations

import asyncio
import struct
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from bleak.exc import BleakError
from bumble import att, core, hci

from lapel_companion.link.bumble_backend import BumbleClient, BumbleScanner
from lapel_wire import gatt
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


@pytest.mark.parametrize("asked", ("start", "stop", "disconnect", "write"))
@pytest.mark.parametrize("fails", (False, True))
def test_a_cancellation_that_comes_with_any_end_is_one(asked: str, fails: bool) -> None:
    """Also with an error: a pin whose queue is full was written to again, and the stop was forgotten."""

    async def test() -> None:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def ask(*_: object, **__: object) -> Any:
            return await asyncio.wait_for(answer, 9)

        radio: Any = MagicMock(start_scanning=ask, stop_scanning=ask)
        scanner = BumbleScanner(None, None, bumble=radio)
        client = BumbleClient("C0:00:00:00:00:01", bumble=radio, disconnected_callback=None, timeout=9)
        client._connection = MagicMock(disconnect=ask)
        client._peer = MagicMock(write_value=ask)
        work: Any = {
            "start": scanner.start,
            "stop": scanner.stop,
            "disconnect": client.disconnect,
            "write": lambda: client.write_gatt_char(MagicMock(), b"x", True),
        }[asked]
        task = asyncio.create_task(work())
        while not answer._callbacks:
            await asyncio.sleep(0)
        if fails:
            answer.set_exception(att.ATT_Error(0x11))
        else:
            answer.set_result(None)
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(test)


@pytest.mark.parametrize("error", (struct.error("unpack"), ValueError("3 bytes"), IndexError(), KeyError(1)))
def test_what_bumble_stumbles_over_ends_the_connection_and_not_the_daemon(error: Exception) -> None:
    """It reads what strangers send; a characteristic of two bytes is a struct.error."""

    async def test() -> None:
        async def stumbles(*_: object, **__: object) -> None:
            raise error

        client = BumbleClient("C0:00:00:00:00:01", bumble=MagicMock(), disconnected_callback=None, timeout=9)
        client._peer = MagicMock(read_value=stumbles)
        with pytest.raises(BleakError):
            await client.read_gatt_char(MagicMock())

    run(test)


def test_what_bumble_cancels_is_a_lost_connection() -> None:
    """As when a radio is reset: taken for a cancellation of ours, the link would have ended for good, in silence."""

    async def test() -> None:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def ask(*_: object, **__: object) -> Any:
            return await answer

        client = BumbleClient(
            "C0:00:00:00:00:01", bumble=MagicMock(connect=ask), disconnected_callback=None, timeout=9
        )
        client._give_up = AsyncMock()  # type: ignore[method-assign]
        asyncio.get_running_loop().call_soon(answer.cancel)
        with pytest.raises(BleakError, match="lost"):
            await client.connect(False)

    run(test)


def test_an_advertisement_whose_name_is_no_text_is_one_like_any_other() -> None:
    seen: list[tuple[str | None, list[str]]] = []
    radio: Any = MagicMock()
    scanner = BumbleScanner(lambda _, data: seen.append((data.local_name, data.service_uuids)), None, bumble=radio)
    scanner.seen_devices = {}
    types = core.AdvertisingData.Type
    for name in (b"Lapel", b"\xff\xfe\x80", b""):
        data = core.AdvertisingData(
            [
                (types.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, core.UUID(gatt.SERVICE_UUID).to_bytes() + b"x"),
                (types.COMPLETE_LOCAL_NAME, name),
            ]
        )
        address = hci.Address("C0:00:00:00:00:01", hci.Address.RANDOM_DEVICE_ADDRESS)
        scanner._heard(MagicMock(data=data, address=address, rssi=-50))
    assert [uuids for _, uuids in seen] == [[gatt.SERVICE_UUID]] * 3
    assert seen[0][0] == "Lapel" and "\ufffd" in str(seen[1][0])
