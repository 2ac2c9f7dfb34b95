"""Which encoder the recorder has, and why."""

from lapel.services import codec
from lapel.services.codec import Codec
from lapel_wire.flight_log import EVENT_TEXT_BYTES

MUCH = codec.PSRAM_BYTES


class Adpcm:
    codec = "ima-adpcm"


class Opus:
    codec = "opus"

    def __init__(self, clock=None, frame_us=0):
        self.rate = None
        self.frames = 0
        self.clock = clock
        self.frame_us = frame_us

    def set_rate(self, kbps):
        self.rate = kbps

    def encode(self, pcm, samples, out, mask):
        assert len(pcm) == 640 and samples == 320 and len(out) == mask + 1
        self.frames += 1
        self.clock[0] += self.frame_us


class Recorder:
    def __init__(self):
        self.encoder = Adpcm()


class Bench:
    def __init__(self, free=codec.ROOM_BYTES, heap=MUCH, frame_us=4000, fails=None):
        self.clock = [0]
        self.recorder = Recorder()
        self.told, self.notes, self.errors, self.made = [], [], [], []
        self.note, self.error = self.notes.append, self.errors.append

        self.free, self.tries = free, 0

        def make():
            self.tries += 1
            if fails:
                raise fails
            self.made.append(Opus(self.clock, frame_us))
            return self.made[-1]

        self.codec = Codec(
            self.recorder, heap, lambda: self.free, self.tell, self, make, lambda: self.clock[0]
        )

    def tell(self, event, **fields):
        self.told.append((event, fields["codec"]))

    def settled(self, wanted, *rest):
        self.codec.want(wanted)
        self.codec.settle(*rest)
        return self.recorder.encoder.codec


def test_auto_takes_what_fits_twice():
    bench = Bench(frame_us=10_000)
    assert bench.settled("auto") == "opus"
    assert bench.codec.why == "" and bench.notes == [] and bench.told == [("codec", "opus")]
    bench = Bench(frame_us=10_001)
    assert bench.settled("auto") == "ima-adpcm"
    assert bench.notes == ["no Opus: frame 10001 us"] == [bench.codec.why] and not bench.errors
    assert len(bench.codec.why) <= EVENT_TEXT_BYTES


def test_auto_without_psram_loads_nothing():
    bench = Bench(heap=MUCH - 1, fails=AssertionError())
    assert bench.settled("auto") == "ima-adpcm"
    assert bench.notes == ["no Opus: no PSRAM"] and not bench.errors


def test_said_by_hand_it_needs_room_and_no_more():
    bench = Bench(heap=252_000, frame_us=15_000)
    assert bench.settled("opus") == "opus" and bench.made[0].frames == 0
    bench = Bench(free=codec.ROOM_BYTES - 1)
    assert bench.settled("opus") == "ima-adpcm" and bench.errors == ["no Opus: 109 kB free"]


def test_what_cannot_be_loaded_is_told_once():
    for error in (ImportError("no module"), MemoryError("no room"), SyntaxError("viper"), OSError(5)):
        bench = Bench(fails=error)
        for _ in range(3):
            assert bench.settled("opus") == "ima-adpcm"
        assert len(bench.errors) == 1 and len(bench.told) == 1
        # nor is it tried again in this boot: what was loaded of it is there still
        tries = bench.tries
        assert bench.settled("adpcm") == bench.settled("auto") == "ima-adpcm" and bench.tries == tries == 1
        assert "no Opus" in bench.codec.why


def test_it_changes_with_the_setting_and_only_then():
    bench = Bench()
    assert bench.settled("opus") == "opus"
    assert bench.settled("opus") == "opus" and len(bench.made) == 1
    assert bench.settled("adpcm") == "ima-adpcm"
    assert bench.settled("auto") == "opus" and len(bench.made) == 1
    # nor is its room asked for again, which it has
    bench.free = 0
    assert bench.settled("adpcm") == "ima-adpcm" and bench.settled("opus") == "opus"


def test_the_newest_word_on_it_is_the_right_one():
    bench = Bench(frame_us=12_000)
    assert bench.settled("auto") == "ima-adpcm" and bench.settled("opus") == "opus"
    assert bench.notes == ["no Opus: frame 12000 us", "codec opus"]
    assert bench.settled("auto") == "ima-adpcm" and bench.settled("adpcm") == "ima-adpcm"
    assert bench.notes[2:] == ["no Opus: frame 12000 us", "codec ima-adpcm"]
    assert max(len(note) for note in bench.notes) <= EVENT_TEXT_BYTES
    assert bench.made[0].frames == 5


def test_the_rate_follows_link_and_battery():
    bench = Bench()
    bench.settled("opus", 0, None)
    encoder = bench.made[0]
    assert encoder.rate == 24
    for interval_ms, percent, kbps in ((30, 90, 32), (100, 90, 16), (30, 10, 16)):
        bench.codec.settle(interval_ms, percent)
        assert encoder.rate == kbps


def test_a_real_one_comes_and_goes():
    recorder = Recorder()
    one = Codec(recorder, MUCH, lambda: MUCH, lambda *_, **__: None, None)
    one.want("opus")
    one.settle()
    assert recorder.encoder.codec == "opus"
    one.want("adpcm")
    one.settle()
    assert recorder.encoder.codec == "ima-adpcm"
