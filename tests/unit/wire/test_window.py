"""The window against a companion that reads slowly, or not at all for a while. Time is stepped."""

from lapel_wire.clips import FINISH, OFFER, PROGRESS_BYTES, RETRY_MS, WINDOW_BYTES, Sender
from lapel_wire.receiver import Receiver

STEP_MS = 5
# 64 kB/s, more than any radio brings.
RECORD_BYTES = 320
# Once more for what is sent again from a hole on.
INBOX_MAX_BYTES = 2 * WINDOW_BYTES
WRITE_EVERY_MS = 100
DELAY_MS = 100
CLIP_BYTES = 250 * 1024


class Slow:
    """The companion: a record is read every `read_ms`, none in `stall` (from, to)."""

    def __init__(self, read_ms, stall):
        self.read_ms = read_ms
        self.stall = stall
        self.inbox = []
        self.dropped = 0
        self.receiver = Receiver()
        # [(ms, RESUME?, offset)]
        self.answers = []
        self.resumes = 0
        self._free_ms = 0
        self._write_ms = WRITE_EVERY_MS
        self._told = self._tell_ms = 0

    def came(self, record, now_ms):
        if (len(self.inbox) + 1) * RECORD_BYTES > INBOX_MAX_BYTES:
            self.dropped += 1
        else:
            self.inbox.append((record, now_ms))

    def run(self, now_ms):
        if not self.stall[0] <= now_ms < self.stall[1]:
            while self.inbox and self._free_ms <= now_ms:
                self._free_ms = now_ms + self.read_ms
                self._read(*self.inbox.pop(0), now_ms)
        held = self.receiver.held
        if now_ms >= self._write_ms:
            self._write_ms = now_ms + WRITE_EVERY_MS
            if held > self._told:
                self._progress(now_ms)

    def _read(self, record, came_ms, now_ms):
        what, at = record
        if what == OFFER and not self.receiver.held:
            self._answer(False, now_ms)
        elif what == OFFER:
            self._answer(True, now_ms)
        elif what == FINISH or self.receiver.take(at, memoryview(bytes(RECORD_BYTES))) is None:
            if self.receiver.ask(at, came_ms, now_ms):
                self._answer(True, now_ms)
            else:
                self._progress(now_ms)

    def _progress(self, now_ms):
        if self.receiver.held - self._told >= PROGRESS_BYTES or now_ms >= self._tell_ms:
            self._tell_ms = now_ms + RETRY_MS
            self._answer(False, now_ms)

    def _answer(self, again, now_ms):
        self.resumes += again
        self._told = self.receiver.held
        self.answers.append((now_ms + DELAY_MS, again, self._told))


def carried(read_ms=0, stall=(0, 0), lost=()):
    """(records sent, the companion, ms until it holds the whole clip); `lost` are numbers of records sent."""
    sender, slow, sent, now_ms = Sender(1, live=False), Slow(read_ms, stall), 0, 0
    while slow.receiver.held < CLIP_BYTES:
        now_ms += STEP_MS
        assert now_ms < 900_000, "it comes to no end"
        while slow.answers and slow.answers[0][0] <= now_ms:
            _, again, offset = slow.answers.pop(0)
            (sender.resume if again else sender.ack)(offset)
        due = sender.due(now_ms, CLIP_BYTES)
        if due is not None:
            (sender.offered if due == OFFER else sender.finished)(now_ms)
            slow.came((due, CLIP_BYTES), now_ms)
        elif sender.may_stream and sender.position < CLIP_BYTES:
            if sent not in lost:
                slow.came((0, sender.position), now_ms)
            sender.sent(RECORD_BYTES)
            sent += 1
        slow.run(now_ms)
    return sent, slow, now_ms


def test_who_reads_quickly_does_not_notice_the_window():
    sent, slow, took_ms = carried()
    assert sent == CLIP_BYTES // RECORD_BYTES and not slow.resumes
    assert took_ms < sent * STEP_MS + 3 * DELAY_MS


def test_a_slow_reader_reads_each_record_once():
    for read_ms in (10, 50, 200):
        sent, slow, took_ms = carried(read_ms)
        assert (sent, slow.dropped) == (CLIP_BYTES // RECORD_BYTES, 0)
        assert took_ms < 1.02 * sent * read_ms + 2000


def test_a_reader_that_is_stalled_for_seconds_loses_nothing():
    for seconds in (1, 3, 9):
        sent, slow, took_ms = carried(0, (1000, 1000 + 1000 * seconds))
        assert slow.dropped == 0
        assert (sent - CLIP_BYTES // RECORD_BYTES) * RECORD_BYTES <= WINDOW_BYTES
        assert took_ms < (sent * STEP_MS) + 1000 * seconds + 3 * DELAY_MS


def test_a_hole_costs_a_slow_reader_a_window_at_most():
    for lost in ((200,), (200, 201), (100, 300, 500, 790)):
        sent, slow, _ = carried(40, lost=lost)
        assert slow.dropped == 0 and slow.resumes == len({at // 10 for at in lost})
        assert (sent - CLIP_BYTES // RECORD_BYTES) * RECORD_BYTES <= len(lost) * (WINDOW_BYTES + RECORD_BYTES)


def test_the_window_opens_with_what_the_companion_holds():
    s = Sender(1, live=True)
    s.offered(0)
    s.sent(WINDOW_BYTES - 1)
    assert s.may_stream
    s.sent(200)
    assert not s.may_stream
    s.ack(1000)
    assert s.may_stream
    s.sent(WINDOW_BYTES)
    # A word that is older than the last one opens nothing.
    s.ack(500)
    assert not s.may_stream
    # The companion has lost what it held: from there on as much as ever.
    s.resume(0)
    s.sent(WINDOW_BYTES)
    assert not s.may_stream


def test_a_window_that_stays_shut_is_asked_about():
    for total in (None, 10 * WINDOW_BYTES):
        s = Sender(1, live=True)
        s.offered(0)
        s.ack(0)
        s.sent(WINDOW_BYTES)
        assert s.due(1000, total) is None
        assert s.due(999 + 2 * RETRY_MS, total) is None and s.due(1000 + 2 * RETRY_MS, total) == OFFER
        s.offered(5000)
        assert s.due(4999 + RETRY_MS, total) is None and s.due(5000 + RETRY_MS, total) == OFFER
        # Whoever says how far he got is there, also when it is no further.
        s.ack(0)
        assert s.due(8000, total) is None and s.due(8000 + 2 * RETRY_MS, total) == OFFER


def test_an_end_is_not_said_again_while_the_companion_tells_how_far_it_is():
    s = Sender(1, live=True)
    s.offered(0)
    s.sent(300)
    s.finished(100)
    for ms in range(2000, 20_000, 2100):
        s.ack(100)
        assert s.due(ms, 300) is None and s.due(ms + 2090, 300) is None
    assert s.due(ms + 2 * RETRY_MS, 300) == FINISH


def test_progress_of_what_went_before_is_no_answer():
    s = Sender(1, live=False)
    s.offered(0)
    s.ack(90_000)
    assert not s.may_stream
    s.resume(95_000)
    assert s.may_stream and s.position == 95_000


def test_what_ends_within_the_window_ends():
    s = Sender(1, live=True)
    s.offered(0)
    s.sent(WINDOW_BYTES)
    assert s.due(1, WINDOW_BYTES) == FINISH


def test_what_came_before_it_was_asked_does_not_ask_again():
    r = Receiver(10)
    assert r.ask(20, 0, 5000)
    # The rest of what had come meanwhile, read slowly.
    assert not r.ask(30, 100, 6000) and not r.ask(40, 5400, 9000)
    assert r.ask(50, 5600, 9100)
