"""Notices of the companion: each is taken once, kept until it was seen, and `seen` until it was told.

One file a notice (small ones lie in the directory and cost no erase) and one file of marks. A
notice counts as stored as soon as its file is there; what is over stands in the marks before its
file goes, so that no power cut brings it back or lets it in a second time.
"""

from lapel.compat import const
from lapel.core import notice_marks, records
from lapel.services import store_files
from lapel_wire import messages

UNSEEN_MAX = 64
# As many as one message of the wire carries.
_TELL_MAX = const(16)
# Files of notices that are over are removed when the pin is idle, or when so many have gathered.
_STALE_MAX = const(8)


class Notices:
    """`folder` holds the notices, `marks_path` the marks."""

    def __init__(self, folder: str, marks_path: str, quarantine, trace) -> None:
        self._folder = folder
        self._marks_path = marks_path
        self._quarantine = quarantine
        self._trace = trace
        self._marks = notice_marks.Marks()
        self._marks_dirty = False
        # (file number, epoch, sequence, kind), oldest first.
        self._unseen = []
        self._stale = []
        self._newest: dict = None
        self._newest_number = 0
        self._last_number = 0
        # A notice, or marks, could not be read.
        self._has_lost = False
        # Notices that could not be taken: full, or the flash failed.
        self.refused = 0

    def mount(self) -> None:
        """Loads marks and notices; what cannot be read is quarantined and reported."""
        store_files.make_folder(self._folder)
        marks_lost = not self._load_marks()
        self._unseen, self._stale, self._newest, self._newest_number = [], [], None, 0
        for number in store_files.numbered(self._folder):
            self._last_number = number
            notice = self._load(number)
            if notice is None:
                continue
            if marks_lost:
                self._marks.adopt(notice["ep"])
            self._newest, self._newest_number = notice, number
            if self._marks.is_done(notice["ep"], notice["s"]):
                self._stale.append(number)
            else:
                self._unseen.append((number, notice["ep"], notice["s"], notice["k"]))

    def put(self, notice: dict) -> bool:
        """Takes a notice (ep, s, k, d, j, x), once. True: it is durable, and `stored` may be said.

        False when UNSEEN_MAX wait to be seen or the flash fails; then the companion must keep it.
        """
        try:
            return self.has_notice(notice["ep"], notice["s"]) or self._take(notice)
        except store_files.StoreError as error:
            return self._refuse(notice, str(error))

    def _refuse(self, notice: dict, reason: str) -> bool:
        self.refused += 1
        self._trace("notice_refused", s=notice["s"], reason=reason)
        return False

    def _take(self, notice: dict) -> bool:
        epoch, seq = notice["ep"], notice["s"]
        if len(self._unseen) >= UNSEEN_MAX:
            return self._refuse(notice, "%d notices wait to be seen" % UNSEEN_MAX)
        if not self._marks.remembers(epoch):
            self._adopt(epoch)
        if len(self._stale) > _STALE_MAX:
            self.sweep()
        number = self._last_number + 1
        body = messages.write_body(messages.NOTICE, notice)
        store_files.save(self._path(number), records.NOTICE, body)
        self._newest, self._newest_number = dict(notice), number
        self._last_number = number
        self._unseen.append((number, epoch, seq, notice["k"]))
        return True

    def has_notice(self, epoch: str, seq: int) -> bool:
        """Whether this notice was taken before (or is over without having come)."""
        for _, unseen_epoch, unseen_seq, _ in self._unseen:
            if unseen_seq == seq and unseen_epoch == epoch:
                return True
        return self._marks.is_done(epoch, seq)

    def unseen(self):
        """[(epoch, sequence, kind)] of what was not seen yet, oldest first."""
        return [entry[1:] for entry in self._unseen]

    def get_notice(self, epoch: str, seq: int):
        """The whole unseen notice, read from flash; None when it is not there."""
        for number, unseen_epoch, unseen_seq, _ in self._unseen:
            if unseen_seq == seq and unseen_epoch == epoch:
                return self._newest if number == self._newest_number else self._load(number)
        return None

    def newest_notice(self):
        """The notice that was taken last, seen or not; None before the first."""
        return self._newest

    @property
    def epoch(self):
        """The companion's epoch as far as known, None before its first notice."""
        return self._marks.epoch

    def notice_high(self, epoch) -> int:
        """The greatest sequence number taken of that epoch, 0 for none.

        0 also where something was lost since the start: the companion sends all that nobody saw again.
        """
        if self._has_lost:
            return 0
        seqs = [entry[2] for entry in self._unseen if entry[1] == epoch]
        return max([self._marks.highest(epoch)] + seqs)

    def know_companion(self, epoch: str) -> None:
        """The companion says that this is its epoch."""
        if epoch != self._marks.epoch:
            self._tried(self._adopt, epoch)

    def _adopt(self, epoch: str) -> None:
        # The oldest epoch's marks may go now: no file that is over may be left to come back.
        self._remove_stale(None)
        self._marks.adopt(epoch)
        self._save_marks()

    def mark_seen(self, epoch: str, seqs, pending: bool = True) -> bool:
        """These were seen: on the pin (`pending`: the companion is to be told), or where it says.

        True when that is durable; False when the flash failed: it holds until the next reset, and
        is written again when idle.
        """
        return self._tried(self._finish, [(epoch, seq) for seq in seqs], pending)

    def mark_all_seen(self, but=()) -> bool:
        """The person saw everything on the pin but these, (epoch, sequence)."""
        return self._tried(self._finish, [entry[1:3] for entry in self._unseen if entry[1:3] not in but], True)

    def retract(self, epoch: str, seq: int) -> bool:
        """The companion withdraws a notice, also one that has not come yet. As mark_seen."""
        return self.mark_seen(epoch, (seq,), False)

    def pending_seen(self):
        """(epoch, at most 16 sequences) to tell the companion until seen_answered(); (None, []) for none."""
        waiting = self._marks.untold()
        if not waiting:
            return None, []
        epoch, seqs = waiting[-1]
        return epoch, seqs[:_TELL_MAX]

    def seen_answered(self, epoch: str, seqs) -> bool:
        """The companion knows these as seen. As mark_seen."""
        return not self._marks.told(epoch, seqs) or self._tried(self._save_marks)

    def sweep(self) -> None:
        """Removes files of notices that are over; the newest stays, a reply may name it."""
        self._remove_stale(self._newest_number)

    def _finish(self, notices, tell: bool) -> None:
        forgotten = []
        before = self._marks.pack()
        for epoch, seq in notices:
            if not self._marks.finish(epoch, (seq,), tell):
                forgotten.append((epoch, seq))
        left, bare = [], []
        for entry in self._unseen:
            if entry[1:3] in forgotten:
                bare.append(entry[0])
            elif self._marks.is_done(entry[1], entry[2]):
                self._stale.append(entry[0])
            else:
                left.append(entry)
        self._unseen = left
        if self._marks_dirty or self._marks.pack() != before:
            self._save_marks()
        for number in bare:
            # No mark can hold it: its file is its only state.
            store_files.remove(self._path(number))

    def _tried(self, act, *arguments) -> bool:
        try:
            act(*arguments)
        except store_files.StoreError as error:
            self._trace("store_error", error=str(error))
            return False
        return True

    def _remove_stale(self, but_number) -> None:
        if self._marks_dirty:
            self._save_marks()
        for number in list(self._stale):
            if number != but_number:
                store_files.remove(self._path(number))
                self._stale.remove(number)

    def _load_marks(self) -> bool:
        broken = self._quarantine.count
        marks = self._quarantine.load(self._marks_path, records.MARKS, notice_marks.Marks)
        self._marks = marks or notice_marks.Marks()
        self._has_lost = self._quarantine.count > broken
        return marks is not None

    def _save_marks(self) -> None:
        self._marks_dirty = True
        store_files.save(self._marks_path, records.MARKS, self._marks.pack())
        self._marks_dirty = False

    def _load(self, number: int):
        path = self._path(number)
        try:
            if store_files.size(path) == 0:
                # A power cut fell between the making of the file and its content: nobody was told `stored`.
                store_files.remove(path)
                return None
        except store_files.StoreError as error:
            self._trace("store_error", error=str(error))
            return None
        notice = self._quarantine.load(path, records.NOTICE, _notice)
        if notice is None:
            self._has_lost = True
        return notice

    def _path(self, number: int) -> str:
        return store_files.name(self._folder, number)


def _notice(body):
    return messages.read_body(messages.NOTICE, body)
