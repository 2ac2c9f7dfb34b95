"""`lapel codec`: any WAV in, what a player plays out, and a sentence for whatever does not work."""

from __future__ import annotations

import struct
import wave
from array import array
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codec_bench import libopus
from lapel_audio import adpcm
from lapel_codec import ogg, pin_encoder
from lapel_codec.recordings import RATE_HZ, Recording
from lapel_companion import cli
from tests.host.codec.sounds import unlike, voice_like, wav

SOUND = voice_like(0.61)
SAMPLES = array("h", SOUND)


def lapel_codec(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.lapel, ["codec", *map(str, words)])


def played(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        return file.readframes(file.getnframes())


def through_adpcm(pcm: bytes) -> bytes:
    padded = bytearray(pcm.ljust(-(-len(pcm) // 640) * 640, b"\0"))
    out = bytearray(len(padded))
    size = adpcm.Encoder().encode(padded, len(padded) // 2, out, 2**30 - 1)
    return adpcm.decode(bytes(out[:size])).tobytes()[: len(pcm)]


@pytest.mark.parametrize("runtime", pin_encoder.RUNTIMES)
def test_adpcm_is_the_pins_own_on_both_pythons(tmp_path: Path, runtime: str) -> None:
    source, target = wav(tmp_path / "in.wav", SOUND), tmp_path / "out.wav"
    done = lapel_codec(source, target, "--codec", "adpcm", "--runtime", runtime)
    assert done.exit_code == 0 and "0.61 s in 4960 coded bytes" in done.output and f"by {runtime} in" in done.output
    assert played(target) == through_adpcm(SOUND)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.wav"]


FORMS = {
    "8 bits": (bytes((x >> 8) + 128 for x in SAMPLES), {"bits": 8}, 0.06),
    "24 bits": (b"".join(struct.pack("<i", x << 8)[:3] for x in SAMPLES), {"bits": 24}, 0.001),
    "32 bits": (b"".join(struct.pack("<i", x << 16) for x in SAMPLES), {"bits": 32}, 0.001),
    "float": (array("f", [x / 32768 for x in SAMPLES]).tobytes(), {"bits": 32, "kind": 3}, 0.001),
    "double": (array("d", [x / 32768 for x in SAMPLES]).tobytes(), {"bits": 64, "kind": 3}, 0.001),
    "stereo": (array("h", [x for one in SAMPLES for x in (one, one)]).tobytes(), {"channels": 2}, 0.001),
    "three channels": (array("h", [x for one in SAMPLES for x in (one,) * 3]).tobytes(), {"channels": 3}, 1.0),
    "twelve channels": (array("h", [x for one in SAMPLES for x in (one,) * 12]).tobytes(), {"channels": 12}, 1.0),
    "48 kHz": (array("h", [x for one in SAMPLES for x in (one,) * 3]).tobytes(), {"rate_hz": 48_000}, 0.3),
    "8 kHz": (array("h", SAMPLES[::2]).tobytes(), {"rate_hz": 8_000}, 0.5),
    "cut off in a sample": (SOUND[:-1], {}, 0.001),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_usual_wav_is_heard_at_16_khz_mono(tmp_path: Path, form: str) -> None:
    data, how, unlike_most = FORMS[form]
    recording = Recording(wav(tmp_path / "in.wav", data, **how))
    heard = b"".join(recording.pieces())
    assert abs(len(heard) - len(SOUND)) <= 2 * 8 and recording.samples == len(heard) // 2
    short = min(len(heard), len(SOUND))
    assert unlike(SOUND[:short], heard[:short]) < unlike_most


def test_16_khz_mono_is_taken_as_it_is(tmp_path: Path) -> None:
    recording = Recording(wav(tmp_path / "in.wav", SOUND))
    frames = list(recording.frames())
    assert {len(frame) for frame in frames} == {640} and b"".join(frames)[: len(SOUND)] == SOUND
    assert recording.samples == len(SAMPLES) and recording.damaged == 0


@pytest.mark.parametrize("codec", pin_encoder.CODECS)
@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("none.wav", None, "none.wav cannot be read: No such file"),
        ("text.wav", b"this is no sound at all, and never was" * 30, "text.wav is no WAV file that can be read"),
        ("nothing.wav", b"", "nothing.wav is no WAV file that can be read"),
        ("short.wav", b"RIFF\x24\0\0\0WAVEfmt ", "short.wav is no WAV file that can be read"),
        ("silent.wav", "empty", "silent.wav: there is no sound in it"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(
    tmp_path: Path, codec: str, name: str, data: bytes | str | None, said: str
) -> None:
    source = tmp_path / name
    if isinstance(data, bytes):
        source.write_bytes(data)
    elif data:
        wav(source, b"")
    target = tmp_path / "out"
    target.write_bytes(b"as it was")
    done = lapel_codec(source, target, "--codec", codec)
    assert done.exit_code == 1 and said in done.output and "Traceback" not in done.output
    # what was there before stays, and nothing beside it
    assert target.read_bytes() == b"as it was"
    assert {path.name for path in tmp_path.iterdir()} <= {name, "out"}


def test_where_nothing_can_be_written_is_a_sentence(tmp_path: Path) -> None:
    source = wav(tmp_path / "in.wav", SOUND)
    done = lapel_codec(source, tmp_path / "nowhere" / "out.wav", "--codec", "adpcm")
    assert done.exit_code == 1 and "out.wav cannot be written: No such file or directory." in done.output
    done = lapel_codec(source, source, "--codec", "adpcm")
    assert done.exit_code == 1 and "is the recording itself" in done.output
    assert source.stat().st_size == 44 + len(SOUND)
    # a device must not become a file
    for wrong in (tmp_path, Path("/dev/null")):
        done = lapel_codec(source, wrong, "--codec", "adpcm")
        assert done.exit_code == 1 and f"{wrong} is no file: name one to write." in done.output
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    assert lapel_codec(source, tmp_path / "link.wav", "--codec", "adpcm").exit_code == 0
    assert played(tmp_path / "real.wav") and (tmp_path / "link.wav").is_symlink()
    done = lapel_codec(source, tmp_path / "out.opus", "--kbps", "500")
    assert done.exit_code == 2 and "500" in done.output


def test_no_interpreter_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = wav(tmp_path / "in.wav", SOUND)
    monkeypatch.setenv("LAPEL_MICROPYTHON", "/nowhere/micropython")
    done = lapel_codec(source, tmp_path / "out.wav", "--codec", "adpcm")
    assert done.exit_code == 1 and "'/nowhere/micropython'" in done.output and "--runtime cpython" in done.output
    monkeypatch.setenv("LAPEL_MICROPYTHON", "/bin/false")
    done = lapel_codec(source, tmp_path / "out.wav", "--codec", "adpcm")
    assert done.exit_code == 1 and "broke off under MicroPython: exit status 1" in done.output
    # as one without an emitter of machine code, at Opus
    script = tmp_path / "micropython"
    script.write_text("#!/bin/sh\necho 'SyntaxError: invalid micropython decorator' >&2; exit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("LAPEL_MICROPYTHON", str(script))
    done = lapel_codec(source, tmp_path / "out.wav")
    assert done.exit_code == 1 and "no machine code on this computer; take --runtime cpython." in done.output
    assert not (tmp_path / "out.wav").exists()


def test_adpcm_has_one_rate_and_says_so(tmp_path: Path) -> None:
    source = wav(tmp_path / "in.wav", SOUND)
    done = lapel_codec(source, tmp_path / "out.wav", "--codec", "adpcm", "--kbps", "16", "--runtime", "cpython")
    assert done.exit_code == 0 and "ADPCM always takes 64 kbit/s" in done.output


def test_opus_is_the_same_on_both_pythons(tmp_path: Path) -> None:
    source = wav(tmp_path / "in.wav", SOUND[:9600])
    found = []
    for runtime in pin_encoder.RUNTIMES:
        done = lapel_codec(source, tmp_path / runtime, "--runtime", runtime)
        assert done.exit_code == 0, done.output
        with (tmp_path / runtime).open("rb") as file:
            found.append(list(ogg.packets(file)))
    assert found[0] == found[1] and len(found[0]) == 16


@pytest.mark.skipif(libopus.missing() is not None, reason=str(libopus.missing()))
@pytest.mark.parametrize(
    ("words", "least", "most"), [(("--kbps", "32"), 24, 36), (("--kbps", "16", "--constant"), 16, 16)]
)
def test_opus_is_what_libopus_plays(tmp_path: Path, words: tuple[str, ...], least: float, most: float) -> None:
    source, target = wav(tmp_path / "in.wav", SOUND), tmp_path / "out.opus"
    done = lapel_codec(source, target, *words)
    assert done.exit_code == 0, done.output
    with target.open("rb") as file:
        packets = list(ogg.packets(file))
    seconds = len(packets) / 50
    assert least <= 8 * sum(map(len, packets)) / 1000 / seconds <= most
    heard = libopus.decode_all(packets)[2 * libopus.DELAY_SAMPLES :][: len(SOUND)]
    assert unlike(SOUND, heard) < 0.5
    with target.open("rb") as file:
        assert len(ogg.sound(file, 48_000)) == 3 * len(SOUND)
