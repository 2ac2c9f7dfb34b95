"""A companion that is too slow for what the pin could send: nothing is dropped, nothing is sent twice."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import durable
from lapel_companion.link import inbox
from lapel_companion.link.inbox import Inbox
from lapel_wire import messages
from lapel_wire.clips import WINDOW_BYTES
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, poll, run
from tests.host.companion.companion_pin import Pin

CLIP_BYTES = 400_000
# What fits beside the clip's own packets: greetings, offers, one window sent again.
_PACKETS_MAX = 1.05 * CLIP_BYTES / 218


class Quiet:
    """Whether the pin has sent nothing for a while."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self._seen = self._looks = 0

    def look(self) -> bool:
        """To be asked again and again."""
        self._looks = self._looks + 1 if self._client.packets_up == self._seen else 0
        self._seen = self._client.packets_up
        return self._looks > 20


def slow_reader(rig: Rig, client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit on a busy disk holds up the reader, once, until the pin has sent all that it may."""
    read, real = 0, rig.desk.received

    async def received(kind: int, body: Any, came_ms: int) -> None:
        nonlocal read
        read += kind == messages.AUDIO
        if read == 50:
            read += 1
            await poll(Quiet(client).look)
        await real(kind, body, came_ms)

    monkeypatch.setattr(rig.desk, "received", received)


def slow_disk(rig: Rig, client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sync takes until the pin has sent all that it may."""
    real = durable.sync_file

    def sync_file(handle: int, what: str) -> None:
        quiet = Quiet(client)
        while what == "clip.part" and not quiet.look():
            time.sleep(0.005)
        real(handle, what)

    monkeypatch.setattr(durable, "sync_file", sync_file)


@pytest.mark.parametrize("slow", [slow_reader, slow_disk])
def test_a_pin_sends_no_more_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: Any) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        data = random.Random(5).randbytes(CLIP_BYTES)
        clip_id = pin.record(1, data)
        client = FakeClient(pin, Faults())
        slow(rig, client, monkeypatch)
        await rig.connect(client, until=lambda: bool(rig.submitted and pin.accepted))
        await rig.stop()
        assert (tmp_path / "clips" / f"{clip_id}.adpcm").read_bytes() == data
        assert client.packets_up < _PACKETS_MAX

    run(test)


def test_the_inbox_is_bounded_by_bytes_and_tells_when_a_packet_came() -> None:
    async def test() -> None:
        box = Inbox()
        first_ms = time.monotonic_ns() // 1_000_000
        # Two windows in the shortest packets, with what is around them.
        for _ in range(2 * WINDOW_BYTES * 5 // 4 // 19):
            box.put(bytes(20))
        assert box.dropped == 0
        for _ in range(inbox.MAX_BYTES // 20):
            box.put(b"\x00")
        assert box.dropped > 0
        last_ms = time.monotonic_ns() // 1_000_000
        packet, came_ms = await box.get()
        assert packet == bytes(20) and first_ms <= came_ms <= last_ms
        # There is room again.
        dropped = box.dropped
        box.put(b"\x00")
        assert box.dropped == dropped
        # Whoever waits gets what comes.
        box = Inbox()
        waits = asyncio.create_task(box.get())
        await asyncio.sleep(0)
        box.put(b"new")
        assert (await waits)[0] == b"new"

    run(test)
