import random

from lapel_wire.packets import RECORD_MAX_BYTES, Cutter, Joiner


def packets_of(cutter, record):
    cutter.load(record, len(record))
    out = []
    while cutter.busy:
        out.append(bytes(cutter.packet()))
        cutter.advance()
    return out


def some_record(rng, n):
    return bytes([rng.getrandbits(8) for _ in range(n)])


def test_records_survive_every_mtu():
    rng = random
    rng.seed(1)
    for mtu in (23, 24, 50, 100, 185, 247, 512, 517):
        cutter, joiner = Cutter(mtu), Joiner()
        for n in (1, 2, 18, 19, 20, 243, 244, RECORD_MAX_BYTES):
            record = some_record(rng, n)
            got = None
            for packet in packets_of(cutter, record):
                assert len(packet) <= mtu - 3
                assert got is None
                got = joiner.feed(packet)
            assert got is not None and bytes(got) == record
        assert joiner.lost_packets == 0 and joiner.broken_records == 0


def test_a_packet_is_shown_until_it_was_taken():
    cutter = Cutter(23)
    cutter.load(b"x" * 30, 30)
    first = bytes(cutter.packet())
    assert bytes(cutter.packet()) == first
    cutter.advance()
    assert bytes(cutter.packet()) != first


def test_a_lost_packet_costs_its_record_and_not_the_framing():
    random.seed(2)
    for _ in range(300):
        cutter, joiner = Cutter(23), Joiner()
        records = [some_record(random, 1 + random.getrandbits(6)) for _ in range(12)]
        whole = []
        got = []
        for record in records:
            packets = packets_of(cutter, record)
            lost = random.getrandbits(2) == 0
            gone = random.getrandbits(8) % len(packets) if lost else -1
            if not lost:
                whole.append(record)
            for i, packet in enumerate(packets):
                if i != gone:
                    joined = joiner.feed(packet)
                    if joined is not None:
                        got.append(bytes(joined))
        assert got == whole


def test_an_endless_record_is_dropped_and_counted():
    joiner = Joiner()
    assert joiner.feed(bytes([0x80]) + b"x" * 200) is None
    for number in (1, 2, 3):
        assert joiner.feed(bytes([number]) + b"x" * 200) is None
    assert joiner.broken_records == 1
    assert bytes(joiner.feed(bytes([0xC4]) + b"ok")) == b"ok"


def test_an_empty_packet_is_refused():
    joiner = Joiner()
    assert joiner.feed(b"") is None
    assert joiner.feed(b"\xc0") is None
