"""Bad radios, bad disks and strangers: what is promised of clips and notices holds all the same."""

from __future__ import annotations

import asyncio
import errno
import random
from pathlib import Path

import pytest

from lapel_companion import durable
from lapel_companion.link import peer
from lapel_wire import messages
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, no_leftovers, run
from tests.host.companion.companion_pin import EPOCH, Pin

pytestmark = pytest.mark.usefixtures("hasty")


def test_mtu_23_works(tmp_path: Path) -> None:
    async def test() -> None:
        rig, pin = Rig(tmp_path), Pin()
        pin.record(1, random.Random(2).randbytes(3_000))
        await rig.start()
        rig.record("done", "disk: 120 G free")
        await rig.connect(
            FakeClient(pin, Faults(), mtu=23), until=lambda: bool(rig.submitted and pin.notices)
        )
        await rig.stop()
        assert pin.notices[1]["x"] == "disk: 120 G free"

    run(test)


@pytest.mark.parametrize("seed", range(16))
def test_nothing_is_lost_or_doubled_on_a_bad_radio(tmp_path: Path, seed: int) -> None:
    """Loss, doubles, swaps, refused writes, cut connections and killed companions, all at once."""

    async def test() -> None:
        chance = random.Random(seed)
        pin = Pin(seed)
        clips = {n: chance.randbytes(chance.choice([0, 1, 900, 4_096, 9_000])) for n in range(1, 4)}
        for number, data in clips.items():
            pin.record(number, data)
        rig = Rig(tmp_path)
        await rig.start()
        for text in ("one", "two"):
            rig.record("done", text)

        def finished() -> bool:
            return len(pin.accepted) == 3 and not rig.outbox.pending()

        for _ in range(60):
            bad = chance.random() * 0.25
            faults = Faults(bad, bad / 2, bad / 2, bad, None, chance)
            if chance.random() < 0.7:
                faults.cut_after = chance.randrange(1, 120)
            client = FakeClient(pin, faults, mtu=chance.choice([23, 100, 247]))
            await rig.connect(client, until=finished)
            if finished():
                break
            if chance.random() < 0.3:
                rig.die()
                await asyncio.sleep(0)
                rig = Rig(tmp_path)
                await rig.start()
        assert finished(), (pin.accepted, rig.reports)
        events = rig.log.read(kinds=["dispatch"])
        assert len(events) == 3 and len({event.body["clip"] for event in events}) == 3
        await rig.stop()
        assert sorted(pin.notices_felt) == [1, 2]
        for number, data in clips.items():
            clip_id = messages.clip_id("0a0b0c0d", EPOCH, number)
            held = [p for s in ("adpcm", "part") if (p := tmp_path / "clips" / f"{clip_id}.{s}").exists()]
            assert held[0].read_bytes() == data
        assert not list((tmp_path / "clips").glob("*.conflict"))

    run(test, 60)


def test_a_restarted_companion_resumes_where_the_disk_ends(tmp_path: Path) -> None:
    async def test() -> None:
        pin, data = Pin(), random.Random(3).randbytes(60_000)
        clip_id = pin.record(1, data)
        rig = Rig(tmp_path)
        await rig.start()
        part = tmp_path / "clips" / f"{clip_id}.part"
        await rig.connect(
            FakeClient(pin, Faults()), until=lambda: part.exists() and part.stat().st_size > 20_000
        )
        rig.die()
        held = part.stat().st_size
        again = Rig(tmp_path)
        await again.start()
        client = FakeClient(pin, Faults())
        await again.connect(client, until=lambda: bool(again.submitted and pin.accepted))
        await again.stop()
        assert held < len(data) and client.packets_up < (len(data) - held) / 200 + 20
        assert (tmp_path / "clips" / f"{clip_id}.adpcm").read_bytes() == data

    run(test)


def test_bytes_that_contradict_the_pin_are_set_aside_and_told(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        clip_id = pin.record(1, b"\x01" * 50_000)
        await rig.start()
        part = tmp_path / "clips" / f"{clip_id}.part"
        await rig.connect(
            FakeClient(pin, Faults()), until=lambda: part.exists() and part.stat().st_size > 20_000
        )
        pin.clips[1] = b"\x02" * 50_000
        await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(rig.submitted and pin.accepted))
        conflict = rig.log.last("conflict")
        await rig.stop()
        assert pin.conflicts == 1 and conflict is not None and conflict.body["id"] == clip_id
        aside = tmp_path / "clips" / conflict.body["kept"]
        assert set(aside.read_bytes()) == {1}
        assert (tmp_path / "clips" / f"{clip_id}.adpcm").read_bytes() == b"\x02" * 50_000

    run(test)


def test_a_clip_that_fails_its_digest_is_asked_for_again_and_never_merged(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        clip_id = pin.record(1, b"\x05" * 3_000)
        await rig.start()
        pin.misreads = 1
        await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(rig.submitted and pin.accepted))
        conflicts = rig.log.read(kinds=["conflict"])
        await rig.stop()
        assert len(conflicts) == 1
        assert (tmp_path / "clips" / f"{clip_id}.adpcm").read_bytes() == b"\x05" * 3_000
        assert pin.accepted == {1: "d1"}

    run(test)


def test_strangers_are_not_taken_for_the_pin(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path)
        await rig.start()
        reason = await rig.connect(FakeClient(Pin(), Faults(), info=b"\x09\x00"))
        assert "protocol version 9" in reason
        reason = await rig.connect(FakeClient(Pin(), Faults(loss=1.0)))
        assert reason == "no answer within 0 s"
        client = FakeClient(Pin(), Faults())
        client.answer_with(b"\xc0" + bytes(48))
        assert "handshake is wrong" in await rig.connect(client)
        assert rig.log.last("linked") is None and rig.log.last("unlinked") is None
        await rig.stop()

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


def test_a_full_disk_withholds_the_acknowledgement_and_the_clip_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    real = durable.sync_file

    def sync_file(handle: int, what: str) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle, what)

    monkeypatch.setattr(durable, "sync_file", sync_file)

    async def test() -> None:
        nonlocal full
        full = False
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        pin.record(1, b"c" * 30_000)
        full = True
        await rig.connect(FakeClient(pin, Faults()), until=lambda: rig.intake.trouble is not None)
        assert not pin.accepted and "No space left" in rig.reports[-1]

        def space_again() -> bool:
            nonlocal full
            full = False
            return bool(rig.submitted and pin.accepted)

        await rig.connect(FakeClient(pin, Faults()), until=space_again)
        await rig.stop()
        assert pin.accepted == {1: "d1"} and rig.intake.trouble is None
        assert rig.reports[-1] == "clips can be saved again"

    run(test)


def test_no_task_outlives_its_owner(tmp_path: Path) -> None:
    async def test() -> None:
        with no_leftovers():
            pin, rig = Pin(), Rig(tmp_path)
            pin.record(1, b"d" * 5_000)
            await rig.start()
            await rig.connect(FakeClient(pin, Faults(cut_after=9)))
            await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(rig.submitted and pin.accepted))
            await rig.stop()

    run(test)
