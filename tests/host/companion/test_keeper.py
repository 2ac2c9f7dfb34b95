"""The keeper of the link without a radio: how often it asks for the key, and what it does when libraries misbehave."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lapel_companion.link import advice, keeper, peer, safe_mode
from lapel_companion.link.advice import Advice
from lapel_companion.link.inbox import MAX_BYTES, Inbox
from lapel_companion.link.keeper import Keeper
from lapel_companion.link.safe_mode import SafeModeWatch
from lapel_companion.pairing import PairingError
from tests.host.companion.companion_fakes import Rig, no_leftovers, poll, run
from tests.host.companion.companion_pin import KEY


class Quiet:
    """A radio that hears nobody, and is never lost."""

    name = "quiet"

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def lost(self) -> None:
        await asyncio.Event().wait()

    def scanner(self, _: object) -> Any:
        return SimpleNamespace(start=self.start, stop=self.stop)


def test_trouble_with_the_key_is_asked_about_less_and_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question may open a dialog; one every two seconds would be on top of everything else."""

    async def test() -> None:
        rig, pauses = Rig(tmp_path), list[float]()
        locked = True

        def load() -> Any:
            if locked:
                raise PairingError("the pin's key is locked away.")
            return None

        one = Keeper(Quiet(), rig.desk, load, SafeModeWatch(rig.log), rig.reports.append)  # type: ignore[arg-type]

        async def pause(seconds: float) -> None:
            nonlocal locked
            pauses.append(seconds)
            locked = len(pauses) < 8
            await asyncio.sleep(0)
            if len(pauses) == 12:
                await asyncio.Event().wait()

        monkeypatch.setattr(one, "_pause", pause)
        running = asyncio.create_task(one.run())
        await poll(lambda: len(pauses) >= 8 or running.done())
        assert pauses[:8] == [2, 4, 8, 16, 32, 60, 60, 60]
        await poll(lambda: len(pauses) == 12)
        # It is open again: as usual.
        assert pauses[8:] == [keeper.KEY_LOOK_S] * 4
        assert rig.reports == ["the pin's key is locked away.", keeper.NO_KEY] and one.advice == keeper.NO_KEY
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        rig.die()

    run(test)


def test_a_radio_that_does_not_even_begin_to_listen_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a Bluetooth service that was stopped: nothing was said of it, for as long as it hung."""
    monkeypatch.setattr(keeper, "SCAN_LIMIT_S", 0.01)
    monkeypatch.setattr(keeper, "NO_RADIO_RETRY_S", (0.01,))

    class Hangs(Quiet):
        scans = 0

        def scanner(self, _: object) -> Any:
            self.scans += 1
            return SimpleNamespace(start=self.lost, stop=self.lost)

    async def test() -> None:
        monkeypatch.setattr(keeper, "FAREWELL_LIMIT_S", 0.01)
        rig, radio = Rig(tmp_path), Hangs()
        one = Keeper(radio, rig.desk, lambda: KEY, SafeModeWatch(rig.log), rig.reports.append)  # type: ignore[arg-type]
        running = asyncio.create_task(one.run())
        await poll(lambda: radio.scans > 2)
        assert rig.reports == ["no link to the pin: the radio 'quiet' does not answer. Lapel keeps trying."]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        rig.die()

    run(test)


def test_a_link_ends_when_nobody_can_watch_over_its_key(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path)

        def load() -> Any:
            raise RuntimeError("a mistake of ours")

        one = Keeper(Quiet(), rig.desk, load, SafeModeWatch(rig.log), rig.reports.append)  # type: ignore[arg-type]
        ended: list[bool] = []
        watched: Any = SimpleNamespace(disconnected=lambda: ended.append(True))
        with pytest.raises(RuntimeError):
            await one._watch(asyncio.Event(), KEY, watched)
        assert ended
        rig.die()

    run(test)


def test_a_cancellation_that_a_library_drops_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "CANCEL_AGAIN_S", 0.01)

    async def test() -> None:
        dropped = 0

        async def deaf() -> None:
            nonlocal dropped
            while dropped < 3:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    dropped += 1

        async def fails_at_its_end() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise OSError("it is gone")

        with no_leftovers():
            await peer.run_until(asyncio.sleep(0.01), deaf(), fails_at_its_end())
            assert dropped == 3

    run(test)


def test_what_comes_too_fast_is_counted_where_people_look(tmp_path: Path) -> None:
    async def test() -> None:
        rig, inbox = Rig(tmp_path), Inbox()
        for _ in range(MAX_BYTES // 500 + 7):
            inbox.put(bytes(500))
        assert inbox.dropped > 0
        one = Keeper(Quiet(), rig.desk, lambda: KEY, SafeModeWatch(rig.log), rig.reports.append)  # type: ignore[arg-type]
        link = peer.Peer(SimpleNamespace(), rig.desk, KEY)  # type: ignore[arg-type]
        link._inbox = inbox
        one._peer = link
        assert one.dropped == link.dropped == inbox.dropped
        rig.die()

    run(test)


def test_pins_near_by_that_change_their_minds_do_not_fill_a_log() -> None:
    now, said = [0.0], list[str]()
    one = Advice(said.append, lambda: now[0])
    for turn in range(1000):
        now[0] += 1.0
        one.give(f"it speaks protocol {turn % 200}")
        # It is shown all the same.
        assert one.sentence == f"it speaks protocol {turn % 200}"
    assert said[:advice.SAID_MAX] == [f"it speaks protocol {n}." for n in range(advice.SAID_MAX)]
    assert len(said) == 2 * advice.SAID_MAX
    now[0] += 10 * advice.SAID_S
    one.give("it is not paired")
    assert said[-1] == "it is not paired."


def test_who_comes_and_goes_in_safe_mode_does_not_fill_the_events(tmp_path: Path) -> None:
    rig, now = Rig(tmp_path), [1000.0]
    watch = SafeModeWatch(rig.log, lambda: now[0])
    for turn in range(400):
        now[0] += safe_mode.STALE_S + 1
        watch.found("a", f"cause {turn}")
        assert watch.cause == f"cause {turn}"
    told = len(rig.log.read(kinds=["safe_mode"]))
    most = safe_mode.A_DAY[safe_mode.TOLD]
    assert most <= told <= 2 * most
    rig.die()
