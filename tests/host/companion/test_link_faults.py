"""Bad radios and bad disks: what is promised of clips and notices holds all the same."""

from __future__ import annotations

import asyncio
import errno
import random
import time
from functools import partial
from pathlib import Path

import pytest

from lapel_companion import durable, incoming
from lapel_companion.link import peer
from lapel_wire import messages
from lapel_wire.channel import REFUSED_IN_A_ROW_MAX
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

        def over(end_s: float) -> bool:
            return finished() or time.monotonic() > end_s

        for _ in range(60):
            bad = chance.random() * 0.25
            faults = Faults(bad, bad / 2, bad / 2, bad, None, chance)
            if chance.random() < 0.7:
                faults.cut_after = chance.randrange(1, 120)
            client = FakeClient(pin, faults, mtu=chance.choice([23, 100, 247]))
            # Where every second packet is lost, hardly a long message gets through: another radio has its turn.
            end_s = time.monotonic() + 1.0
            await rig.connect(client, until=partial(over, end_s))
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
        assert pin.conflicts and conflict is not None and conflict.body["id"] == clip_id
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


def test_doubled_packets_do_not_end_the_link(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        pin.record(1, random.Random(4).randbytes(30_000))
        client = FakeClient(pin, Faults(double=1.0))
        await rig.connect(client, until=lambda: bool(pin.accepted))
        await rig.stop()
        assert client.packets_up > 2 * REFUSED_IN_A_ROW_MAX and pin.accepted == {1: "d1"}

    run(test)


def test_lost_words_of_the_handshake_are_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(peer, "HANDSHAKE_LIMIT_S", 10.0)
        rig = Rig(tmp_path)
        await rig.start()
        for lost in range(4):
            for up in (False, True):
                pin = Pin()
                client = FakeClient(pin, Faults())
                client.lose(lost, up=up)
                await rig.connect(client, until=lambda: rig.desk.pin is not None)
                assert rig.log.last("linked") is not None and pin.hellos
        assert len(rig.log.read(kinds=["linked"])) == 8
        await rig.stop()

    run(test)


def test_a_retraction_is_told_until_it_is_answered(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        rig.record("question", "which one?")
        await rig.connect(FakeClient(pin, Faults()), until=lambda: not rig.outbox.pending())
        pin.silent = True
        rig.outbox.retract(dispatch="d1", principal="person")
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(pin.retracted) > 4)
        rig.die()
        again = Rig(tmp_path)
        await again.start()
        pin.silent = False
        await again.connect(FakeClient(pin, Faults()), until=lambda: not again.outbox.to_withdraw())
        count = len(pin.retracted)
        await again.connect(FakeClient(pin, Faults()), until=lambda: again.desk.pin is not None)
        assert count > 5 and len(pin.retracted) == count
        assert again.log.last("notice_withdrawn") is not None and again.log.last("notice_seen") is None
        await again.stop()

    run(test)


def test_parts_of_which_nobody_speaks_any_more_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(incoming, "MAX_PARTIALS", 2)
        old, rig = Pin(), Rig(tmp_path)
        await rig.start()
        for number in (1, 2):
            clip_id = old.record(number, b"\x01" * 50_000, ep="00112233445566cc")
            part = tmp_path / "clips" / f"{clip_id}.part"
            await rig.connect(FakeClient(old, Faults()), until=part.exists)
            old.clips.clear()
        # That pin was wiped; another one must not find the door shut.
        pin = Pin()
        pin.record(3, b"\x03" * 3_000)
        await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(pin.accepted))
        await rig.stop()
        assert pin.accepted == {3: "d1"}
        assert len(list((tmp_path / "clips").glob("*.part"))) == 1

    run(test)


def test_audio_belongs_to_the_clip_that_was_offered_last(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        # The audio of both carries the same low bits of their numbers.
        pin.record(3, b"\x03" * 3_000)
        pin.record(3 + 0x10000, b"\x04" * 3_000, ms=900)
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(pin.accepted) == 2)
        await rig.stop()
        clips = sorted(p.read_bytes()[:1] for p in (tmp_path / "clips").glob("*.adpcm"))
        assert clips == [b"\x03", b"\x04"]

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
