"""Which events meet which waits, and what a run says when they do not come."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from simulator.engine import CannotDo, Engine, Unmet
from simulator.events import Timeline
from simulator.person import Person
from simulator.relay import Relay
from simulator.script import parse


class FakeWorld:
    """A world whose taps, holds and switches put events into the timeline."""

    def __init__(self, on: Callable[[Timeline, str], None]) -> None:
        self.timeline = Timeline()
        self.failure = ""
        self.acts: list[str] = []
        self._on = on
        self.person = cast(Person, self)
        self.relay = Relay(1, True, self._related)

    def _related(self, who: str, event: str, **fields: Any) -> None:
        self._act(f"{event} {fields['fault']} {fields.get('percent')} {fields.get('way')}")

    def _act(self, name: str) -> None:
        self.acts.append(name)
        self._on(self.timeline, name)

    async def hold(self, sound: array[int], name: str) -> None:
        self._act(f"hold {name}")

    async def reply(self, sound: array[int], name: str) -> None:
        self._act(f"reply {name}")

    async def tap(self, count: int) -> None:
        self._act(f"tap {count}")

    async def press(self) -> None:
        self._act("press")

    async def release(self) -> None:
        self._act("release")

    async def link(self, how: str, loss: float = 0.0) -> None:
        if how == "stall":
            raise CannotDo("the radio is not ours")
        self._act(f"link {how} {loss}")

    async def power_cut(self, after: int = 0, torn: bool = False) -> None:
        self._act(f"power_cut {after} {torn}")

    async def power_on(self) -> None:
        self._act("power_on")

    async def companion_kill(self) -> None:
        self._act("companion_kill")

    async def companion_start(self) -> None:
        self._act("companion_start")

    async def companion_freeze(self, frozen: bool) -> None:
        self._act(f"companion_freeze {frozen}")

    async def battery(self, mv: int) -> None:
        self._act(f"battery {mv}")


def play(script: str, on: Callable[[Timeline, str], None] = lambda t, name: None) -> FakeWorld:
    """Run a script; gives the world afterwards."""

    async def run() -> FakeWorld:
        world = FakeWorld(on)
        await Engine(world).run(parse(script, "s", Path()))
        return world

    return asyncio.run(run())


def tells(*names: str) -> Callable[[Timeline, str], None]:
    """Each action puts these events of the pin into the timeline."""

    def on(timeline: Timeline, name: str) -> None:
        for each in names:
            timeline.add("pin", each, act=name)

    return on


def later(timeline: Timeline, delay_s: float, name: str, **fields: Any) -> None:
    """An event that comes by itself."""
    asyncio.get_running_loop().call_later(delay_s, lambda: timeline.add("pin", name, **fields))


def test_actions_are_done_in_order() -> None:
    world = play(
        "tap 2\npress\nrelease\nlink down\nlink loss 5\npower cut after 3 torn\npower on\nbattery 9"
        "\nrelay lose 5\nrelay swap 10 down\nrelay good\ncompanion freeze\ncompanion thaw"
    )
    assert world.acts == [
        "tap 2", "press", "release", "link down 0.0", "link loss 0.05", "power_cut 3 True", "power_on",
        "battery 9", "relay lose 5.0 up and down", "relay swap 10.0 down", "relay good None None",
        "companion_freeze True", "companion_freeze False",
    ]  # fmt: skip


def test_waits_in_another_order_than_their_events() -> None:
    act = tells("captured", "accepted", "transcript")
    play("tap\nwait transcript 0\nwait accepted 0\nwait captured 0", act)


def test_one_event_meets_one_wait() -> None:
    play("tap\ntap\nwait captured 0\nwait captured 0", tells("captured"))
    with pytest.raises(Unmet, match="s:3"):
        play("tap\nwait captured 0\nwait captured 0", tells("captured"))


def test_an_event_of_an_earlier_action_does_not_count() -> None:
    def on(timeline: Timeline, name: str) -> None:
        if name == "tap 1":
            timeline.add("pin", "listening")
            timeline.add("pin", "captured")

    # the second act brings nothing: the first's `listening` came before the event that met the last wait
    with pytest.raises(Unmet, match="s:4"):
        play("tap\nwait captured 0\ntap 2\nwait listening 0", on)


def test_an_event_between_the_last_wait_and_the_next_action_counts() -> None:
    def on(timeline: Timeline, name: str) -> None:
        if name == "tap 1":
            timeline.add("pin", "captured")
            timeline.add("pin", "accepted")

    play("tap\nwait captured 0\nlink down\nlink up\nwait accepted 0", on)


def test_what_came_before_the_script_began_counts_for_its_first_waits() -> None:
    async def run() -> None:
        world = FakeWorld(lambda timeline, name: None)
        world.timeline.add("companion", "linked", mtu=247)
        await Engine(world).run(parse("wait linked mtu=247 0", "s", Path()))

    asyncio.run(run())


def test_a_wait_waits() -> None:
    play("tap\nwait notice kind=done 5", lambda timeline, name: later(timeline, 0.01, "notice", kind="done"))


def test_unmet_says_where_and_what_came() -> None:
    def on(timeline: Timeline, name: str) -> None:
        timeline.add("pin", "notice", kind="failed")

    with pytest.raises(Unmet) as error:
        play("tap\nwait notice kind=done 0.01", on)
    assert str(error.value).startswith("s:2: wait notice kind=done 0.01: not seen within 0.01 s")
    assert "kind=failed" in str(error.value)


def test_expect_not() -> None:
    play("tap\nexpect-not kept 0.01", tells("kept"))
    with pytest.raises(Unmet, match=r"it came: .*kept"):
        play("tap\nexpect-not kept 5", lambda timeline, name: later(timeline, 0.01, "kept"))


def test_a_wait_ends_when_the_run_can_only_fail() -> None:
    async def run() -> None:
        world = FakeWorld(lambda timeline, name: None)

        def dies() -> None:
            world.failure = "the interpreter ended"
            world.timeline.add("sim", "failure")

        asyncio.get_running_loop().call_later(0.01, dies)
        await Engine(world).run(parse("wait notice 600", "s", Path()))

    with pytest.raises(Unmet, match="cannot come any more: the interpreter ended"):
        asyncio.run(run())


def test_what_cannot_be_done() -> None:
    with pytest.raises(Unmet, match="s:1: link stall: the radio is not ours"):
        play("link stall")


def test_felt_waits_for_the_end_of_that_notice_s_pattern() -> None:
    async def run(*ends: str) -> None:
        from simulator.events import Pattern
        from simulator.script import Step

        world = FakeWorld(lambda timeline, name: None)
        world.timeline.add("pin", "haptic_end", pattern="done")
        world.timeline.add("pin", "notice", kind="done")
        for name in ends:
            world.timeline.add("pin", "haptic_end", pattern=name)
        await Engine(world).run([Step("felt", "s:1", "wait notice", pattern=Pattern("notice"), number=0.01)])

    asyncio.run(run("accepted", "done"))
    with pytest.raises(Unmet, match="haptic_end pattern=done"):
        asyncio.run(run("accepted"))


def test_every_verb_of_the_parser_can_be_run() -> None:
    async def verbs() -> set[str]:
        return set(Engine(FakeWorld(lambda timeline, name: None))._verbs)

    known: Coroutine[Any, Any, set[str]] = verbs()
    every = "tap\npress\nrelease\nwait x\nexpect-not x 1\nsleep 0\n"
    every += "link up\nlink down\nlink stall\nlink loss 1\n"
    every += "power cut\npower on\ncompanion kill\ncompanion start\nbattery 1\n"
    every += "companion freeze\ncompanion thaw\nrelay good\n"
    steps = parse(every, "s", Path())
    assert {step.verb for step in steps} <= asyncio.run(known)
