"""The recogniser in its own process: answers, errors, crashes, too long, and a parent that is gone."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel_companion import config
from lapel_companion.speech.apart import Apart
from lapel_companion.speech.base import SpeechError

ROOT = Path(__file__).resolve().parents[3]
SPOKEN = ROOT / "tools" / "simulator" / "demo" / "disk_space.wav"


def pcm() -> bytes:
    with wave.open(str(SPOKEN)) as file:
        sound: bytes = file.readframes(file.getnframes())
    return sound


@pytest.fixture
def apart() -> Iterator[Apart]:
    recogniser = Apart(config.load(None).speech)
    yield recogniser
    recogniser.close()


def test_it_hears_and_the_loop_goes_on(apart: Apart) -> None:
    apart.warm_up()
    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.append(apart.transcribe(pcm()).text))
    thread.start()
    rounds = 0
    while thread.is_alive():
        thread.join(0.005)
        rounds += 1
    assert "disk space" in heard[0]
    # In this process, Python's lock would have been held for most of that time.
    assert rounds > 20
    assert not apart.trusted and apart.name == "pocketsphinx"


def test_an_end_by_itself_is_said_and_the_next_request_starts_another(apart: Apart) -> None:
    apart.warm_up()
    assert apart._process is not None
    first = apart._process.pid
    os.kill(first, signal.SIGKILL)
    apart._process.wait()
    assert apart.check_phrase("show the newest files") is None
    assert apart._process.pid != first


def test_who_crashes_in_the_middle_is_asked_once_more(apart: Apart) -> None:
    apart.warm_up()
    process = apart._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    killer = threading.Timer(0.2, lambda: os.kill(process.pid, signal.SIGKILL))
    killer.start()
    assert "disk space" in apart.transcribe(pcm()).text
    killer.join()


def test_who_crashes_twice_is_a_sentence(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def crashes(process: subprocess.Popen[bytes], request: bytes) -> bytes:
        asked.append(process.pid)
        raise OSError("it said nothing more")

    monkeypatch.setattr(apart, "_exchange", crashes)
    with pytest.raises(SpeechError, match=r"ended by itself, twice \(it said nothing more\)"):
        apart.transcribe(pcm())
    assert len(set(asked)) == 2 and apart._process is None


def test_too_long_ends_it() -> None:
    settings = dataclasses.replace(config.load(None).speech, timeout_s=0.01)
    apart = Apart(settings)
    with pytest.raises(SpeechError, match="took longer"):
        apart.transcribe(pcm())
    assert apart._process is None
    apart.close()


def test_one_that_takes_nothing_is_ended_too() -> None:
    """A recording is more than fits into a pipe: who wrote to it waited for ever, and so did all behind them."""
    apart = Apart(dataclasses.replace(config.load(None).speech, timeout_s=0.5))
    start = apart._start

    def hangs() -> subprocess.Popen[bytes]:
        process = start()
        os.kill(process.pid, signal.SIGSTOP)
        return process

    apart._start = hangs  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(SpeechError, match=r"took longer than 0\.5 s"):
            apart.transcribe(bytes(2_000_000))
        assert apart._process is None
    apart.close()


@pytest.mark.parametrize("while_it", ["listens", "starts"])
def test_a_stop_does_not_wait_for_it(apart: Apart, monkeypatch: pytest.MonkeyPatch, while_it: str) -> None:
    """Its limit is two minutes; a stop that takes as long is a stop that hangs."""
    under_way, said = threading.Event(), list[str]()
    start, exchange = apart._start, apart._exchange

    def starts() -> subprocess.Popen[bytes]:
        process = start()
        os.kill(process.pid, signal.SIGSTOP)
        if while_it == "starts":
            under_way.set()
            while not apart._closed:
                time.sleep(0.001)
        return process

    def exchanges(process: subprocess.Popen[bytes], request: bytes) -> bytes:
        under_way.set()
        return exchange(process, request)

    monkeypatch.setattr(apart, "_start", starts)
    monkeypatch.setattr(apart, "_exchange", exchanges)

    def hear() -> None:
        try:
            apart.transcribe(pcm())
        except SpeechError as error:
            said.append(str(error))

    thread = threading.Thread(target=hear)
    thread.start()
    assert under_way.wait(60)
    apart.close()
    thread.join()
    # It was not its limit that ended it.
    assert said == ["the companion ends."] and apart._process is None
    with pytest.raises(SpeechError, match="ends"):
        apart.warm_up()


def test_a_setting_that_cannot_work_is_said_at_once() -> None:
    settings = dataclasses.replace(config.load(None).speech, engine="parrot")
    with pytest.raises(SpeechError, match="parrot"):
        Apart(settings)


def test_it_ends_with_its_parent() -> None:
    program = (
        "import os; from lapel_companion import config; from lapel_companion.speech.apart import Apart\n"
        "a = Apart(config.load(None).speech); a.check_phrase('show the newest files')\n"
        "print(a._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    pid = int(said.stdout)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("the recogniser outlived the daemon")
