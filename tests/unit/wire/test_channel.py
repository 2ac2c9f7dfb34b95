import random

from light import sessions

from lapel_wire import messages
from lapel_wire.channel import CONTROL_QUEUE_MAX, SMALL_AUDIO_BODY_BYTES, Channel
from lapel_wire.packets import RECORD_MAX_BYTES, payload_bytes


def channels(mtu=247):
    host, pin = sessions()
    return Channel(host, mtu), Channel(pin, mtu)


class Audio:
    """A clip handed out in audio messages."""

    def __init__(self, data, number=3):
        self.data = data
        self.number = number
        self.at = 0

    def __call__(self, view):
        n = min(len(view) - 6, len(self.data) - self.at)
        if n <= 0:
            return 0
        messages.put_audio_header(view, self.number, self.at)
        view[6 : 6 + n] = self.data[self.at : self.at + n]
        self.at += n
        return 6 + n


def pump(sender, receiver, audio=None):
    got = []
    while True:
        packet = sender.next_packet(audio)
        if packet is None:
            return got
        message = receiver.feed(bytes(packet))
        sender.sent()
        if message is not None:
            kind, body = message
            got.append((kind, (body[0], body[1], bytes(body[2])) if kind == messages.AUDIO else body))


def test_control_goes_before_audio():
    for mtu in (23, 100, 247, 517):
        host, pin = channels(mtu)
        audio = Audio(bytes(range(256)) * 8)
        first = pin.next_packet(audio)
        assert first is not None
        pin.post(messages.STORED, {"ep": "0" * 16, "s": 1})
        got = pump(pin, host, audio)
        assert [k for k, _ in got[:3]] == [messages.AUDIO, messages.STORED, messages.AUDIO]
        data = b"".join([body[2] for k, body in got if k == messages.AUDIO])
        assert data == audio.data
        assert host.refused == 0


def test_an_audio_message_is_one_packet_from_mtu_100():
    for mtu in (100, 185, 247):
        host, pin = channels(mtu)
        audio = Audio(b"z" * 1000)
        while True:
            packet = pin.next_packet(audio)
            if packet is None:
                break
            assert packet[0] & 0xC0 == 0xC0
            pin.sent()


def test_audio_fills_its_packet_from_mtu_100_and_eight_of_the_smallest():
    for mtu in (100, 185, 247, 517):
        _, pin = channels(mtu)
        assert pin.audio_room == min(payload_bytes(mtu), RECORD_MAX_BYTES) - 18
    for mtu in (23, 99):
        assert channels(mtu)[1].audio_room == SMALL_AUDIO_BODY_BYTES
    assert 8 * payload_bytes(23) == SMALL_AUDIO_BODY_BYTES + 18


def test_the_longest_control_message_is_one_record():
    host, pin = channels(23)
    body = {"ep": "0" * 16, "s": 1, "k": "done", "d": "d" * 40, "j": "j" * 40, "x": "x" * 240}
    # Each quote is written as two characters.
    quotes = messages.CONTROL_BODY_MAX_BYTES + 7 - len(messages.encode(messages.NOTICE, body))
    body["x"] = '"' * quotes + "x" * (240 - quotes)
    assert len(messages.encode(messages.NOTICE, body)) == messages.CONTROL_BODY_MAX_BYTES + 7
    assert messages.CONTROL_BODY_MAX_BYTES + 7 + 18 <= RECORD_MAX_BYTES
    assert pin.post(messages.NOTICE, body)
    assert pump(pin, host) == [(messages.NOTICE, body)]


def test_refusals_in_a_row_are_counted_until_something_good_comes():
    host, pin = channels()
    for count in range(1, 4):
        assert host.feed(b"\xc0" + b"x" * 30) is None
        assert host.refused_in_a_row == host.refused == count
    pin.post(messages.ACK, {"n": 1, "off": 0})
    assert host.feed(bytes(pin.next_packet())) is not None
    assert (host.refused_in_a_row, host.refused) == (0, 3)


def test_the_control_queue_is_bounded_and_counts():
    host, pin = channels()
    for i in range(CONTROL_QUEUE_MAX):
        assert pin.post(messages.ACK, {"n": i, "off": 0})
    assert not pin.post(messages.ACK, {"n": 99, "off": 0})
    assert pin.dropped == 1
    assert [b["n"] for _, b in pump(pin, host)] == list(range(CONTROL_QUEUE_MAX))
    assert pin.idle


def test_what_is_lost_or_flipped_is_counted_and_the_rest_arrives():
    random.seed(4)
    host, pin = channels(23)
    got = 0
    for i in range(400):
        assert pin.post(messages.ACK, {"n": i, "off": 5})
        spoilt = False
        while True:
            packet = pin.next_packet()
            if packet is None:
                break
            packet = bytearray(packet)
            fate = random.getrandbits(5)
            pin.sent()
            if fate == 0:
                spoilt = True
                continue
            if fate == 1:
                spoilt = True
                packet[1 + random.getrandbits(8) % (len(packet) - 1)] ^= 4
            message = host.feed(packet)
            if message is not None:
                assert message == (messages.ACK, {"n": i, "off": 5})
                assert not spoilt
                got += 1
    assert 100 < got < 400
    assert host.session.gaps + host.refused > 0
