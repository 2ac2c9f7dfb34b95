"""A model of the companion: a daemon that links, may crash at any point and comes back with its disk alone.

Made of lapel_wire only, it keeps the behaviour and the times of tools/lapel_companion. It has no clock and no loop:
a carrier tells it what arrives, asks `due_ms()` and calls `poll()`. Times are the world's milliseconds.
"""

from companion_disk import Disk, Witness
from companion_mind import Crash, Mind
from companion_talk import Talk

# Why a link failed does not matter: who did not prove to be our pin is left alone for so long.
FAILURE_PAUSE_MS = (1000, 2000, 4000, 5000)
# From a pin that can be found to a connection.
FIND_MS = 300


class Options:
    """`results`: kinds of the notices that the dispatches end with, in turn, "" for none; `runs_ms`: for how long their
    agents run. `settings` the pin is to have, with their id (0: none, as the pin's own). `read_ms` is what it takes to
    read a packet, `restart_ms` how long it is away after a crash."""

    def __init__(self, results=("done",), runs_ms=(400,), settings=None, settings_id=0, read_ms=0, restart_ms=1500):
        self.results = results
        self.runs_ms = runs_ms
        self.settings = settings or {}
        self.settings_id = settings_id
        self.read_ms = read_ms
        self.restart_ms = restart_ms
        self.unix_ms = 1_780_000_000_000


class Companion:
    """`ears` companion_disk.Ears, shared by all; `draws` draws.Draws. `crashes` counts how often it came to that."""

    def __init__(self, options, ears, draws, disk=None, witness=None):
        self.options = options
        self.draws = draws
        self.disk = disk or Disk("c0ffee%010x" % draws.below(1 << 30))
        self.witness = witness or Witness(ears)
        # Called with the number of each point, before and after a durable operation; true: it is killed there.
        self.at_point = None
        self.points = 0
        self.mind = Mind(self.disk, self.witness, options, 0, self._reach)
        self.talk = None
        self.crashes = 0
        # Why links ended, the last few.
        self.endings = []
        self._failures = 0
        # Not looking for a pin before; not running before.
        self._seek_ms = 0
        self._back_ms = None

    # -- what a case does to it

    def crash(self, now_ms, back_ms=None):
        """The daemon is killed; it starts again at `back_ms`, or after options.restart_ms."""
        self.crashes += 1
        self.mind = None
        self._hang_up("the companion is gone")
        self._back_ms = now_ms + self.options.restart_ms if back_ms is None else back_ms

    def restore(self, disk, now_ms):
        """The daemon is ended, its state replaced by an older copy, and it starts again."""
        self.disk = disk
        self.witness.restores += 1
        known = [entry[3] for entry in disk.notices.values()]
        self.witness.forgotten += [text for text in self.witness.recorded if text not in known]
        self.crash(now_ms)

    def remind(self, now_ms, kind, text):
        """A notice comes up that is no dispatch's."""
        if self.mind is not None:
            self.mind.later(now_ms, "notice", kind, text)

    def read_here(self, now_ms, text):
        """The person reads a notice on the computer."""
        if self.mind is not None:
            self.mind.later(now_ms, "seen_here", text)

    def retract(self, now_ms, text):
        """A notice is settled elsewhere."""
        if self.mind is not None:
            self.mind.later(now_ms, "retract", text)

    # -- for the carrier

    def wants_link(self, now_ms):
        """It is looking for a pin."""
        return self.mind is not None and self.talk is None and now_ms >= self._seek_ms

    @property
    def seek_ms(self):
        """When it will look for a pin again, None while it does not run or is connected."""
        return None if self.mind is None or self.talk is not None else self._seek_ms

    def written(self, taken, now_ms):
        """The answer to a write."""
        if self.talk is not None:
            self.talk.written(taken, now_ms)

    def connected(self, port, now_ms):
        """A connection is there, the service was found, and notifications are on."""
        self.talk = Talk(port, self.mind, self.draws, now_ms, self.options.read_ms)

    def gone(self, now_ms, reason="the connection was lost"):
        """The connection ended."""
        talk, self.talk = self.talk, None
        if talk is None:
            return
        self.endings = self.endings[-7:] + [talk.over or reason]
        if self.mind is not None:
            self.mind.left()
        if talk.proved:
            self._failures = 0
            self._seek_ms = now_ms
        else:
            self._seek_ms = now_ms + FAILURE_PAUSE_MS[min(self._failures, len(FAILURE_PAUSE_MS) - 1)]
            self._failures += 1

    @property
    def is_idle(self):
        """Nothing is left to be done, as far as it knows."""
        return self.mind is not None and self.mind.is_idle

    def due_ms(self):
        """When poll() is due, None for never."""
        if self.mind is None:
            return self._back_ms
        due = self.mind.due_ms()
        if self.talk is not None:
            talk_ms = self.talk.due_ms()
            due = talk_ms if due is None else min(due, talk_ms)
        return due

    def poll(self, now_ms):
        """Does what is due."""
        if self.mind is None:
            if self._back_ms is None or now_ms < self._back_ms:
                return
            self.mind = Mind(self.disk, self.witness, self.options, now_ms, self._reach)
            self._seek_ms = now_ms
        try:
            self.mind.poll(now_ms)
            if self.talk is not None:
                self.talk.poll(now_ms)
                if self.talk.over is not None:
                    self._hang_up(self.talk.over)
                    self.gone(now_ms)
        except Crash:
            self.crash(now_ms)

    def _reach(self):
        self.points += 1
        return self.at_point is not None and self.at_point(self.points - 1)

    def _hang_up(self, reason):
        if self.talk is not None:
            self.endings = self.endings[-7:] + [reason]
            self.talk.port.hang_up()
            if self.mind is None:
                self.talk = None
