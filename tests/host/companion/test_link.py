"""The link over good and bad radios: what is promised of clips and notices holds whatever the packets do."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from lapel_companion.link.reading import NoPin
from lapel_companion.link.teller import notice_body
from lapel_companion.notices import Notice
from lapel_wire import messages
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, poll, run
from tests.host.companion.companion_pin import BOOT, DEVICE, EPOCH, Pin

pytestmark = pytest.mark.usefixtures("hasty")


def test_a_clip_becomes_one_dispatch_and_a_wav(tmp_path: Path) -> None:
    async def test() -> None:
        rig, pin = Rig(tmp_path), Pin()
        data = random.Random(1).randbytes(20_000)
        clip_id = pin.record(7, data, re="00112233445566bb-3")
        await rig.start()
        await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(rig.submitted and pin.accepted))
        clip, linked = rig.log.find("clip", "id", clip_id), rig.log.last("linked")
        await rig.stop()
        assert pin.accepted == {7: "d1"} and not pin.clips
        assert rig.submitted == ["d1"]
        assert clip is not None and clip.dispatch == "d1"
        assert (
            clip.body["press_unix_ms"] == 1_700_000_000_000 and clip.body["reply_to"] == "00112233445566bb-3"
        )
        assert (tmp_path / "clips" / f"{clip_id}.adpcm").read_bytes() == data
        assert (tmp_path / "clips" / f"{clip_id}.wav").stat().st_size == 44 + 4 * len(data)
        assert linked is not None and linked.body == {"mtu": 247, "interval_ms": 30}

    run(test)


def test_notices_that_the_pin_has_lost_are_sent_again(tmp_path: Path) -> None:
    async def test() -> None:
        rig, pin = Rig(tmp_path), Pin()
        await rig.start()
        seqs = [rig.record("done", f"number {number}") for number in range(4)]
        await rig.connect(FakeClient(pin, Faults()), until=lambda: not rig.outbox.pending())
        assert pin.notices_felt == seqs
        rig.outbox.seen(rig.state.epoch, [seqs[3]], principal="person")
        await rig.connect(FakeClient(pin, Faults()), until=lambda: seqs[3] in pin.seen_by_host)
        assert pin.notices_felt == seqs
        # One of them cannot be read there any more: it says that it has none.
        del pin.notices[seqs[1]]
        pin.notice_high = 0
        await rig.connect(FakeClient(pin, Faults()), until=lambda: seqs[1] in pin.notices and not rig.outbox.pending())
        await rig.stop()
        # The others are there and are not felt again; nor is what was seen.
        assert pin.notices_felt == [*seqs, seqs[1]]
        # So it stays after a new start.
        rig = Rig(tmp_path)
        assert rig.outbox.pending() == []
        rig.die()

    run(test)


def test_clips_that_were_cut_are_taken_also_without_a_byte(tmp_path: Path) -> None:
    async def test() -> None:
        rig, pin = Rig(tmp_path), Pin()
        ids = {pin.record(1, b"\x11" * 900): 900, pin.record(2, b""): 0}
        pin.cut = {1, 2}
        await rig.start()
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(rig.submitted) == 2)
        found = {clip_id: rig.log.find("clip", "id", clip_id) for clip_id in ids}
        sounds = {clip_id: rig.files.pcm(clip_id) for clip_id in ids}
        await rig.stop()
        for clip_id, size in ids.items():
            clip = found[clip_id]
            assert clip is not None and clip.body["cut"] is True and clip.body["bytes"] == size
            assert len(sounds[clip_id]) == 4 * size

    run(test)


def test_the_press_is_dated_by_the_hello_when_the_pin_knew_no_time(tmp_path: Path) -> None:
    async def test() -> None:
        rig, pin = Rig(tmp_path), Pin()
        pin.unix_known, pin.ms = False, 61_000
        dated = pin.record(1, b"\x11" * 100, ms=1_000)
        undated = pin.record(2, b"\x22" * 100, boot="0dd0dd00")
        await rig.start()
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(rig.submitted) == 2)
        hello = pin.hellos[0]
        known, unknown = rig.log.find("clip", "id", dated), rig.log.find("clip", "id", undated)
        await rig.stop()
        assert known is not None and abs(known.body["press_unix_ms"] - (hello["t"] - 60_000)) < 2_000
        assert unknown is not None and unknown.body["press_unix_ms"] is None
        assert pin.said[1]["boot"] == BOOT

    run(test)


def test_a_known_clip_is_accepted_again_and_another_press_under_its_id_is_not(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        pin.record(1, b"abc" * 100)
        await rig.start()
        await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(rig.submitted and pin.accepted))
        pin.accepted.clear()
        pin.record(1, b"abc" * 100)
        await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(pin.accepted))
        assert pin.accepted == {1: "d1"} and rig.submitted == ["d1"]
        pin.accepted.clear()
        pin.record(1, b"xyz" * 100, ms=999)
        told = "conflict"
        await rig.connect(FakeClient(pin, Faults()), until=lambda: rig.log.last(told) is not None)
        await rig.stop()
        assert not pin.accepted and 1 in pin.clips and rig.submitted == ["d1"]

    run(test)


def test_seen_travels_both_ways_until_it_is_answered(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        first, second = rig.record("done", "first"), rig.record("done", "second")
        faults = Faults(loss=0.2, random=random.Random(5))
        for _ in range(20):
            await rig.connect(FakeClient(pin, faults), until=lambda: not rig.outbox.pending())
            if not rig.outbox.pending():
                break
        pin.unanswered_seen = [first]
        rig.outbox.seen(rig.state.epoch, [second], principal="person")

        def settled() -> bool:
            return not pin.unanswered_seen and not rig.outbox.untold()

        for _ in range(20):
            await rig.connect(FakeClient(pin, faults), until=settled)
            if settled():
                break
        seen = rig.log.find("notice_seen", "seq", first)
        assert seen is not None and seen.principal == "pin"
        assert second in pin.seen_by_host
        pin.seen_by_host.clear()
        # What was answered is not told again.
        await rig.connect(FakeClient(pin, Faults()), until=lambda: rig.desk.pin is not None)
        await rig.stop()
        assert not pin.seen_by_host

    run(test)


def test_reading_ends_with_the_link(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        failed: list[str] = []

        async def ask() -> None:
            await poll(lambda: rig.desk.pin is not None)
            try:
                await rig.desk.read("flight")
            except NoPin as error:
                failed.append(str(error))

        asking = asyncio.create_task(ask())
        # A pin that cannot answer, and goes.
        pin.flight_dies = True
        await rig.connect(FakeClient(pin, Faults()))
        await asking
        await ask_unlinked(rig, failed)
        await rig.stop()
        assert failed == ["the link to the pin ended while it was read; try again.", "no pin is linked."]

    async def ask_unlinked(rig: Rig, failed: list[str]) -> None:
        try:
            await rig.desk.read("flight")
        except NoPin as error:
            failed.append(str(error))

    run(test)


def test_what_was_seen_elsewhere_is_told_although_its_receipt_was_lost(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        rig.record("done", "first")
        rig.record("held", "second")
        # The connection ends before `stored` arrives: only the pin knows that it has them.
        pin.silent = True
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(pin.notices) == 2)
        pin.silent = False
        rig.outbox.seen(rig.state.epoch, [1], principal="person")
        rig.outbox.retract(dispatch="d1", principal="person")
        assert not rig.outbox.pending()
        await rig.connect(
            FakeClient(pin, Faults()), until=lambda: 1 in pin.seen_by_host and 2 in pin.retracted
        )
        await rig.stop()

    run(test)


def test_a_cancel_is_handed_on_before_its_receipt(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        pin.cancels = {5: {"id": 5, "ep": EPOCH, "n": 1}, 6: {"id": 6, "ep": EPOCH, "n": 2}}
        await rig.connect(FakeClient(pin, Faults()), until=lambda: not pin.cancels)
        await rig.stop()
        assert set(rig.cancelled) == {
            (messages.clip_id(DEVICE, EPOCH, 1), 5),
            (messages.clip_id(DEVICE, EPOCH, 2), 6),
        }

    run(test)


def test_settings_flight_recorder_and_retractions(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path, {"preroll": True, "quiet_from": None})
        await rig.start()
        rig.record("question", "which one?")
        read: list[bytes] = []

        async def ask() -> None:
            await poll(lambda: rig.desk.pin is not None)
            read.append(await rig.desk.read("flight"))

        asking = asyncio.create_task(ask())
        faults = Faults(loss=0.1, random=random.Random(8))
        await rig.connect(FakeClient(pin, faults), until=lambda: bool(read and pin.settings and pin.notices))
        await asking
        assert read == [pin.flight] and pin.settings == {"preroll": True, "quiet_from": None}
        rig.outbox.retract(dispatch="d1", principal="person")
        await rig.connect(FakeClient(pin, Faults()), until=lambda: 1 in pin.retracted)
        await rig.stop()

    run(test)


def notice(text: str) -> Notice:
    return Notice(1, "0" * 16, "done", "d1", "d1.1", text, "", 0.0)


def test_notice_text_is_shortened_until_it_fits() -> None:
    for text in ('"' * 400, "\N{SNOWMAN}" * 400, "a" * 160, "", "tab\tand\nline", "\N{GRINNING FACE}" * 160):
        body = notice_body(notice(text))
        assert messages.decode(messages.encode(messages.NOTICE, body))[1] == body
        assert len(body["x"]) <= 160
    assert notice_body(notice("a" * 160))["x"] == "a" * 160
    assert notice_body(notice("a" * 161))["x"].endswith("…")
