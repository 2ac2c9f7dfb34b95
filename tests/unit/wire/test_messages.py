import binascii
import struct

from lapel_wire import messages, schema

HELLO = {
    "v": 1,
    "ep": "0123456789abcdef",
    "nh": 7,
    "ce": None,
    "ch": 0,
    "t": 1790000000000,
    "tz": -90,
    "set": 0,
}
SAMPLES = {
    "u32": 4294967295,
    "u53": (1 << 53) - 1,
    "s16": -32768,
    "bool": True,
    "seqs": [1, 2, 4294967295],
    "settings": {"quiet_from": 1320, "preroll": False, "name": "pin", "off": None, "tz": -60},
    "text": 'Heard: "note"\n\\ caf\u00e9 \u732b',
    "word": "d17",
    "notice": "held",
    "blob": "00ff",
}


def sample(kind):
    kind = kind.rstrip("?")
    if kind[:3] == "hex":
        return "0f" * (int(kind[3:]) // 2)
    return SAMPLES[kind]


def refused(message):
    try:
        messages.decode(message)
    except messages.BadMessage as e:
        return str(e)
    return None


def framed(kind, text):
    return struct.pack("<BHI", kind, len(text), binascii.crc32(text) & 0xFFFFFFFF) + text


def fields_of(row):
    return [(row[at], row[at + 1]) for at in range(1, len(row), 2)]


def test_every_message_comes_back_as_it_was():
    for kind, row in messages.TABLE.items():
        body = {name: sample(field) for name, field in fields_of(row)}
        got_kind, got = messages.decode(messages.encode(kind, body))
        assert got_kind == kind and got == body
        for name, field in fields_of(row):
            if field[-1] == "?":
                body[name] = None
        assert messages.decode(messages.encode(kind, body))[1] == body


def test_every_field_is_checked():
    wrong = {"u32": -1, "u53": 1 << 53, "s16": 40000, "bool": 1, "seqs": [1, None]}
    wrong.update({"text": "x" * 241, "notice": "gossip"})
    for kind, row in messages.TABLE.items():
        for name, field in fields_of(row):
            body = {n: sample(f) for n, f in fields_of(row)}
            body[name] = wrong.get(field.rstrip("?"), 1.5)
            try:
                messages.encode(kind, body)
                raise RuntimeError("taken: %s %s" % (row[0], name))
            except messages.BadMessage as e:
                assert name in str(e)


def test_every_truncation_and_every_flipped_bit_is_refused():
    message = messages.encode(messages.HELLO_HOST, HELLO)
    for n in range(len(message)):
        assert refused(message[:n])
    for i in range(8, len(message) * 8):
        bad = bytearray(message)
        bad[i // 8] ^= 1 << (i % 8)
        assert refused(bytes(bad))


def test_malformed_bodies_with_a_right_checksum_are_refused():
    good = messages.encode(messages.ACK, {"n": 1, "off": 2})
    assert good[messages.CONTROL_HEADER_BYTES :] == b'{"n":1,"off":2}'
    for text in (
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"n":1}',
        b'{"n":1,"off":2',
        b'{"n":1,"off":2}}',
        b'{"n":1,"off":2} ',
        b'{"n":1,,"off":2}',
        b'{"n": 1,"off":2}',
        b'{"off":2,"n":1}',
        b'{"n":1,"n":1,"off":2}',
        b'{"n":1,"off":2,"x":3}',
        b'{"n":true,"off":2}',
        b'{"n":1.0,"off":2}',
        b'{"n":1e0,"off":2}',
        b'{"n":01,"off":2}',
        b'{"n":NaN,"off":2}',
        b'{"n":-1,"off":2}',
        b'{"n":4294967296,"off":2}',
        b'{"n":"1","off":2}',
        b'{"n":[[[[[[[[[[[1]]]]]]]]]]],"off":2}',
        b"[" * 400,
        b"\xff\xfe",
        b'{"n":1,"off":\xff}',
    ):
        assert refused(framed(messages.ACK, text)), text


def test_text_that_is_not_utf8_is_refused():
    # MicroPython's own decoder takes all of these: overlong, surrogate, above U+10FFFF.
    for wrong in (b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xff"):
        assert refused(framed(messages.ACCEPTED, b'{"n":1,"d":"' + wrong + b'"}')), wrong
        assert refused(framed(messages.SETTINGS, b'{"id":1,"v":{"' + wrong + b'":1}}')), wrong
    for right in ("\u00e9", "\u732b", "\U0001f600", "\ud7ff", "\ue000", "\U0010ffff"):
        assert not refused(framed(messages.ACCEPTED, b'{"n":1,"d":"' + right.encode() + b'"}')), right


def test_unknown_types_and_empty_audio_are_refused():
    assert refused(b"")
    assert "unknown" in refused(framed(0x7F, b"{}"))
    assert refused(b"\x01\x00\x00\x00\x00\x00")


def test_audio_header():
    buffer = bytearray(9)
    messages.put_audio_header(buffer, 0x12345, 0xABCDEF)
    buffer[6:] = b"xyz"
    kind, (low, offset, data) = messages.decode(buffer)
    assert (kind, low, offset, bytes(data)) == (messages.AUDIO, 0x2345, 0xABCDEF, b"xyz")


def test_the_longest_notice_fits():
    body = {"ep": "0" * 16, "s": schema.U32, "k": "question"}
    body.update({"d": "d4294967295", "j": "d4294967295.99", "x": ""})
    body["x"] = "\u732b" * 80
    assert messages.decode(messages.encode(messages.NOTICE, body))[1] == body
