"""The flight recorder: what survives a reset, and what the companion reads of it."""

import json

from lapel.services.flight import SAVE_EVERY_MS, Flight
from lapel_wire import flight_log, flight_reading


class Memory:
    """Memory that survives a reset."""

    def __init__(self, data=b""):
        self.data = data
        self.saves = 0
        self.broken = False

    def load(self):
        return self.data

    def save(self, data):
        if self.broken:
            raise OSError(5)
        self.data = bytes(data)
        self.saves += 1


class Time:
    def __init__(self):
        self.ms = 0

    def __call__(self):
        return self.ms


def make(memory=None, cause="power on"):
    time = Time()
    flight = Flight(memory or Memory(), time)
    flight.boot(cause)
    return flight, time


def refused(data):
    try:
        flight_reading.decode(data)
    except flight_log.BadFlightLog as bad:
        return str(bad)
    return None


def test_what_happened_is_there_after_the_reset():
    memory = Memory()
    flight, time = make(memory)
    flight.task("recorder")
    flight.heap(90_000)
    flight.heap(61_234)
    flight.heap(80_000)
    time.ms = 5000
    flight.stall(10)
    flight.stall(61)
    flight.stall(204)
    flight.overrun("mic", 3)
    flight.dropped("edges")
    flight.died("link", "OSError: no route")
    flight, _ = make(memory, "watchdog")
    got = flight_reading.decode(memory.data)
    assert got["boots"] == 2 and got["reset_cause"] == "watchdog"
    assert (got["heap_low_bytes"], got["heap_low_before_bytes"]) == (None, 61_234)
    assert (got["last_task"], got["last_task_before"]) == ("", "recorder")
    assert (got["stalls"], got["stall_max_ms"], got["overruns"], got["drops"]) == (2, 204, 3, 1)
    assert got["deaths"] == 1 and got["last_error"] == "link: OSError: no route"
    told = [(event["boot"], event["ms"], event["event"], event["text"]) for event in got["events"]]
    assert told == [
        (1, 0, "boot", "power on"),
        (1, 5000, "stall", "204 ms"),
        (1, 5000, "overrun", "mic"),
        (1, 5000, "drop", "edges"),
        (1, 5000, "died", "link"),
        (2, 0, "boot", "watchdog"),
    ]


def test_broken_memory_is_forgotten_and_every_flipped_byte_is_noticed():
    memory = Memory()
    make(memory)
    good = memory.data
    assert len(good) == 2048 and refused(good) is None
    for at in [0, 3, 4] + list(range(8, 2048, 7)):
        bad = bytearray(good)
        bad[at] ^= 0x10
        if at >= 8:
            assert "checksum" in refused(bad)
        else:
            assert refused(bad)
    assert "2048" in refused(good[:-1]) and refused(b"")
    flight, _ = make(Memory(bytes(2048)))
    assert flight.log.fresh and flight.log.get("boots") == 1


def sealed(at, content):
    """A log with `content` at that place under a right checksum."""
    log = flight_log.FlightLog()
    log.begin_boot("power on")
    data = log.sealed()
    data[at : at + len(content)] = content
    return bytes(flight_log.FlightLog.sealed(log))


def test_nonsense_under_a_right_checksum_is_forgotten_too():
    for at, content in ((240, b"\x38\x00"), (242, b"\xff\xff"), (112, b"\xff"), (64, b"\xed\xa0\x80"), (264, b"\xc3(")):
        memory = Memory()
        memory.data = sealed(at, content)
        assert refused(memory.data), at
        flight, _ = make(memory)
        assert flight_reading.decode(memory.data)["boots"] == 1, at
    assert not refused(sealed(112, b"a word"))


def test_the_oldest_events_go():
    memory = Memory()
    flight, time = make(memory)
    for number in range(100):
        time.ms = number
        flight.note("note %d" % number)
    flight.save()
    events = flight_reading.decode(memory.data)["events"]
    assert len(events) == 56
    assert events[0]["text"] == "note 44" and events[-1] == {
        "boot": 1,
        "ms": 99,
        "event": "note",
        "text": "note 99",
    }


def test_texts_are_cut_between_characters():
    memory = Memory()
    flight, _ = make(memory)
    flight.error("é" * 100)
    flight.task("ä" * 9)
    flight.save()
    got = flight_reading.decode(memory.data)
    assert got["last_error"] == "é" * 64 and got["last_task"] == "ä" * 8
    assert got["events"][-1]["text"] == "é" * 12
    flight.error("x" + "é" * 100)
    assert flight_reading.decode(memory.data)["last_error"] == "x" + "é" * 63


def test_writing_is_paced_but_what_precedes_a_reset_is_written_at_once():
    memory = Memory()
    flight, time = make(memory)
    assert memory.saves == 1
    flight.tick()
    assert memory.saves == 1
    flight.task("link")
    time.ms = SAVE_EVERY_MS - 1
    flight.tick()
    assert memory.saves == 1
    time.ms = SAVE_EVERY_MS
    flight.tick()
    flight.tick()
    assert memory.saves == 2 and flight_reading.decode(memory.data)["last_task"] == "link"
    flight.late("recorder")
    assert memory.saves == 3
    got = flight_reading.decode(memory.data)
    assert got["late_task"] == "recorder" and got["events"][-1]["event"] == "late"


def test_memory_that_cannot_be_written_stops_nothing():
    memory = Memory()
    flight, _ = make(memory)
    memory.broken = True
    flight.died("link", "x")
    assert flight.save_failures == 1 and flight.log.get("deaths") == 1


def test_the_companion_reads_one_moment_in_pieces():
    flight, _ = make()
    pieces, offset = b"", 0
    while offset < flight.size:
        piece = flight.read(offset, 160)
        pieces += piece
        offset += len(piece)
        flight.died("link", "while it is read")
    got = flight_reading.decode(pieces)
    assert got["deaths"] == 0 and json.loads(json.dumps(got)) == got
    assert flight.read(2048, 160) == b"" and flight.read(9999, 1) == b""
    assert flight_reading.decode(flight.read(0, 2048))["deaths"] > 0


def test_counters_stay_at_their_greatest():
    log = flight_log.FlightLog()
    log.put("drops", flight_log.UNKNOWN - 1)
    log.add("drops", 5)
    assert log.get("drops") == flight_log.UNKNOWN


def test_failed_boots_and_what_they_died_of_are_written_down_at_once():
    for count, cause, told in (
        (2, "OSError: no radio", "boot failed: OSError: no radio (2 in a row)"),
        (1, "", "boot failed: it ended without a word (1 in a row)"),
        (0, "ValueError: late", "started again: ValueError: late"),
    ):
        memory = Memory()
        flight, _ = make(memory, "soft reset")
        flight.failed_boot(count, cause)
        log = flight_reading.decode(memory.data)
        assert log["last_error"] == told
        assert log["events"][-1]["event"] == "error" and told.startswith(log["events"][-1]["text"])
