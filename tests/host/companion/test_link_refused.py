"""Who is not the pin, and a pin that does not answer: let go, counted, and told nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lapel_companion.cli.show import _others
from lapel_companion.link import peer
from lapel_companion.pairing import Key
from lapel_wire import gatt, messages
from lapel_wire.channel import REFUSED_IN_A_ROW_MAX
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, run
from tests.host.companion.companion_pin import EPOCH, Pin

pytestmark = pytest.mark.usefixtures("hasty")


def test_strangers_are_not_taken_for_the_pin(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path)
        await rig.start()
        for info, advice in (
            (b"\x09\x00", "update Lapel on this computer"),
            (b"\x01\x00", "not private; this computer speaks 2. If it is yours, put this version on it: make flash"),
            (b"", "make flash"),
            (gatt.UNPAIRED_INFO, "not paired. If it is yours, plug it in and type: lapel pair"),
        ):
            client = FakeClient(Pin(), Faults(), info=info)
            assert advice in await rig.connect(client)
            assert client.writes == 0
        pin = Pin()
        pin.key = Key(1, bytes(32))
        assert await rig.connect(FakeClient(pin, Faults())) == "no answer within 0 s"
        reason = await rig.connect(FakeClient(Pin(), Faults(loss=1.0)))
        assert reason == "no answer within 0 s"
        client = FakeClient(Pin(), Faults())
        client.answer_with(b"\xc0" + bytes(48))
        assert "handshake is wrong" in await rig.connect(client)
        assert rig.log.last("linked") is None and rig.log.last("unlinked") is None
        await rig.stop()

    run(test)


def test_a_pin_that_speaks_in_the_clear_is_refused(tmp_path: Path) -> None:
    """As version 1 did: an answer, then records with a CRC32 in the place of a tag."""

    async def test() -> None:
        rig = Rig(tmp_path)
        await rig.start()
        for answer in (b"lapel in clear 1" + bytes(32), messages.encode(messages.STORED, {"ep": EPOCH, "s": 1})):
            client = FakeClient(Pin(), Faults())
            client.answer_with(b"\xc0" + answer)
            assert "handshake is wrong" in await rig.connect(client)
        assert rig.log.last("linked") is None
        await rig.stop()

    run(test)


def test_what_is_said_is_not_readable_on_its_way(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        pin.record(1, b"canary in a clip" * 40)
        rig.record("done", "canary in a notice")
        client, carried = FakeClient(pin, Faults()), bytearray()
        pass_on = client._faults.pass_on

        def heard(packet: bytes, held: list[bytes], give: Callable[[bytes], None]) -> None:
            carried.extend(packet[1:])
            pass_on(packet, held, give)

        client._faults.pass_on = heard  # type: ignore[method-assign]
        await rig.connect(client, until=lambda: bool(pin.accepted and pin.notices))
        await rig.stop()
        assert len(carried) > 800
        for piece in (b"canary", EPOCH.encode(), b'"ep"', b"ima-adpcm"):
            assert piece not in carried

    run(test)


def test_a_pin_that_takes_no_writes_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(peer, "WRITE_LIMIT_S", 0.1)
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        faults = Faults()
        client = FakeClient(pin, faults)

        def linked_then_full() -> bool:
            if rig.desk.pin is not None and not faults.refuse:
                faults.refuse = 1.0
                rig.record("done", "never said")
            return False

        reason = await rig.connect(client, until=linked_then_full)
        assert reason == "nothing could be sent for 0 s" and client.refused >= 2
        await rig.stop()

    run(test)


def test_a_pin_that_says_nothing_any_more_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(peer, "SILENCE_LIMIT_S", 0.3)
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        reason = await rig.connect(FakeClient(pin, Faults()))
        assert reason == "nothing was heard of the pin for 0 s"
        unlinked = rig.log.last("unlinked")
        assert unlinked is not None and unlinked.body == {"reason": reason}
        # A pin that goes on asking is there, whatever else it has to say.
        client = FakeClient(pin, Faults())
        pin.asks = True
        started = asyncio.get_running_loop().time()
        await rig.connect(client, until=lambda: asyncio.get_running_loop().time() > started + 0.6)
        await rig.stop()
        assert len(pin.jobs) > 4 and set(pin.jobs) == {0}

    run(test)


def test_noise_alone_ends_the_link(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        client = FakeClient(pin, Faults())

        def noise() -> bool:
            if rig.desk.pin is not None and not pin.asks:
                # So many and no more.
                for _ in range(REFUSED_IN_A_ROW_MAX):
                    client._notify(b"\xc0" + bytes(20))
                pin.asks = True
            return False

        reason = await rig.connect(client, until=noise)
        await rig.stop()
        assert "too much that arrives is damaged" in reason

    run(test)


def test_what_was_refused_is_counted_and_shown(tmp_path: Path) -> None:
    assert _others({"strangers": 0, "refused": {"bad": 0, "replayed": 0, "gaps": 0}, "dropped": {"packets": 0}}) == ""
    shown = _others({"strangers": 2, "refused": {"bad": 5, "replayed": 1, "gaps": 3}})
    assert shown.startswith("refused: 2 advertisers") and "5 records" in shown and "1 of them said before" in shown
    assert shown.endswith("3 records that never came")
    assert "4 packets that came too fast" in _others({"dropped": {"packets": 4, "messages": 9}})

    async def scenario() -> None:
        rig, pin = Rig(tmp_path), Pin(1)
        pin.asks = True
        await rig.start()
        client = FakeClient(pin, Faults(loss=0.2, double=0.5, random=random.Random(4)))
        seen: list[peer.Peer] = []
        made = peer.Peer.__init__

        def remember(self: peer.Peer, *args: Any, **options: Any) -> None:
            made(self, *args, **options)
            seen.append(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(peer.Peer, "__init__", remember)
            await rig.connect(client, lambda: bool(seen) and all(seen[0].refused.get(k) for k in ("replayed", "gaps")))
        assert seen[0].refused["bad"] >= seen[0].refused["replayed"] > 0
        await rig.stop()

    run(scenario)
