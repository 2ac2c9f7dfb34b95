"""`lapel setup` and `lapel doctor`, as a new user meets them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lapel_companion import config, doctor


def lapel(home: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": "",
        "XDG_STATE_HOME": "",
        "XDG_RUNTIME_DIR": "",
    }
    environment = {key: value for key, value in environment.items() if value and not key.startswith("LAPEL")}
    environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    argv = [sys.executable, "-m", "lapel_companion", *arguments]
    found = subprocess.run(
        argv, input=typed, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert "Traceback" not in found.stderr, found.stderr
    return found


def test_setup_asks_writes_and_tries(tmp_path: Path) -> None:
    file = tmp_path / "lapel.toml"
    # pocketsphinx, the terminal, one phrase that cannot be, one that can, no more.
    answers = ["1", "terminal", "y", "run {it}", "{it} now", "n", "y", "say hello", "echo hello", "y", "n"]
    found = lapel(tmp_path, "setup", "--config", str(file), typed="\n".join(answers) + "\n")
    assert found.returncode == 0, found.stderr
    assert "Not added:" in found.stdout and "never the program" in found.stdout
    assert "done: how much disk space is left: " in found.stdout
    assert "No pin is paired" in found.stdout
    written = config.load(file)
    assert written.channel == "terminal" and written.phrases[-1].run == ("echo", "hello")
    # Again: what is there is kept.
    again = lapel(tmp_path, "setup", "--yes", "--config", str(file))
    assert again.returncode == 0 and "Written" not in again.stdout and "say hello" in again.stdout
    # No answers at all: it ends, and says nothing of Python.
    assert lapel(tmp_path, "setup", "--config", str(tmp_path / "other.toml")).returncode != 0


def test_doctor_names_what_is_missing_and_what_to_type(tmp_path: Path) -> None:
    radio = "bumble:tcp-client:127.0.0.1:1"
    found = lapel(tmp_path, "doctor", "--json", "--radio", radio)
    by_subject = {finding["subject"]: finding for finding in json.loads(found.stdout)}
    assert found.returncode == 1 and by_subject["Bluetooth"]["level"] == "bad"
    assert (
        "Connect" in by_subject["Bluetooth"]["text"] and "keeps trying" not in by_subject["Bluetooth"]["text"]
    )
    assert (
        by_subject["configuration"]["type"] == "lapel setup"
        and by_subject["companion"]["type"] == "lapel run"
    )
    assert by_subject["speech"]["level"] in ("info", "ok") and by_subject["state"]["level"] == "ok"
    broken = tmp_path / "broken.toml"
    broken.write_text("[speech]\nengine = 3\n")
    found = lapel(tmp_path, "doctor", "--radio", radio, "--config", str(broken))
    assert found.returncode == 1 and "line 2" in found.stdout


@pytest.mark.parametrize(("free", "level"), [(10_000_000, "warn"), (10_000_000_000, "ok")])
def test_a_disk_that_is_nearly_full_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())
    assert doctor.state_folder(tmp_path / "not" / "there" / "yet").level == level
