"""What happens in a case: short scenes that together pass every point.

`before` runs with a daemon that nothing lies in wait for, `play` with the one that is meant. A wait in a scene is no
judgement: after a fault what it waits for may never come, and the oracle says whether that is right.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lapel_companion import audio
from lapel_wire import gatt, messages, rescue
from tests.host.companion.companion_pin import DEVICE, EPOCH
from tests.torture.agent.scene import BROKEN, ENDLESS, NOTE, PARENT, REMINDER, REPEAT, TASK, UNKNOWN
from tests.torture.crash.person import Press
from tests.torture.crash.world import World

# A recording of long ago: the first, of a task that was done.
OLD = messages.clip_id(DEVICE, EPOCH, 1)


@dataclass(frozen=True)
class Scene:
    """`before` may be nothing."""

    name: str
    play: Callable[[World], Awaitable[None]]
    before: Callable[[World], Awaitable[None]] | None = None


def felt(world: World, press: Press, kind: str = "") -> bool:
    """The wearer has felt what became of it."""
    return any(kind in ("", body["k"]) for body in world.wearer.felt(press))


def accepted(world: World, press: Press) -> bool:
    return press.clip in world.wearer.pin.accepted


async def all_felt(world: World) -> None:
    presses = world.wearer.presses.values()
    await world.until(lambda: all(felt(world, press) for press in presses))


async def clips(world: World) -> None:
    """From flash and live; broken off and resumed; misread, with room for the evidence and without; in both codecs."""
    wearer = world.wearer
    long = wearer.hold(REPEAT + 1, 1.2)
    await world.start_armed()
    await world.until(lambda: wearer.pin.acked.get(long.clip, 0) > 0)
    wearer.cut()
    wearer.let_go(long)
    await world.until(lambda: accepted(world, long))
    wearer.pin.misreads = 1
    first = wearer.press(TASK + 1)
    await world.until(lambda: accepted(world, first))
    folder = world.state / "clips"
    name = messages.clip_id(DEVICE, EPOCH, first.clip + 1)
    for number in range(1, 9):
        (folder / f"{name}.{number}.conflict").write_bytes(b"evidence")
    wearer.pin.misreads = 1
    second = wearer.press(NOTE + 1)
    await world.until(lambda: accepted(world, second))
    third = wearer.press(TASK + 5, audio.OPUS)
    await world.until(lambda: accepted(world, third))
    await world.get("/v1/flight")
    await all_felt(world)


async def jobs(world: World) -> None:
    """Every kind of job, and answers of the person."""
    wearer = world.wearer
    unknown = wearer.press(UNKNOWN + 1)
    for number in (TASK + 1, REPEAT + 1, NOTE + 1, REMINDER + 1, BROKEN + 1, PARENT + 1):
        wearer.press(number)
    await world.start_armed()
    await world.until(lambda: felt(world, unknown, "held"))
    await world.release(unknown, TASK + 3)
    await world.say(TASK + 4)
    await all_felt(world)
    await world.until(lambda: not wearer.busy)
    on_pin = sorted(wearer.unseen)
    wearer.look(on_pin[:2])
    for seq in on_pin[2:4]:
        world.seen_here.add(seq)
        await world.post(f"/v1/notices/{seq}/seen")
    await world.until(lambda: not wearer.busy and set(on_pin[2:4]) <= wearer.pin.seen_by_host)
    await world.until(lambda: world.books.ended[TASK + 3] + world.books.ended[TASK + 4] > 1)


async def stopped(world: World) -> None:
    """What is cancelled before it came and while it runs, and an orderly end while something runs."""
    wearer = world.wearer
    early, endless = wearer.press(TASK + 2), wearer.press(ENDLESS + 1)
    wearer.cancel(early)
    await world.start_armed()
    await world.until(lambda: world.books.begun[endless.number] > 0)
    wearer.cancel(endless)
    await all_felt(world)
    await world.say(ENDLESS + 2)
    await world.until(lambda: world.books.begun[ENDLESS + 2] > 0)
    await world.end(signal.SIGTERM)


async def left_behind(world: World) -> None:
    """A daemon is killed while it has its hands full."""
    wearer = world.wearer
    for number in (TASK + 1, UNKNOWN + 1, NOTE + 1):
        wearer.press(number)
    await world.start()
    await all_felt(world)
    long = wearer.hold(TASK + 2, 1.2)
    await world.until(lambda: wearer.pin.acked.get(long.clip, 0) > 0)
    await world.say(REMINDER + 2)
    await world.say(REPEAT + 2)
    # Last, and at once: it has a limit.
    await world.say(ENDLESS + 1)
    await world.until(lambda: world.books.begun[ENDLESS + 1] > 0)
    await world.kill()
    wearer.let_go(long)
    # It cannot read its notices any more, and says that it has none.
    wearer.pin.notice_high = 0
    (world.state / "clips" / "0a0b0c0d-00112233445566aa-999.part").write_bytes(b"nobody knows what this is")
    (world.state / ".clock.json.1234abcd.tmp").write_bytes(b"half")
    for file in (world.state / "clips").glob(f"{OLD}.*"):
        os.utime(file, (0, 0))


async def comes_back(world: World) -> None:
    await world.start_armed()
    await all_felt(world)
    await world.until(lambda: not world.wearer.busy)
    await world.until(lambda: not list((world.state / "clips").glob(f"{OLD}.*")))


async def backup(world: World) -> None:
    """The pin remembers more than this state does: a restored backup. And a pin that is in safe mode first."""
    wearer = world.wearer
    wearer.pin.notice_high += 10
    wearer.pin.word |= {"aside": 1, "what": "a test"}
    wearer.info = rescue.safe_info("a test")
    await world.start_armed()
    await world.until(lambda: "safe mode" in world.log)
    wearer.info = gatt.INFO
    wearer.press(TASK + 2)
    await all_felt(world)


async def some_history(world: World) -> None:
    wearer = world.wearer
    for number in (TASK + 1, UNKNOWN + 1):
        wearer.press(number)
    await world.start()
    await all_felt(world)
    await world.until(lambda: not wearer.busy)
    await world.end(signal.SIGTERM)


async def strange(world: World) -> None:
    """A recording that the table of events does not know: an older table was put back."""
    await world.start_armed()
    world.wearer.press(TASK + 2)
    await all_felt(world)


async def history_and_more(world: World) -> None:
    await some_history(world)
    (world.state / "clips" / "0a0b0c0d-00112233445566aa-777.adpcm").write_bytes(b"of another history")


# The scene that is a recovery itself.
RECOVERY = "return"
SCENES = {
    scene.name: scene
    for scene in (
        Scene("clips", clips),
        Scene("jobs", jobs),
        Scene("stop", stopped),
        Scene(RECOVERY, comes_back, left_behind),
        Scene("backup", backup, some_history),
        Scene("strange", strange, history_and_more),
    )
}
