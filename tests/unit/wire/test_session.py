from lapel_wire.session import HANDSHAKE_BYTES, ClearSession

INFO = b"\x01\x00"


class Bytes:
    """Repeatable 'random' bytes."""

    def __init__(self, seed):
        self.at = seed

    def __call__(self, n):
        self.at += 1
        return bytes([(self.at * 7 + i) & 0xFF for i in range(n)])


def pair(info=INFO):
    host = ClearSession(True, INFO, Bytes(1))
    pin = ClearSession(False, info, Bytes(2))
    return host, pin


def opened():
    host, pin = pair()
    assert host.finish(pin.answer(host.start()))
    return host, pin


def sealed(session, body):
    buffer = bytearray(64)
    buffer[2 : 2 + len(body)] = body
    return bytes(buffer[: session.seal(buffer, len(body))])


def test_both_sides_understand_each_other():
    host, pin = opened()
    for body in (b"a", b"hello", b"x" * 50):
        assert bytes(pin.open(sealed(host, body))) == body
        assert bytes(host.open(sealed(pin, body))) == body
    assert pin.gaps == 0 and host.gaps == 0


def test_handshake_messages_have_their_length_and_are_checked():
    host, pin = pair()
    first = host.start()
    assert len(first) == HANDSHAKE_BYTES
    for wrong in (b"", first[:-1], first + b"x", b"x" * 48, first[:40] + b"y" * 8):
        assert pin.answer(wrong) is None
    assert not pin.established and pin.bad == 5
    assert not host.finish(b"x" * 48)
    assert not host.established


def test_another_info_is_another_prologue():
    host, pin = pair(info=b"\x02\x00")
    assert pin.answer(host.start()) is None


def test_nothing_is_opened_before_the_handshake():
    host, pin = pair()
    assert pin.open(b"\x00\x00abcd\x00\x00\x00\x00") is None
    assert pin.bad == 1


def test_a_replay_is_refused_and_changes_nothing():
    host, pin = opened()
    first, second, third = sealed(host, b"1"), sealed(host, b"2"), sealed(host, b"3")
    assert bytes(pin.open(first)) == b"1"
    assert pin.open(first) is None
    assert bytes(pin.open(third)) == b"3"
    assert pin.gaps == 1
    assert pin.open(second) is None
    assert pin.bad == 2


def test_own_words_do_not_come_back():
    host, _ = opened()
    assert host.open(sealed(host, b"echo")) is None


def test_words_of_another_session_are_refused():
    old_host, _ = opened()
    host = ClearSession(True, INFO, Bytes(5))
    pin = ClearSession(False, INFO, Bytes(9))
    assert host.finish(pin.answer(host.start()))
    assert pin.open(sealed(old_host, b"old")) is None


def test_every_flipped_bit_is_noticed():
    host, pin = opened()
    record = sealed(host, b"body")
    for i in range(len(record) * 8):
        bad = bytearray(record)
        bad[i // 8] ^= 1 << (i % 8)
        assert pin.open(bytes(bad)) is None
    assert bytes(pin.open(record)) == b"body"


def test_the_counter_goes_on_past_16_bits():
    host, pin = opened()
    for counter in range(0xFFFD, 0x10003):
        host._send_counter = counter
        if counter == 0xFFFD:
            pin._receive_counter = counter
        assert bytes(pin.open(sealed(host, b"n"))) == b"n"
    assert pin.gaps == 0
