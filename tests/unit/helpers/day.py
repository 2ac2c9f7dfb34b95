"""A day of a store on a flash that may fail: what it did, what it promised, and whether that is kept.

Every step may fail, with a StoreError or the answer False; anything else that is raised is a mistake.
"""

import binascii
import hashlib

from clips import META, speech
from flash import Random, Trace

from lapel.services import store_ids
from lapel.services.store import Store, StoreError

EPOCH = "f0f1f2f3f4f5f6f7"
CLIPS = (9000, 700, 17_000, 300)


class Day:
    """`flash` is a mounted flash.Flash. play() goes through the steps, check() holds the store against them."""

    def __init__(self, flash, seed=1):
        # So few that a short day reserves at a press as well.
        store_ids.BATCH, store_ids.LOW = 2, 1
        self.flash = flash
        self.trace = Trace()
        self.store = None
        self.failures = []
        # number: data of the clips that were captured; of those that may be there; ids that were given.
        self.captured = {}
        self.possible = {}
        self.given = set()
        # seq: states in which the notice may be.
        self.notices = {}
        self.settings = {0}
        self.cancels = {}
        self.device = None
        self._seed = seed
        # Called in the middle of the day.
        self.between = None

    def boot(self):
        """Mounts the store, or not: True when it could."""
        self._seed += 1
        self.store = Store(self.flash.root, Random(self._seed), self.trace)
        if self._fails(self.store.mount):
            self.store = None
            return False
        if self.device is None:
            self.device = self.store.device
        return True

    def play(self):
        """All of it, with a reset in between."""
        for half in (self._morning, self._evening):
            if not self.boot():
                return
            half()
            self.store.close()
            if half == self._morning and self.between:
                self.between()
            self.flash.remount()

    def _morning(self):
        self.record(CLIPS[0])
        self.notice(1)
        self.record(CLIPS[1])
        self.save(1)
        self.accept()
        self.notice(2)
        self.see(1)
        self.told(1)
        self.cancel(2)
        self._fails(self.store.reconcile)

    def _evening(self):
        self.notice(3)
        self.record(CLIPS[2])
        self.see(3)
        self.answer(2)
        self.save(2)
        self.accept()
        self._fails(self.store.reconcile)
        self.record(CLIPS[3])
        self.notice(4)
        self._fails(self.store.reconcile)

    def _fails(self, act, *arguments):
        try:
            act(*arguments)
        except StoreError as error:
            self.failures.append(str(error))
            return True
        return False

    def record(self, length):
        """A clip from the press to `captured`; its number, None when it failed."""
        data = speech(length, len(self.given) + 3)
        try:
            writer = self.store.begin(META)
            identity = (self.store.epoch, writer.number)
            assert identity not in self.given, "a clip id was given twice"
            self.given.add(identity)
            self.possible[writer.number] = data
            for at in range(0, length, 128):
                writer.write(data[at : at + 128])
            writer.finish(length // 8)
        except StoreError as error:
            self.failures.append(str(error))
            return None
        self.captured[writer.number] = data
        return writer.number

    def accept(self):
        """The oldest clip was accepted."""
        for number in self.store.waiting()[:1]:
            # It may be gone from now on, whatever remove() answers; and LittleFS may tell a directory that it
            # cannot read as one that lacks the file: then it is offered again, and accepted again.
            self.captured.pop(number, None)
            self._fails(self.store.remove, number)

    def _step(self, states, value, act, *arguments):
        try:
            done = act(*arguments)
        except StoreError as error:
            self.failures.append(str(error))
            done = False
        if done is False:
            self.failures.append("not done")
            states.add(value)
        else:
            states.clear()
            states.add(value)

    def notice(self, seq):
        self._step(self.notices.setdefault(seq, {"none"}), "unseen", self.store.put, notice(seq))

    def see(self, seq):
        if self.store.has_notice(EPOCH, seq):
            self._step(self.notices[seq], "over", self.store.mark_seen, EPOCH, [seq])

    def told(self, seq):
        self._step(set(), "over", self.store.seen_answered, EPOCH, [seq])

    def save(self, identity):
        self._step(self.settings, identity, self.store.settings.save, identity, {"undo_ms": 6000 + identity})

    def cancel(self, number):
        self._step(self.cancels.setdefault(number, {False}), True, self.store.add_cancel, EPOCH, number)

    def answer(self, number):
        for cancel in self.store.pending_cancels():
            if cancel["n"] == number:
                self._step(self.cancels[number], False, self.store.cancel_answered, cancel["id"])

    def missing(self):
        """What was promised and is not to be had, in words."""
        store, out = self.store, []
        if store.device != self.device:
            out.append("device")
        waiting = store.waiting()
        for number, data in self.captured.items():
            if number not in waiting or self._read(number)[:2] != (data, False):
                out.append("clip %d" % number)
        for number in waiting:
            data, _ = self._read(number)
            known = self.captured.get(number) or self.possible.get(number)
            assert known is not None and data == known[: len(data)], "clip %d holds something else" % number
        unseen = [seq for _, seq, _ in store.unseen()]
        assert len(set(unseen)) == len(unseen)
        for seq, states in self.notices.items():
            state = "unseen" if seq in unseen else "over" if store.has_notice(EPOCH, seq) else "none"
            if state not in states:
                out.append("notice %d is %s" % (seq, state))
        if store.settings_id not in self.settings:
            out.append("settings")
        pending = [cancel["n"] for cancel in store.pending_cancels()]
        for number, states in self.cancels.items():
            if (number in pending) not in states:
                out.append("cancel %d" % number)
        return out

    def _read(self, number):
        """(data, whether it is cut) as it would be sent; (b"", True) when it cannot be read now."""
        try:
            reader = self.store.open(number)
        except StoreError as error:
            # As the feed says it.
            self.trace("store_error", error=str(error))
            return b"", True
        try:
            data = bytearray(reader.size)
            got = reader.read_at(0, data)
            data = bytes(data[: reader.size])
            if got == len(data):
                assert reader.sha == binascii.hexlify(hashlib.sha256(data).digest()).decode()
            return data[:got], reader.cut or got < len(data)
        except StoreError as error:
            # As the feed says it.
            self.trace("store_error", error=str(error))
            return b"", True
        finally:
            reader.close()


def notice(seq):
    """A notice of the companion."""
    return {"ep": EPOCH, "s": seq, "k": "done", "d": "d1", "j": None, "x": "x" * 100}
