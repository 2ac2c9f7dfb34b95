"""What one run of the model's daemon has in its head: a desk for the pin, and the lane to its disk.

The same behaviour and the same times as tools/lapel_companion, written anew over lapel_wire alone. Everything
that becomes durable goes through one lane of operations: each takes time, and the run may end before or after any
of them. Times are milliseconds that never wrap.
"""

from companion_intake import Intake
from companion_teller import Teller
from companion_wishes import Wishes
from companion_work import Work

from lapel_wire import gatt, messages

REPEAT_MS = 2000
JOBS_SETTLE_MS = 1000

# What an operation of the lane takes: some kilobytes and a sync, or a commit.
OPERATION_MS = 6


class Crash(Exception):
    """The run has ended at this point; what is on the disk is all there is."""


class Mind:
    """`options` as companion.Options. `reach()` is called before and after each operation; when it says so, Crash is
    raised out of poll()."""

    def __init__(self, disk, witness, options, now_ms, reach):
        self.disk = disk
        self.witness = witness
        self.options = options
        self.wishes = Wishes()
        # The pin's hello while it is linked.
        self.pin = None
        self.status = None
        self._reach = reach
        self._lane = []
        self._lane_due_ms = 0
        self._settings_due_ms = None
        self._jobs_due_ms = None
        self._jobs_told = 0
        self.intake = Intake(self)
        self.teller = Teller(self)
        self.work = Work(self, now_ms)

    def hello(self, now_ms):
        """The body of HELLO_HOST."""
        epoch, highest = self.intake.clips_known()
        return {
            "v": gatt.PROTOCOL_VERSION,
            "ep": self.disk.epoch,
            "nh": self.disk.highest_notice,
            "ce": epoch,
            "ch": highest,
            "t": self.options.unix_ms + now_ms,
            "tz": 60,
            "set": self.options.settings_id,
        }

    def welcome(self, body, now_ms):
        """The pin said hello; False when it must be greeted anew, as another history."""
        if self.teller.is_behind(body):
            self.later(now_ms, "epoch", body["nh"])
            return False
        self.pin = body
        self._settings_due_ms = None if body["set"] == self.options.settings_id else now_ms
        self.teller.due_ms = now_ms
        self._tell_jobs()
        self.tick(now_ms)
        return True

    def left(self):
        """The connection ended."""
        self.pin = None
        self.intake.left()
        self.wishes.clear()

    def take(self, kind, body, came_ms, now_ms):
        """One message of the pin, which came at `came_ms` and is read now."""
        if kind == messages.AUDIO:
            self.intake.audio(body[0], body[1], body[2], came_ms, now_ms)
        elif kind == messages.CLIP:
            self.intake.offer(self.pin["dev"], body)
        elif kind == messages.END:
            self.intake.ended(body, came_ms, now_ms)
        elif kind == messages.CONFLICT:
            self.intake.conflict(body, now_ms)
        elif kind == messages.STORED:
            self.later(now_ms, "stored", body["ep"], body["s"])
        elif kind == messages.SEEN:
            self.later(now_ms, "seen", body["ep"], tuple(body["s"]), body["a"])
        elif kind == messages.CANCEL:
            clip_id = messages.clip_id(self.pin["dev"], body["ep"], body["n"])
            self.later(now_ms, "cancel", clip_id, body["id"])
        elif kind == messages.SETTINGS_OK:
            if body["id"] == self.options.settings_id:
                self._settings_due_ms = None
        elif kind == messages.STATUS:
            self.status = body
            # The pin listens whether anybody is there.
            self._tell_jobs()

    def tick(self, now_ms):
        """Twice a second: repeat what was not answered."""
        if self.pin is None:
            return
        self.teller.tick(now_ms)
        if self._jobs_due_ms is not None and now_ms >= self._jobs_due_ms:
            self._jobs_due_ms = None
            if self.work.running != self._jobs_told:
                self._tell_jobs()
        if self._settings_due_ms is not None and now_ms >= self._settings_due_ms:
            self._settings_due_ms = now_ms + REPEAT_MS
            body = {"id": self.options.settings_id, "v": self.options.settings}
            self.wishes.put(messages.SETTINGS, body, (messages.SETTINGS,))

    def jobs_changed(self, now_ms):
        """A job began or ended: no hurry."""
        soon = now_ms + JOBS_SETTLE_MS
        self._jobs_due_ms = soon if self._jobs_due_ms is None else min(soon, self._jobs_due_ms)

    def _tell_jobs(self):
        self._jobs_told = self.work.running
        self.wishes.put(messages.JOBS, {"n": self._jobs_told}, (messages.JOBS,))

    @property
    def is_idle(self):
        """Nothing is on its way to the disk or to the pin, and no agent works."""
        return not (self._lane or self.intake.is_busy or self.teller.is_busy or self.work.is_busy)

    def due_ms(self):
        """When poll() is due, None for never."""
        due = [self._lane_due_ms] if self._lane else []
        for part in (self.intake.due_ms, self.work.due_ms):
            if part is not None:
                due.append(part)
        return min(due) if due else None

    def poll(self, now_ms):
        """Does what is due. Raises Crash."""
        self.intake.poll(now_ms)
        self.work.poll(now_ms)
        while self._lane and now_ms >= self._lane_due_ms:
            name, arguments = self._lane[0][0], self._lane[0][1:]
            do = self._doer(name)
            self._point()
            say = do(now_ms, *arguments)
            self._lane.pop(0)
            self._lane_due_ms = now_ms + OPERATION_MS
            self._point()
            if say is not None:
                say()

    def later(self, now_ms, *operation):
        """(name, ...) is to be durable: `do_name(now_ms, ...)` of the part that knows it. The same one does not
        wait twice. What it returns, if anything, is called once it is."""
        if operation not in self._lane:
            if not self._lane:
                self._lane_due_ms = now_ms + OPERATION_MS
            self._lane.append(operation)

    def _doer(self, name):
        for part in (self.intake, self.teller, self.work):
            do = getattr(part, "do_" + name, None)
            if do is not None:
                return do
        raise ValueError("nobody does " + name)

    def _point(self):
        if self._reach():
            raise Crash
