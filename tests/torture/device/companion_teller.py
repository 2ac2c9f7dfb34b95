"""What the pin is told of notices, as tools/lapel_companion/link/teller.py and notices.py have it."""

import companion_disk as disks

from lapel_wire import messages, schema

REPEAT_MS = 2000
AT_ONCE = 4


class Teller:
    """`mind` companion_mind.Mind. Each notice until it is stored, what was seen until that is answered."""

    def __init__(self, mind):
        self._mind = mind
        self.due_ms = 0

    @property
    def is_busy(self):
        """The pin does not know all that it should."""
        return bool(self._pending() or self._untold() or self._to_withdraw())

    def is_behind(self, hello):
        """Whether the pin remembers more of our epoch than we ever sent: this state is an older copy."""
        notices = self._mind.disk.notices
        sent = [seq for seq in notices if notices[seq][4] & (disks.SENT | disks.STORED)]
        return hello["ne"] == self._mind.disk.epoch and hello["nh"] > max(sent + [0])

    def tick(self, now_ms):
        """Repeat what is due."""
        if now_ms < self.due_ms:
            return
        self.due_ms = now_ms + REPEAT_MS
        wishes, epoch = self._mind.wishes, self._mind.disk.epoch
        for seq, entry in self._pending()[:AT_ONCE]:
            if entry[4] & disks.SENT:
                self._say(seq)
            else:
                # Durable before it is said: by that a pin is known that remembers more than we do.
                self._mind.later(now_ms, "sent", seq)
        seqs = self._untold()[: schema.LIST_MAX]
        if seqs:
            wishes.put(messages.SEEN, {"ep": epoch, "s": seqs, "a": False}, (messages.SEEN, "ours"))
        for its_epoch, seq in self._to_withdraw()[:AT_ONCE]:
            wishes.put(messages.RETRACT, {"ep": its_epoch, "s": seq}, (messages.RETRACT, seq))

    def record(self, now_ms, kind, dispatch, text, digest=""):
        """Writes a notice down; the caller's operation is its transaction. What to do once it is durable."""
        disk = self._mind.disk
        disk.note(disk.epoch, kind, dispatch, text)
        self._mind.witness.noted(now_ms, text, kind, digest)
        return lambda: self._news(now_ms)

    def _news(self, now_ms):
        self.due_ms = now_ms
        self._mind.tick(now_ms)

    def _pending(self):
        found, asking = [], False
        for seq, entry in self._mind.disk.live():
            if entry[4] & disks.RETRACTED:
                continue
            if entry[1] == "question":
                if asking:
                    continue
                asking = True
            if not entry[4] & (disks.STORED | disks.SEEN):
                found.append((seq, entry))
        return found

    def _untold(self):
        return [
            seq
            for seq, entry in self._mind.disk.live()
            if entry[4] & (disks.SENT | disks.STORED)
            and entry[4] & disks.SEEN
            and not entry[4] & (disks.TOLD | disks.RETRACTED)
        ]

    def _to_withdraw(self):
        return [
            (entry[0], seq)
            for seq, entry in self._mind.disk.live()
            if entry[4] & disks.RETRACTED and entry[4] & (disks.SENT | disks.STORED) and not entry[4] & disks.TOLD
        ]

    # -- what the lane does

    def do_notice(self, now_ms, kind, text):
        """A notice of nobody's dispatch, as a reminder."""
        return self.record(now_ms, kind, "", text)

    def do_sent(self, now_ms, seq):
        """The pin may have it from now on."""
        self._mind.disk.flag(seq, disks.SENT)
        return lambda: self._say(seq)

    def _say(self, seq):
        entry = self._mind.disk.notices[seq]
        if self._mind.pin is not None and not entry[4] & (disks.STORED | disks.SEEN | disks.RETRACTED):
            body = {"ep": entry[0], "s": seq, "k": entry[1], "d": entry[2], "j": None, "x": entry[3]}
            self._mind.wishes.put(messages.NOTICE, body, (messages.NOTICE, seq))

    def do_stored(self, now_ms, epoch, seq):
        """The pin has it durably."""
        entry = self._mind.disk.notices.get(seq)
        if entry is not None and entry[0] == epoch:
            self._mind.disk.flag(seq, disks.STORED)
            self.due_ms = min(self.due_ms, now_ms + REPEAT_MS // 4)

    def do_seen(self, now_ms, epoch, seqs, is_answer):
        """The pin knows these as seen: its own doing, or the answer to ours, or to a retraction."""
        disk, witness = self._mind.disk, self._mind.witness
        for seq in seqs:
            entry = disk.notices.get(seq)
            if entry is not None and entry[0] == epoch:
                over = entry[4] & disks.RETRACTED
                disk.flag(seq, disks.TOLD if over else disks.SEEN | disks.TOLD)
                if not entry[4] & disks.MOVED:
                    witness.settled(entry[3], disks.SEEN_BY_PIN)
        if is_answer:
            return None
        body = {"ep": epoch, "s": list(seqs), "a": True}
        return lambda: self._answer(body)

    def _answer(self, body):
        if self._mind.pin is not None:
            self._mind.wishes.put(messages.SEEN, body, (messages.SEEN, "answer", tuple(body["s"])))

    def do_seen_here(self, now_ms, text):
        """The person has read it on the computer."""
        return self._settle(now_ms, text, disks.SEEN, disks.SEEN_HERE)

    def do_retract(self, now_ms, text):
        """It was settled elsewhere."""
        return self._settle(now_ms, text, disks.RETRACTED, disks.WITHDRAWN)

    def _settle(self, now_ms, text, flag, how):
        for seq, entry in self._mind.disk.live():
            if entry[3] == text and not entry[4] & disks.MOVED and self._mind.disk.flag(seq, flag):
                self._mind.witness.settled(text, how)
                return lambda: self._news(now_ms)
        return None

    def do_epoch(self, now_ms, pin_knows):
        """This state is older than what the pin remembers: another history, and new numbers."""
        disk = self._mind.disk
        disk.epoch = "%016x" % (int(disk.epoch, 16) + 1)
        for seq, entry in disk.live():
            if not entry[4] & (disks.SEEN | disks.RETRACTED):
                disk.note(disk.epoch, entry[1], entry[2], entry[3])
            # What the pin has under the old number must not count twice.
            disk.flag(seq, disks.MOVED | disks.RETRACTED)
