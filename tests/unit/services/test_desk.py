"""The desk: what is answered, what is repeated, and what is left unanswered when the flash refuses."""

from lapel.core.clock import Clock
from lapel.services.desk import Desk
from lapel.services.store_files import StoreError
from lapel_wire import messages

EPOCH = "00112233445566ff"
OURS = "0123456789abcdef"
HELLO = {"v": 1, "ep": EPOCH, "nh": 3, "ce": OURS, "ch": 4, "t": 1795213800000, "tz": 60, "set": 0}


class Channel:
    def __init__(self):
        self.posted = []

    def post(self, kind, body):
        # As the real one: nothing is posted that the wire would not carry.
        messages.encode(kind, body)
        self.posted.append((kind, body))
        return True


class Store:
    device = "0badcafe"
    epoch = OURS
    highest = 4
    settings_id = 5

    def __init__(self):
        self.known = set()
        self.takes = True
        self.seen = []
        self.told = []
        self.retracted = []
        self.cancels = []
        self.new_epochs = 0
        self.error = None
        self.aside = []

    def new_epoch(self):
        if self.error:
            raise self.error
        self.new_epochs += 1
        return OURS

    def know_companion(self, epoch):
        self.companion = epoch

    def notice_high(self, epoch):
        return 2

    def waiting(self):
        return [3, 4]

    def has_notice(self, epoch, seq):
        return (epoch, seq) in self.known

    def put(self, notice):
        if self.takes:
            self.known.add((notice["ep"], notice["s"]))
        return self.takes

    def mark_seen(self, epoch, seqs, pending=True):
        self.seen.append((epoch, seqs, pending))
        return self.takes

    def seen_answered(self, epoch, seqs):
        self.told.append((epoch, seqs))
        return True

    def retract(self, epoch, seq):
        self.retracted.append((epoch, seq))
        return self.takes

    def pending_seen(self):
        return EPOCH, [9]

    def pending_cancels(self):
        return list(self.cancels)

    def cancel_answered(self, identity):
        if self.error:
            raise self.error
        self.cancels = [c for c in self.cancels if c["id"] != identity]


class Announcer:
    def __init__(self):
        self.announced = []
        self.withdrawals = []

    def announce(self, notice):
        self.announced.append(notice["s"])

    def withdrawn(self, epoch, seq):
        self.withdrawals.append((epoch, seq))


class Flight:
    size = 2048

    def read(self, offset, length):
        return bytes(length) if offset < 2048 else b""


class House:
    def __init__(self):
        self.at = 0
        self.store = Store()
        self.announcer = Announcer()
        self.channel = Channel()
        self.traced = []
        self.jobs = []
        self.refusal = None
        self.desk = Desk(
            self.store,
            Clock(lambda: self.at, lambda a, b: a - b),
            "01020304",
            Flight(),
            lambda: 3700,
            lambda: {"mic": 32, "feedback": 2, "link": 1},
            self.announcer,
            self.jobs.append,
            lambda identity, values: self.refusal,
            lambda event, **fields: self.traced.append(event),
        )
        self.desk.greet(self.channel, HELLO)

    def take(self, kind, **body):
        self.channel.posted.clear()
        self.desk.take(kind, body, self.channel)
        return self.channel.posted


def notice(seq=3, kind="done"):
    return {"ep": EPOCH, "s": seq, "k": kind, "d": "d1", "j": "d1.1", "x": "Heard: it"}


def test_the_greeting_tells_what_is_known():
    house = House()
    kind, body = house.channel.posted[0]
    assert kind == messages.HELLO_PIN
    assert body["q"] == 2 and body["nh"] == 2 and body["ne"] == EPOCH and body["set"] == 5 and body["bat"] == 3700
    assert house.store.new_epochs == 0 and house.store.companion == EPOCH


def test_behind_the_companions_mark_a_new_epoch_begins():
    house = House()
    house.desk.greet(house.channel, dict(HELLO, ch=5))
    assert house.store.new_epochs == 1
    house.desk.greet(house.channel, dict(HELLO, ch=5, ce=None))
    assert house.store.new_epochs == 1
    house.store.error = StoreError("worn out")
    house.desk.greet(house.channel, dict(HELLO, ch=5))
    assert "store_error" in house.traced and house.channel.posted[-2][0] == messages.HELLO_PIN


def test_a_notice_is_felt_once_and_answered_when_durable():
    house = House()
    assert house.take(messages.NOTICE, **notice()) == [(messages.STORED, {"ep": EPOCH, "s": 3})]
    assert house.take(messages.NOTICE, **notice()) == [(messages.STORED, {"ep": EPOCH, "s": 3})]
    assert house.announcer.announced == [3]


def test_a_notice_that_cannot_be_kept_is_felt_once_and_not_answered():
    house = House()
    house.store.takes = False
    for _ in range(3):
        assert house.take(messages.NOTICE, **notice()) == []
    assert house.announcer.announced == [3]
    house.store.takes = True
    assert house.take(messages.NOTICE, **notice()) == [(messages.STORED, {"ep": EPOCH, "s": 3})]
    assert house.announcer.announced == [3]


def test_seen_travels_both_ways_and_an_answer_is_never_answered():
    house = House()
    assert house.take(messages.SEEN, ep=EPOCH, s=[1, 2], a=False) == [
        (messages.SEEN, {"ep": EPOCH, "s": [1, 2], "a": True})
    ]
    assert house.store.seen == [(EPOCH, [1, 2], False)]
    assert house.take(messages.SEEN, ep=EPOCH, s=[9], a=True) == []
    assert house.store.told == [(EPOCH, [9])]
    house.store.takes = False
    assert house.take(messages.SEEN, ep=EPOCH, s=[4], a=False) == []


def test_what_waits_for_an_answer_is_repeated_every_two_seconds():
    house = House()
    house.store.cancels = [{"id": 77, "ep": OURS, "n": 4}]

    def planned(at):
        house.at = at
        house.channel.posted.clear()
        house.desk.plan(at, house.channel)
        return [kind for kind, _ in house.channel.posted]

    assert planned(0) == [messages.SEEN, messages.CANCEL]
    assert planned(1999) == []
    assert planned(2000) == [messages.SEEN, messages.CANCEL]
    house.desk.hurry()
    assert planned(2001) == [messages.SEEN, messages.CANCEL]
    house.take(messages.CANCELLED, id=77)
    assert planned(5000) == [messages.SEEN]


def test_what_was_set_aside_is_told_with_the_first_status():
    house = House()
    house.store.aside = ["notice-00000003 too old", "clip-00000007 checksum does not match", "clip-00000009 cut"]
    house.desk.greet(house.channel, HELLO)
    status = house.channel.posted[-1][1]
    assert status["aside"] == 3
    assert status["what"] == "clip-00000007 checksum does not match; clip-00000009 cut"


def test_the_status_stands_behind_the_greeting():
    house = House()
    assert house.channel.posted[1] == (
        messages.STATUS,
        {"bat": 3700, "drops": 3, "over": 32, "aside": 0, "what": None},
    )


def test_a_greeting_that_comes_again_is_answered_again():
    house = House()
    first = house.channel.posted[0]
    assert house.take(messages.HELLO_HOST, **HELLO)[0] == first
    assert "ignored" not in house.traced and house.store.new_epochs == 0


def test_a_retraction_is_answered_when_it_is_durable():
    house = House()
    receipt = (messages.SEEN, {"ep": EPOCH, "s": [6], "a": True})
    for _ in range(2):
        assert house.take(messages.RETRACT, ep=EPOCH, s=6) == [receipt]
    assert house.store.retracted[-1] == (EPOCH, 6) and house.announcer.withdrawals[-1] == (EPOCH, 6)
    house.store.takes = False
    assert house.take(messages.RETRACT, ep=EPOCH, s=6) == []


def test_a_count_of_jobs_and_settings_are_taken():
    house = House()
    house.take(messages.JOBS, n=2)
    assert house.jobs == [2]
    assert house.take(messages.SETTINGS, id=8, v={}) == [(messages.SETTINGS_OK, {"id": 8, "err": None})]
    house.refusal = "there is no setting 'x'"
    assert house.take(messages.SETTINGS, id=9, v={"x": 1})[0][1]["err"] == "there is no setting 'x'"


def test_a_flash_that_fails_leaves_the_message_unanswered():
    house = House()
    house.store.error = StoreError("worn out")
    assert house.take(messages.CANCELLED, id=1) == []
    assert house.traced[-1] == "store_error"


def test_the_flight_recorder_is_read_in_pieces():
    house = House()
    kind, body = house.take(messages.READ, w="flight", off=0)[0]
    assert kind == messages.DATA and body["n"] == 2048 and len(body["b"]) == 320
    assert house.take(messages.READ, w="flight", off=2048)[0][1]["b"] == ""
    assert house.take(messages.READ, w="secrets", off=0)[0][1]["b"] == ""


def test_a_message_that_is_not_for_us_is_reported():
    house = House()
    assert house.take(messages.STORED, ep=EPOCH, s=1) == []
    assert house.traced[-1] == "ignored"
