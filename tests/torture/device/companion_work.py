"""The work on dispatches: an attempt is durable before its agent starts, an outcome once it has ended.

An agent writes its ledger itself when it starts. What may have run when the daemon died is `failed`, never run
again; a clip that was cut is `held`.
"""

import companion_disk as disks

from lapel_wire.messages import CANCELLED

_THINK_MS = 150


class Work:
    """`mind` companion_mind.Mind. The n-th dispatch's agent runs for options.runs_ms[n] and ends with
    options.results[n], the kind of its notice or "" for none; both lists go round."""

    def __init__(self, mind, now_ms):
        self._mind = mind
        # [(ms, clip id, operation)]
        self._due = []
        # Clips whose agent runs.
        self._running = []
        for clip_id, entry in mind.disk.dispatches.items():
            if entry[5] == disks.ATTEMPTED:
                mind.later(now_ms, "outcome", clip_id, "failed")
            elif entry[5] == disks.ACCEPTED:
                self.begin(clip_id, now_ms)

    @property
    def running(self):
        """How many agents run."""
        return len(self._running)

    @property
    def is_busy(self):
        """A dispatch has no outcome yet."""
        return bool(self._due or self._running)

    @property
    def due_ms(self):
        """When poll() is due, None for never."""
        return min([entry[0] for entry in self._due]) if self._due else None

    def begin(self, clip_id, now_ms):
        """A dispatch waits to be worked on."""
        self._due.append((now_ms + _THINK_MS, clip_id, "attempt"))

    def poll(self, now_ms):
        """Hands to the lane what is due."""
        for entry in list(self._due):
            if now_ms >= entry[0]:
                self._due.remove(entry)
                self._mind.later(now_ms, entry[2], entry[1], *entry[3:])

    # -- what the lane does

    def do_attempt(self, now_ms, clip_id):
        """Durable before anything is spawned."""
        disk, options = self._mind.disk, self._mind.options
        if disk.dispatches[clip_id][5] != disks.ACCEPTED:
            return None
        if disk.dispatches[clip_id][4]:
            # Half a sentence is not dispatched by itself.
            return lambda: self._mind.later(now_ms, "outcome", clip_id, "held")
        if clip_id in disk.cancels.values():
            return lambda: self._mind.later(now_ms, "outcome", clip_id, "cancelled")
        disk.dispatch_state(clip_id, disks.ATTEMPTED)
        return lambda: self._mind.later(now_ms, "spawn", clip_id, options)

    def do_spawn(self, now_ms, clip_id, options):
        """The agent starts: its first act is its line in the ledger."""
        number, heard, length = self._entry(clip_id)
        self._mind.witness.ran(now_ms, heard, length)
        kind = options.results[(number - 1) % len(options.results)]
        ends_ms = now_ms + options.runs_ms[(number - 1) % len(options.runs_ms)]

        def started():
            self._running.append(clip_id)
            self._due.append((ends_ms, clip_id, "outcome", kind))
            self._mind.jobs_changed(now_ms)

        return started

    def do_outcome(self, now_ms, clip_id, kind):
        """What became of it, and its notice, in one transaction."""
        disk = self._mind.disk
        if disk.dispatches[clip_id][5] == disks.OVER:
            return None
        disk.dispatch_state(clip_id, disks.OVER)
        number, heard, _ = self._entry(clip_id)
        told = None
        if kind:
            text = "dispatch %d: %s, %s" % (number, kind, heard[:12])
            told = self._mind.teller.record(now_ms, kind, "d%d" % number, text, heard)

        def over():
            if clip_id in self._running:
                self._running.remove(clip_id)
                self._mind.jobs_changed(now_ms)
            if told is not None:
                told()

        return over

    def do_cancel(self, now_ms, clip_id, cancel_id):
        """CANCEL: durable, and then answered. What runs is ended; what is over stays as it is."""
        disk, mind = self._mind.disk, self._mind
        disk.cancels[cancel_id] = clip_id

        def say():
            if mind.pin is not None:
                mind.wishes.put(CANCELLED, {"id": cancel_id}, (CANCELLED, cancel_id))
            if clip_id in self._running:
                self._due = [entry for entry in self._due if entry[1] != clip_id]
                mind.later(now_ms, "outcome", clip_id, "cancelled")

        return say

    def _entry(self, clip_id):
        entry = self._mind.disk.dispatches[clip_id]
        return entry[0], entry[6], entry[7]
