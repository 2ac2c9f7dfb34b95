"""The state folder, blobs, clips and the pin's clock: what they keep, and what they refuse."""

from __future__ import annotations

import binascii
import errno
import os
import stat
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from lapel_companion import durable
from lapel_companion.blobs import Blobs, NoSuchBlob
from lapel_companion.clips import MAX_CONFLICTS, ClipFiles, ClipMeta, NoSuchClip
from lapel_companion.clock import PinClock
from lapel_companion.config import Pin
from lapel_companion.pin_settings import for_pin
from lapel_companion.state import StateError, StateFolder, StateInUse

CLIP = "0a0b0c0d-00112233445566aa-7"


def meta(clip_id: str = CLIP) -> ClipMeta:
    device, epoch, number = clip_id.split("-")
    return ClipMeta(clip_id, device, epoch, int(number), "ima-adpcm", 16000, "b007b007", 500, None, None)


def test_a_state_folder_has_one_owner_and_keeps_its_epoch(tmp_path: Path) -> None:
    state = StateFolder.open(tmp_path / "deep" / "state")
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
    with pytest.raises(StateInUse, match=f"process {os.getpid()} already runs Lapel"):
        StateFolder.open(state.path)
    epoch = state.epoch
    state.close()
    again = StateFolder.open(state.path)
    assert again.epoch == epoch and len(epoch) == 16
    assert again.new_epoch() != epoch
    again.close()
    (state.path / "epoch").write_text("not an epoch")
    damaged = StateFolder.open(state.path)
    assert damaged.epoch not in (epoch, "not an epoch")
    damaged.close()


def test_another_process_is_refused_and_a_dead_one_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lapel_companion.state import StateFolder;"
        "StateFolder.open(Path(sys.argv[1])); print('mine', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdout.readline() == "mine\n"
    with pytest.raises(StateInUse, match=f"process {other.pid} "):
        StateFolder.open(tmp_path)
    other.kill()
    other.communicate()
    StateFolder.open(tmp_path).close()


def test_a_state_folder_that_cannot_be_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="--state"):
        StateFolder.open(tmp_path / "file" / "state")


def test_blobs_come_back_by_id(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    first, second = blobs.put(b"hello", ".log"), blobs.put(b"again")
    assert first != second and first.endswith(".log")
    assert blobs.get(first) == b"hello" and blobs.open(second).read() == b"again"
    for missing in ("0" * 20, "../../etc/passwd", "", "zz", "0" * 20 + "/x"):
        with pytest.raises(NoSuchBlob):
            blobs.get(missing)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, what: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "sync_file", full)
    with pytest.raises(OSError, match="No space"):
        durable.write_atomic(tmp_path / "x", b"data", "x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_in_the_middle_of_a_write_left_is_swept_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def kill(point: str) -> None:
        if point == "x.rename.before":
            raise Killed

    StateFolder.open(tmp_path).close()
    monkeypatch.setattr(durable, "_observers", [kill])
    for folder in (tmp_path, tmp_path / "clips"):
        with pytest.raises(Killed):
            durable.write_atomic(folder / "x", b"data", "x")
    before = {path for path in tmp_path.rglob("*") if path.suffix == ".tmp"}
    assert len(before) == 2
    StateFolder.open(tmp_path).close()
    assert not any(path.exists() for path in before)


def test_a_partial_survives_a_restart_with_what_was_synced(tmp_path: Path) -> None:
    files = ClipFiles(tmp_path)
    partial = files.begin(meta())
    assert partial.append(b"a" * 1000) == 1000 and partial.append(b"b" * 24) == 1024
    # Killed here: no close. What it held is found again, with its digest.
    (found,) = ClipFiles(tmp_path).recover(lambda _: False)
    found.open()
    assert (found.durable_bytes, found.crc) == (1024, binascii.crc32(b"a" * 1000 + b"b" * 24))
    assert found.meta == meta()
    found.close()
    partial.close()


def test_a_write_that_fails_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partial = ClipFiles(tmp_path).begin(meta())
    partial.append(b"12345")
    real = durable.sync_file

    def full(handle: int, what: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "sync_file", full)
    with pytest.raises(OSError, match="No space"):
        partial.append(b"678")
    monkeypatch.setattr(durable, "sync_file", real)
    assert partial.path.read_bytes() == b"12345"
    assert partial.append(b"678") == 8 and partial.path.read_bytes() == b"12345678"
    partial.close()


def test_what_a_crash_left_of_accepted_clips_is_finished(tmp_path: Path) -> None:
    files = ClipFiles(tmp_path)
    partial = files.begin(meta())
    partial.append(bytes(range(100)))
    partial.close()
    assert files.recover(lambda clip_id: clip_id == CLIP) == []
    assert (tmp_path / f"{CLIP}.adpcm").read_bytes() == bytes(range(100))
    with wave.open(str(tmp_path / f"{CLIP}.wav")) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth(), wav.getnframes()) == (
            16000,
            1,
            2,
            200,
        )
        assert wav.readframes(200) == files.pcm(CLIP)
    files.finish(CLIP)
    (tmp_path / f"{CLIP}.wav").write_bytes(b"RIFFbroken")
    assert len(files.pcm(CLIP)) == 400


def test_bytes_without_a_description_are_no_clip(tmp_path: Path) -> None:
    files = ClipFiles(tmp_path)
    for name in (CLIP, "0a0b0c0d-00112233445566aa-8"):
        (tmp_path / f"{name}.part").write_bytes(b"orphan")
    (tmp_path / f"{CLIP}.meta.json").write_text('{"id": "broken')
    assert files.recover(lambda _: False) == []
    assert not list(tmp_path.glob("*.part"))


def test_conflicts_are_kept_apart_and_bounded(tmp_path: Path) -> None:
    partial = ClipFiles(tmp_path).begin(meta())
    for number in range(MAX_CONFLICTS + 2):
        partial.append(b"%d" % number)
        kept = partial.set_aside()
        assert (kept is not None) == (number < MAX_CONFLICTS)
        assert partial.durable_bytes == 0
    partial.close()
    assert len(list(tmp_path.glob("*.conflict"))) == MAX_CONFLICTS


def test_names_that_are_no_clip_reach_no_file(tmp_path: Path) -> None:
    files = ClipFiles(tmp_path / "clips")
    (tmp_path / "secret.wav").write_bytes(b"")
    for name in ("../secret", "", "x", CLIP + "/..", CLIP.upper()):
        with pytest.raises(NoSuchClip):
            files.pcm(name)
    with pytest.raises(NoSuchClip):
        files.pcm(CLIP)


def test_the_clock_dates_presses_of_known_boots_also_after_a_restart(tmp_path: Path) -> None:
    clock = PinClock(tmp_path / "clock.json")
    clock.hello("boot-1", 60_000, unix_ms=1_000_000)
    again = PinClock(tmp_path / "clock.json")
    assert again.press_unix_ms("boot-1", 30_000) == 970_000
    assert again.press_unix_ms("boot-2", 30_000) is None
    for number in range(100):
        again.hello(f"other-{number}", 0, unix_ms=number)
    assert again.press_unix_ms("boot-1", 0) is None
    (tmp_path / "clock.json").write_text("[1, 2")
    assert PinClock(tmp_path / "clock.json").press_unix_ms("other-99", 0) is None


def test_the_pins_settings_in_its_own_words() -> None:
    assert for_pin(Pin(True, "22:30", "07:05", 50, 100, "adpcm")) == {
        "preroll": True,
        "haptic_strength": 128,
        "led_brightness": 96,
        "quiet_from_min": 1350,
        "quiet_to_min": 425,
        "codec": "adpcm",
    }
    assert for_pin(Pin(False, None, None, 0, 0, "opus"))["quiet_from_min"] is None
