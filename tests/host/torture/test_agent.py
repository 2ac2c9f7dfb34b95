"""The scripted agent, the recordings, and the endpoint that understands them: as the companion meets them."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
from array import array
from collections import Counter
from pathlib import Path

import pytest

from lapel_audio import adpcm, convert
from lapel_companion import audio, phrases
from lapel_companion.config import load
from lapel_companion.speech.base import SpeechError, Transcript
from lapel_companion.speech.openai_api import OpenAiEndpoint
from lapel_companion.speech.sound import is_still
from tests.torture.agent import ledger, recordings, scene
from tests.torture.agent.recogniser import Recogniser

NUMBERS = (0, 7, 11, 107, 222, 340, 455, 599, 608, 777, 999)


def as_received(number: int, seconds: float = recordings.SECONDS) -> bytes:
    """A recording after a noisy microphone with an offset, the pin's filter and its codec."""
    chance = random.Random(number)
    frames = bytearray()
    for sample in [*[0] * 4000, *recordings.samples(number, seconds), *[0] * 1600]:
        frames += struct.pack("<i", (40_000 + round(chance.gauss(0, 300)) + (sample << 8)) << 8)
    count = len(frames) // 4
    convert.Converter().convert(frames, count)
    coded = bytearray(count)
    size = adpcm.Encoder().encode(frames, count, coded, 0xFFFFFF)
    return audio.decode(bytes(coded[:size]))


def test_every_number_is_its_own_recording() -> None:
    assert len({recordings.samples(number).tobytes() for number in range(1000)}) == 1000
    assert recordings.samples(123) == recordings.samples(123)
    assert recordings.wav(5)[:4] == b"RIFF" and len(recordings.samples(5, 0.5)) == 8000
    with pytest.raises(ValueError, match="999"):
        recordings.samples(1000)


def test_what_the_pin_made_of_it_is_understood_also_a_part() -> None:
    for number in NUMBERS:
        pcm = as_received(number)
        assert not is_still(pcm)
        assert recordings.number_in(pcm) == number
        # the lead of a quarter of a second, and hardly more than one period
        assert recordings.number_in(pcm[: 2 * 16 * (250 + 280)]) == number
    assert recordings.number_in(bytes(32_000)) is None
    assert recordings.number_in(as_received(7, 0.1)) is None
    noise = random.Random(1)
    assert recordings.number_in(array("h", [noise.randrange(-9000, 9000) for _ in range(16_000)]).tobytes()) is None


def test_the_companions_client_gets_the_words_and_the_digest_is_kept() -> None:
    pcm = as_received(107)
    with Recogniser(scene.text) as recogniser:
        endpoint = OpenAiEndpoint(recogniser.url, None, None, 10.0)
        assert endpoint.transcribe(pcm).text == "repeat number 107"
        assert [each.number for each in recogniser.received] == [107]
        assert recogniser.received[0].pcm == pcm and len(recogniser.received[0].sha256) == 64
        recogniser.refuse = 1
        with pytest.raises(SpeechError, match="503"):
            endpoint.transcribe(pcm)
        assert endpoint.transcribe(pcm).text == "repeat number 107"


def test_every_recording_finds_its_phrase(tmp_path: Path) -> None:
    config = load(scene.write_config(tmp_path, "http://127.0.0.1:1/v1"))
    for number in (scene.TASK, scene.REPEAT, scene.NOTE, scene.REMINDER, scene.BROKEN, scene.ENDLESS, scene.PARENT):
        found = phrases.match(Transcript(scene.text(number + 7)), config.phrases, trusted=True)
        assert found and config.phrases.index(found.phrase) == [0, 1, 5, 6, 2, 3, 4][number // 100]
    assert phrases.match(Transcript(scene.text(scene.UNKNOWN + 7)), config.phrases, trusted=True) is None


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(ledger.__file__))
    return subprocess.run(
        [sys.executable, "-I", "-S", program, *arguments[:-1], str(folder / "ledger"), "--", arguments[-1]],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


def test_the_agent_writes_its_start_and_its_end(tmp_path: Path) -> None:
    assert run(tmp_path, "7").returncode == 0
    assert run(tmp_path, "--fail", "8").returncode == ledger.FAILED
    (tmp_path / "notes.md").write_text("# Notes\n- [2026-11-21 10:00] number 207\n")
    books = scene.read_books(tmp_path)
    assert (books.begun, books.ended, books.noted) == ({7: 1, 8: 1}, {7: 1, 8: 1}, {207: 1})
    assert [books.invocations(number) for number in (7, 8, 9, 207)] == [1, 1, 0, 1]


def test_an_agent_that_is_killed_has_no_end(tmp_path: Path) -> None:
    program = [sys.executable, "-I", "-S", str(Path(ledger.__file__)), "--hang", str(tmp_path / "ledger"), "--", "7"]
    with subprocess.Popen(program) as agent:
        while not scene.read_books(tmp_path).begun:
            assert agent.poll() is None
        agent.kill()
    assert scene.read_books(tmp_path) == scene.Books(Counter({7: 1}), Counter(), Counter())


def test_an_agent_leaves_children_when_told_to(tmp_path: Path) -> None:
    # its children inherit stdout, so only a job's owner who ends the group hears its end
    program = [sys.executable, "-I", "-S", str(Path(ledger.__file__)), "--children", "1", str(tmp_path / "ledger"), "7"]
    with subprocess.Popen(program, start_new_session=True, stdout=subprocess.DEVNULL) as agent:
        assert agent.wait(20) == 0
        # fails when nobody is left of the group
        os.killpg(agent.pid, signal.SIGKILL)
