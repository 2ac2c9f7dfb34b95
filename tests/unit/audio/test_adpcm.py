import random
import struct

from lapel_audio import adpcm

ONLY_CPYTHON = ("test_a_minute_is_decoded_in_time",)

# Checked against an independent implementation of the same recommendation.
SAMPLES = (0, 100, -100, 3000, -32768, 32767, 32767, -5, 7, 1, 0, 0, 0, 20000, -20000, 12)
STREAM = b"p\x7f\x7f\xc7\x08\x08p\x1f"
DECODED = (0, 11, -19, 44, -92, 201, 832, 18, -91, 8, -82, 0, 74, 1094, -1091, -155)
WIDE = (1 << 20) - 1


def encode(samples, splits=()):
    encoder = adpcm.Encoder()
    out = bytearray(len(samples) // 2 + 1)
    start = 0
    for end in list(splits) + [len(samples)]:
        piece = samples[start:end]
        start = end
        count = encoder.encode(bytearray(struct.pack("<%dh" % len(piece), *piece)), len(piece), out, WIDE)
    return bytes(out[:count]), list(encoder.state)


def speech(length):
    level, samples = 0, []
    for _ in range(length):
        level += random.randrange(-1800, 1801) - level // 12
        samples.append(max(-32768, min(32767, level)))
    return samples


def test_known_stream():
    assert encode(SAMPLES)[0] == STREAM
    assert tuple(adpcm.decode(STREAM)) == DECODED


def test_the_first_sample_is_the_low_nibble():
    assert encode((0, 4000))[0] == b"\x70"
    assert encode((4000, 0))[0][0] & 15 == 7


def test_tables_are_those_of_the_recommendation():
    assert len(adpcm.STEPS) == 89 and adpcm.STEPS[0] == 7 and adpcm.STEPS[-1] == 32767
    # Each step is about a tenth more than the one before; a wrong digit breaks that.
    for index in range(24, 88):
        assert 109 <= adpcm.STEPS[index + 1] * 100 // adpcm.STEPS[index] <= 110
    assert sum(adpcm.STEPS) == 360_393


def test_any_split_gives_the_same_stream():
    samples = speech(201)
    whole = encode(samples)
    for border in range(len(samples) + 1):
        assert encode(samples, (border,)) == whole
    assert encode(samples, (1, 2, 3, 7, 7, 50, 199)) == whole


def test_an_odd_count_waits_for_its_pair():
    samples = speech(11)
    stream, state = encode(samples)
    assert len(stream) == 5 and state[2] >= adpcm.PENDING
    assert encode(samples[:10])[0] == stream


def test_a_ring_takes_the_stream_at_its_place():
    samples = speech(600)
    stream, _ = encode(samples)
    encoder = adpcm.Encoder()
    ring = bytearray(64)
    packed = bytearray(struct.pack("<600h", *samples))
    assert encoder.encode(packed, 600, ring, 63) == 300
    assert bytes(ring[k & 63] for k in range(300 - 64, 300)) == stream[300 - 64 :]


def test_in_place():
    samples = speech(256)
    block = bytearray(struct.pack("<256h", *samples))
    assert adpcm.Encoder().encode(block, 256, block, WIDE) == 128
    assert bytes(block[:128]) == encode(samples)[0]


def test_decoding_in_pieces():
    stream = encode(speech(500))[0]
    decoder = adpcm.Decoder()
    pieces = []
    for start, end in ((0, 1), (1, 1), (1, 100), (100, 250)):
        pieces += list(decoder.decode(stream[start:end]))
    assert pieces == list(adpcm.decode(stream))


def test_quality_of_a_round_trip():
    samples = speech(4000)
    decoded = adpcm.decode(encode(samples)[0])
    signal = sum(s * s for s in samples)
    noise = sum((s - d) ** 2 for s, d in zip(samples, decoded))
    assert noise * 100 < signal


def test_extremes_stay_in_range():
    rails = [random.choice((-32768, 32767)) for _ in range(600)]
    stream, state = encode(rails)
    assert 0 <= state[0] <= 65535 and 0 <= state[1] <= 88
    decoded = adpcm.decode(stream)
    assert min(decoded) >= -32768 and max(decoded) <= 32767
    # The encoder's predictor is what a decoder has: they never drift apart.
    assert decoded[-1] == state[0] - 32768


def test_reset_starts_a_new_clip():
    encoder = adpcm.Encoder()
    out = bytearray(64)
    encoder.encode(bytearray(range(61)), 30, out, 63)
    encoder.reset()
    packed = bytearray(struct.pack("<16h", *SAMPLES))
    assert encoder.encode(packed, 16, out, 63) == 8 and bytes(out[:8]) == STREAM
