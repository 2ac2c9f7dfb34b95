"""Records and packets of an open session, from strangers and from a companion that knows the key."""

from draw import Draw
from handshake_targets import KEY, suite
from verdicts import crc, shown
from wire_targets import MTUS, cut, framed

from lapel_wire import messages
from lapel_wire.channel import Channel
from lapel_wire.session import Session

STEPS_MAX = 40
RECORD_MAX = 400


def sessions():
    """The two ends of an open session."""
    there, back = KEY, bytes(reversed(KEY))
    near = Session(suite.Cipher(there), suite.Cipher(back))
    return near, Session(suite.Cipher(back), suite.Cipher(there))


def sealed(session, body):
    """The record of a body."""
    buffer = bytearray(session.head_bytes + len(body) + session.tail_bytes)
    buffer[session.head_bytes : session.head_bytes + len(body)] = body
    return bytes(buffer[: session.seal(buffer, len(body))])


def records(data):
    """Records lost, changed, repeated, late or made up: what is taken was said, in order, and once."""
    draw, said = Draw(data), []
    near, far = sessions()
    made, highest, steps = [], -1, 0
    while draw.left and steps < STEPS_MAX:
        steps += 1
        if not made or draw.byte() & 1:
            made.append((sealed(near, draw.piece(draw.byte() % 60 + 1) or b"x"), len(made)))
        record, number = draw.pick(made)
        what = draw.byte() % 4
        record = bytearray(record)
        if what == 0:
            record[draw.byte() % len(record)] ^= 1 << draw.byte() % 8
        elif what == 1:
            record = record[: draw.byte()]
        elif what == 2:
            record = bytearray(draw.block()[:RECORD_MAX])
        genuine = bytes(record) == made[number][0]
        body = far.open(record)
        assert (body is not None) == (genuine and number > highest)
        if body is not None:
            highest = number
            said.append(crc(body))
    # Every record before the highest came or is missed.
    assert far.gaps == highest + 1 - len(said) and far.replayed <= far.bad <= steps
    return "%s bad %d replayed %d gaps %d" % (shown(said), far.bad, far.replayed, far.gaps)


def channel(data):
    """A companion that knows the key and says anything, over a radio that loses, doubles and changes packets."""
    draw, said = Draw(data), []
    mtu = draw.pick(MTUS)
    near, far = sessions()
    pin, steps = Channel(far, mtu), 0
    while draw.left and steps < STEPS_MAX:
        steps += 1
        what = draw.byte() % 8
        if what == 7:
            packets = [draw.block()]
        else:
            text = draw.block()[: messages.CONTROL_BODY_MAX_BYTES]
            body = framed(draw.byte(), text) if what & 1 else text or b"x"
            packets = cut(sealed(near, body), mtu)
        if what == 4:
            packets = packets[1:]
        elif what == 5:
            packets = packets + packets
        elif what == 6:
            packets[0] = packets[0][:1] + bytes([packets[0][1] ^ 1]) + packets[0][2:]
        for packet in packets:
            got = pin.feed(packet)
            if got is not None:
                said.append("audio" if got[0] == messages.AUDIO else messages.TABLE[got[0]][0])
                answer(pin)
    return "%s refused %d dropped %d" % (shown(said), pin.refused, pin.dropped)


def answer(pin):
    """The pin says something too, and its radio takes half of it."""
    pin.post(messages.STORED, {"ep": "0" * 16, "s": 1})
    if pin.next_packet() is not None:
        pin.sent()
    assert len(pin._control) <= 16
