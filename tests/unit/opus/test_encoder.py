import gc
import math
import random
import struct

from lapel_audio.opus.encoder import MOST_BYTES, TOC, Encoder

random.seed(5)

ONLY_MICROPYTHON = ("test_frames_allocate_nothing", "test_a_variable_rate_keeps_its_mean")


def packed(samples):
    return bytearray(struct.pack("<320h", *samples))


def noise(peak):
    return packed([random.randrange(-peak, peak + 1) for _ in range(320)])


def tone(hertz, peak, frame):
    return packed([round(peak * math.sin(2 * math.pi * hertz * (320 * frame + n) / 16000)) for n in range(320)])


def test_a_constant_rate_gives_packets_of_one_size():
    for kbps, size in ((16, 40), (24, 60), (48, 120)):
        encoder = Encoder(kbps, False)
        out = bytearray(MOST_BYTES)
        for pcm in (noise(8000), bytearray(640), tone(440, 32767, 1)):
            assert encoder.encode(pcm, out) == size and out[0] == TOC


def test_silence_is_three_bytes():
    encoder = Encoder(24)
    out = bytearray(MOST_BYTES)
    assert encoder.encode(bytearray(640), out) == 3 and out[0] == TOC
    assert encoder.encode(packed([1, -2] * 160), out) == 3
    assert encoder.encode(packed([0] * 310 + [900] * 10), out) > 3
    # what is left of the last frame is still to be heard
    assert encoder.encode(bytearray(640), out) > 3
    assert encoder.encode(bytearray(640), out) == 3


def test_a_rate_changes_at_any_packet():
    encoder = Encoder(16, False)
    out = bytearray(MOST_BYTES)
    for kbps, size in ((16, 40), (32, 80), (17, 42), (48, 120), (1, 20), (1000, 250)):
        encoder.set_rate(kbps)
        assert encoder.encode(noise(3000), out) == size


def test_a_reset_encoder_is_a_new_one():
    pcm = noise(9000)
    used = Encoder(32)
    out = bytearray(MOST_BYTES)
    for sound in (noise(30000), bytearray(640), noise(100)):
        used.encode(sound, out)
    used.reset()
    size = used.encode(pcm, out)
    new = Encoder(32)
    other = bytearray(MOST_BYTES)
    assert new.encode(pcm, other) == size and new.final_range == used.final_range
    assert out[:size] == other[:size]


def test_a_variable_rate_keeps_its_mean():
    encoder = Encoder(24)
    out = bytearray(MOST_BYTES)
    total = 0
    for frame in range(200):
        peak = 12000 if frame % 40 < 25 else 40
        size = encoder.encode(noise(peak), out)
        total += size
        assert total <= 60 * (frame + 1) and 20 <= size <= 120
    # what was saved in the weak ones is spent in the loud ones
    assert total > 50 * 200


def test_a_lower_rate_is_kept_at_once():
    encoder = Encoder(48)
    out = bytearray(MOST_BYTES)
    for _ in range(20):
        assert encoder.encode(bytearray(640), out) == 3
    encoder.set_rate(16)
    assert encoder.encode(noise(20000), out) <= 80


def test_frames_allocate_nothing():
    frames = [noise(20000), tone(300, 9000, 0), noise(30), bytearray(640), packed([0] * 200 + [30000] * 120)]
    out = bytearray(MOST_BYTES)
    for variable in (True, False):
        encoder = Encoder(24, variable)
        for pcm in frames:
            encoder.encode(pcm, out)
        gc.collect()
        before = gc.mem_alloc()
        for pcm in frames:
            encoder.encode(pcm, out)
        encoder.set_rate(16)
        encoder.encode(frames[0], out)
        assert gc.mem_alloc() == before
