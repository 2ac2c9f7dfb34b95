"""Records of a session: what is taken, what is refused, and what is counted."""

from light import Cipher, sessions

from lapel_wire import gatt
from lapel_wire.session import Session, Spent, prologue
from noise import plain

TAIL = Session.tail_bytes


def sealed(session, body):
    buffer = bytearray(2 + len(body) + TAIL)
    buffer[2 : 2 + len(body)] = body
    assert session.seal(buffer, len(body)) == len(buffer)
    return bytes(buffer)


def opened(session, record):
    body = session.open(bytearray(record))
    return None if body is None else bytes(body)


def at(session, number):
    """As if so many records had gone both ways."""
    session._next = session._lowest = number


def counts(session):
    return session.bad, session.replayed, session.gaps


def test_both_sides_understand_each_other():
    for cipher in (plain.Cipher, Cipher):
        host, pin = sessions(cipher)
        for body in (b"a", b"hello", b"x" * 50):
            record = sealed(host, body)
            assert len(record) == 2 + len(body) + 16 and body not in record
            assert opened(pin, record) == body
            assert opened(host, sealed(pin, body)) == body
        assert counts(pin) == counts(host) == (0, 0, 0)


def test_the_layout_is_that_of_the_page():
    host, _ = sessions(plain.Cipher)
    at(host, 0x12345)
    record = sealed(host, b"body")
    assert record[:2] == b"\x45\x23"
    wanted = bytearray(b"body" + bytes(16))
    plain.Cipher(b"dn" * 16).seal(0x12345, b"", wanted, 0, 4)
    assert record[2:] == bytes(wanted)


def test_the_body_stands_in_the_buffer_of_the_record():
    host, pin = sessions()
    record = bytearray(sealed(host, b"body"))
    body = pin.open(memoryview(record))
    body[0] = ord("B")
    assert record[2:6] == b"Body"


def test_a_replay_is_refused_and_changes_nothing():
    host, pin = sessions()
    first, second, third = sealed(host, b"1"), sealed(host, b"2"), sealed(host, b"3")
    assert opened(pin, first) == b"1"
    assert opened(pin, first) is None
    assert counts(pin) == (1, 1, 0)
    assert opened(pin, second) == b"2"
    assert opened(pin, third) == b"3"
    assert counts(pin) == (1, 1, 0)


def test_what_comes_late_is_refused_and_the_gap_it_left_is_counted():
    host, pin = sessions()
    first, second, third = sealed(host, b"1"), sealed(host, b"2"), sealed(host, b"3")
    assert opened(pin, first) == b"1"
    assert opened(pin, third) == b"3"
    assert counts(pin) == (0, 0, 1)
    assert opened(pin, second) is None
    assert counts(pin) == (1, 1, 1)


def test_own_words_do_not_come_back():
    host, _ = sessions()
    assert opened(host, sealed(host, b"echo")) is None


def test_words_of_another_session_are_refused():
    host, _ = sessions()
    stranger = Session(Cipher(b"x" * 32), Cipher(b"y" * 32))
    assert opened(stranger, sealed(host, b"other")) is None
    assert counts(stranger) == (1, 0, 0)


def test_every_flipped_bit_is_noticed_and_changes_nothing():
    host, pin = sessions(plain.Cipher)
    record = sealed(host, b"body")
    for i in range(len(record) * 8):
        bad = bytearray(record)
        bad[i // 8] ^= 1 << (i % 8)
        kept = bytes(bad)
        assert pin.open(bad) is None
        assert bytes(bad) == kept
    assert pin.bad == len(record) * 8 and pin.gaps == 0
    assert opened(pin, record) == b"body"


def test_every_truncation_and_extension_is_noticed():
    host, pin = sessions()
    record = sealed(host, b"some body")
    for n in range(len(record)):
        assert opened(pin, record[:n]) is None
        assert opened(pin, record + record[: n + 1]) is None
    assert opened(pin, record) == b"some body"


def test_a_body_is_never_empty():
    host, pin = sessions()
    assert opened(pin, sealed(host, b"")) is None
    assert pin.bad == 1


def test_the_counter_goes_on_past_16_bits():
    host, pin = sessions()
    for session in (host, pin):
        at(session, 0xFFFD)
    for _ in range(6):
        assert opened(pin, sealed(host, b"n")) == b"n"
    assert counts(pin) == (0, 0, 0)
    # A whole round later the same low bits are another record.
    old = sealed(host, b"n")
    assert opened(pin, old) == b"n"
    at(host, host._next - 1 + 0x10000)
    assert sealed(host, b"n") != old


def test_gaps_reach_over_the_wrap():
    host, pin = sessions()
    for session in (host, pin):
        at(session, 0x1FFF0)
    at(host, 0x20010)
    assert opened(pin, sealed(host, b"far")) == b"far"
    assert counts(pin) == (0, 0, 0x20)


def test_a_jump_of_nearly_a_round_is_taken_and_a_longer_one_is_not():
    for jump, taken in ((0x7FFF, True), (0xFFFF, True), (0x10000, False), (0x12345, False)):
        host, pin = sessions()
        at(host, jump)
        assert (opened(pin, sealed(host, b"far")) == b"far") == taken
        assert pin.gaps == (jump if taken else 0)


def test_a_record_from_a_round_ago_is_refused():
    host, pin = sessions()
    old = sealed(host, b"old")
    for session in (host, pin):
        at(session, 0x10000)
    assert opened(pin, old) is None
    assert opened(pin, sealed(host, b"new")) == b"new"


def test_a_session_sends_and_takes_no_more_than_its_share():
    host, pin = sessions(records_max=3)
    for body in (b"1", b"2", b"3"):
        assert opened(pin, sealed(host, body)) == body
    try:
        sealed(host, b"4")
    except Spent:
        pass
    else:
        raise AssertionError("a fourth record was sealed")
    longer, _ = sessions()
    at(longer, 3)
    assert opened(pin, sealed(longer, b"4")) is None


def test_nothing_is_opened_once_it_was_wiped():
    host, pin = sessions()
    record = sealed(host, b"late")
    pin.wipe()
    assert opened(pin, record) is None


def test_the_prologue_tells_version_and_info():
    assert prologue(b"\x07\x00") == b"lapel" + bytes((gatt.PROTOCOL_VERSION,)) + b"\x07\x00"
    assert prologue(memoryview(gatt.INFO)) != prologue(b"\x07\x00")
