"""The person's acts among stand-ins that write down what they are told, in time moved by hand."""

import asyncio

from lapel.core.clock import Clock
from lapel.core.recent_clips import RecentClips
from lapel.services.acts import Acts


class Time:
    """Ticks moved by hand."""

    def __init__(self):
        self.ms = 1000

    def __call__(self):
        return self.ms

    @staticmethod
    def diff(end, start):
        return end - start


class Button:
    """Edges of a script: (pressed, time) or a time at which nothing had happened."""

    def __init__(self, time, script):
        self.time = time
        self.script = script

    async def edge(self, timeout_ms=None):
        if not self.script:
            # The script is over: as if nobody ever pressed again.
            await asyncio.Event().wait()
        nearest = self.script[0][1]
        if self.time.ms + timeout_ms < nearest:
            self.time.ms += timeout_ms
            return None
        pressed, at = self.script.pop(0)
        self.time.ms = at
        await asyncio.sleep(0)
        return None if pressed is None else (pressed, at)


class Recorder:
    def __init__(self, calls):
        self.calls = calls
        self.on_over = None
        self.taken = True

    def press(self, t):
        self.calls.append(("press", t))

    def discard(self):
        self.calls.append(("discard",))

    def begin(self, meta):
        self.calls.append(("begin", meta))
        if not self.taken:
            self.on_over("full")
        return self.taken

    def end(self, t):
        self.calls.append(("end", t))


class Store:
    epoch = "0123456789abcdef"

    def __init__(self, calls):
        self.calls = calls
        self.recent = RecentClips()
        self.notices = []
        self.numbers = []
        self.cancel_error = None

    def unseen(self):
        return list(self.notices)

    def waiting(self):
        return list(self.numbers)

    def mark_seen(self, epoch, seqs, pending=True):
        self.calls.append(("seen", epoch, seqs))
        return True

    def mark_all_seen(self, but=()):
        self.calls.append(("all seen", list(but)))
        return True

    def add_cancel(self, epoch, number):
        if self.cancel_error:
            raise self.cancel_error
        self.calls.append(("cancel", epoch, number))


class Feedback:
    def __init__(self, calls):
        self.calls = calls

    def show(self, name, count=0, identity=None):
        self.calls.append(("show", name, count))


class Announcer:
    def __init__(self, calls):
        self.calls = calls
        self.target = None
        self.unfelt = []
        self.later = []

    def repeat(self, kind, identity, count):
        self.calls.append(("repeat", kind, identity, count))

    def when_felt(self, identity, act):
        if identity in self.unfelt:
            self.later.append(act)
        else:
            act()

    def reply_target(self, press_ms):
        self.calls.append(("target", press_ms))
        return self.target


class Desk:
    def __init__(self, calls):
        self.calls = calls

    def hurry(self):
        self.calls.append(("hurry",))


class House:
    def __init__(self, script):
        self.calls = []
        self.time = Time()
        self.recorder = Recorder(self.calls)
        self.store = Store(self.calls)
        self.announcer = Announcer(self.calls)
        self.states = []
        self.acts = Acts(
            Button(self.time, list(script)),
            self.recorder,
            self.store,
            Feedback(self.calls),
            self.announcer,
            Desk(self.calls),
            Clock(self.time, Time.diff),
            {"undo_ms": 30_000},
            "0a0b0c0d",
            16000,
            self.trace,
            lambda: None,
            self.time,
        )

    def trace(self, event, **fields):
        if event == "state":
            self.states.append(fields["state"])

    def run(self):
        async def main():
            task = asyncio.create_task(self.acts.run())
            for _ in range(200):
                await asyncio.sleep(0)
            alive = not task.done()
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            assert alive

        asyncio.run(main())
        return self.calls
