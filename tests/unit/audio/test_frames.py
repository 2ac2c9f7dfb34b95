import random

from lapel_audio.frames import Frames, packets

CLIP = b"\x03\xb8\x01\x02\x01\xb8\x02\xb8\x09"


def test_whole_packets_of_a_clip():
    assert packets(CLIP, 9) == [b"\xb8\x01\x02", b"\xb8", b"\xb8\x09"]
    assert packets(CLIP, 2) == [b"\xb8\x01\x02", b"\xb8"]
    assert packets(b"", 9) == []
    assert packets(memoryview(CLIP), 9) == packets(CLIP, 9)


def test_cut_anywhere():
    wanted = [0] * 4 + [1] * 2 + [2] * 3 + [3]
    for end in range(len(CLIP) + 1):
        assert len(packets(CLIP[:end], 9)) == wanted[end], end
        counted = Frames()
        counted.take(CLIP[:end])
        assert counted.whole == wanted[end], end


def test_it_ends_before_what_is_no_length():
    assert packets(CLIP + b"\x00" + CLIP, 99) == packets(CLIP, 9)
    assert packets(CLIP + b"\xff" + bytes(300), 99) == packets(CLIP, 9)
    assert packets(b"\xfa" + bytes(250), 9) == [bytes(250)]


def test_pieces_of_any_size_count_the_same():
    random.seed(8)
    for _ in range(40):
        sizes = [random.randrange(1, 251) for _ in range(30)]
        clip = b"".join(bytes([size]) + bytes(size) for size in sizes)
        clip = clip[: random.randrange(len(clip) + 1)]
        counted, at = Frames(), 0
        while at < len(clip):
            step = random.randrange(1, 700)
            counted.take(memoryview(clip)[at : at + step])
            at += step
        assert counted.whole == len(packets(clip, 99))
