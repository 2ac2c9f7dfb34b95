"""`lapel unpair --lost`: the key is gone before it is said, and what the pin asked for is listed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from keyring.backends import fail

from lapel_companion import durable, lost
from lapel_companion.cli.pair import unpair
from lapel_companion.events import EventLog
from lapel_companion.keys import BEGUN, Keys
from lapel_companion.pairing import FILE, Key, KeyFile

KEY = Key(3, bytes(range(32)))
OTHER = Key(4, bytes(range(32, 64)))
HOUR_S = 3600


def lapel(state: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    command = [sys.executable, "-m", "lapel_companion", *words, "--state", str(state)]
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def history(state: Path, now_s: float) -> None:
    """d1 long ago and done, d2 done, d3 runs, d4 is held; d5 was typed."""
    state.mkdir(exist_ok=True)
    clock = [now_s]
    log = EventLog(state / "events.db", clock=lambda: clock[0])
    log.append("linked", {"mtu": 247, "interval_ms": 30}, principal="pin")
    tasks = [
        (50, "old task", "jobs", "done"),
        (3, "make a note to buy milk", "jobs", "done"),
        (2, "open the door", "jobs", "running"),
        (1, "something", "held", ""),
        (1, "typed", "jobs", "running"),
    ]
    for number, (ago_h, heard, outcome, job) in enumerate(tasks, 1):
        clock[0] = now_s - ago_h * HOUR_S
        name = f"d{number}"
        body = {"source": "say"} if heard == "typed" else {"source": "pin", "clip": f"clip{number}"}
        log.append("dispatch", body, principal="pin", dispatch=name)
        log.append("transcript", {"text": heard, "engine": "x"}, principal="pin", dispatch=name)
        told = {"outcome": outcome, "reason": "unsure", "why": "not sure", "heard": heard, "round": 1}
        log.append("outcome", told, principal="pin", dispatch=name)
        for change in ("queued", "running", *([job] if job == "done" else [])) if job else ():
            event = {"id": f"{name}.1", "agent": "command", "state": change, "heard": heard, "round": 1}
            log.append("job", event, principal="pin", dispatch=name, job=f"{name}.1")
    clock[0] = now_s - HOUR_S
    log.append("unlinked", {"reason": "gone"}, principal="pin")
    log.close()


def test_revoked_and_listed_without_a_daemon(tmp_path: Path) -> None:
    history(tmp_path, time.time())
    keys = Keys(tmp_path)
    KeyFile(tmp_path).save(KEY)
    KeyFile(tmp_path / BEGUN).save(OTHER)
    done = lapel(tmp_path, "unpair", "--lost")
    assert done.returncode == 0, done.stderr
    assert keys.load() is None and keys.begun() is None and not (tmp_path / FILE).exists()
    first, *rest = done.stdout.splitlines()
    assert "Revoked" in first and KEY.fingerprint in first
    said = "\n".join(rest)
    assert "was linked last from" in said and "until now" not in said
    assert 'd2 ' in said and '"make a note to buy milk"' in said and "done" in said
    assert 'd3 ' in said and "lapel cancel d3" in said and "lapel cancel d4" in said
    assert "lapel cancel d2" not in said and "old task" not in said and "typed" not in said
    assert KEY.secret.hex() not in done.stdout + done.stderr
    again = lapel(tmp_path, "unpair", "--lost", "--since", "3d")
    assert again.returncode == 0 and "No pin is paired" in again.stdout and "old task" in again.stdout


def test_a_time_that_is_none_does_not_keep_the_key_alive(tmp_path: Path) -> None:
    KeyFile(tmp_path).save(KEY)
    done = lapel(tmp_path, "unpair", "--lost", "--since", "a while")
    assert done.returncode == 1 and "Revoked" in done.stdout and "is no time" in done.stderr
    assert Keys(tmp_path).load() is None


def test_what_cannot_be_removed_is_not_called_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    KeyFile(tmp_path).save(KEY)

    def read_only(point: str) -> None:
        if point == "key.remove.before":
            raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(durable, "_observers", [read_only])
    done = CliRunner().invoke(unpair, ["--lost", "--state", str(tmp_path)])
    assert done.exit_code == 1 and "NOT revoked" in done.output and "Revoked" not in done.output
    assert Keys(tmp_path).load() == KEY


def test_since_is_a_span_or_a_moment() -> None:
    now = 1_800_000_000.0
    assert lost.since("2h", now) == now - 2 * HOUR_S
    assert lost.since("3 days", now) == now - 72 * HOUR_S
    assert lost.since("2026-11-20", now) < lost.since("2026-11-20 18:00", now)
    for wrong in ("", "a while", "2026-13-40", "-2h", "9999999999d", "2026-11-20 25:00"):
        with pytest.raises(ValueError, match="is no time"):
            lost.since(wrong, now)


def test_nothing_was_asked_for(tmp_path: Path) -> None:
    done = lapel(tmp_path, "unpair", "--lost")
    assert done.returncode == 0 and "No pin is paired" in done.stdout and "asked for nothing" in done.stdout


def test_since_without_lost_is_used_wrongly(tmp_path: Path) -> None:
    assert lapel(tmp_path, "unpair", "--since", "2h").returncode == 2
