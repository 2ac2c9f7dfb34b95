"""tools/bootstrap.sh says what to type when it cannot make the environment, and leaves nothing half made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it but what the script reads."""
    folder = tmp_path / "a checkout"
    (folder / "tools").mkdir(parents=True)
    for name in ("pyproject.toml", "tools/bootstrap.sh", "tools/constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def fake_python(folder: Path, text: str) -> Path:
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def bootstrap(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "tools" / "bootstrap.sh"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_old_python_is_refused(checkout: Path, tmp_path: Path) -> None:
    old = fake_python(tmp_path, "exit 1")
    done = bootstrap(checkout, LAPEL_PYTHON=str(old))
    assert done.returncode == 1
    assert "is not a Python of 3.11 or newer" in done.stderr


def test_no_python_at_all_says_what_to_type(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "mkdir", "uname", "rm", "cat", "sed", "cksum"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = bootstrap(checkout, PATH=str(programs), LAPEL_PYTHON="")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; found: none" in done.stderr
    assert "LAPEL_PYTHON=" in done.stderr


def test_without_venv_it_says_what_to_type(checkout: Path, tmp_path: Path) -> None:
    """Neither ensurepip nor pip, and no archive to take pip from."""
    cannot = fake_python(
        tmp_path, f'case "$*" in *venv*|*pip*) exit 1;; *) exec {sys.executable} "$@";; esac'
    )
    done = bootstrap(checkout, LAPEL_PYTHON=str(cannot))
    assert done.returncode == 1
    assert "sudo apt install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()
    assert not (checkout / ".tools" / "bootstrap.lock").exists()


def test_without_a_network_it_says_so(checkout: Path) -> None:
    done = bootstrap(
        checkout,
        LAPEL_PYTHON=sys.executable,
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_CONFIG_FILE=os.devnull,
        PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL="",
        PIP_RETRIES="0",
    )
    assert done.returncode == 1
    assert "could not reach the Python package index" in done.stderr
    assert ".tools/log/pip.log" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (checkout / ".venv" / ".lapel").exists()


def test_the_checkout_itself_is_up_to_date() -> None:
    """What made this environment is what pyproject.toml says now: nothing is installed a second time."""
    done = bootstrap(ROOT)
    assert done.returncode == 0, done.stderr
    assert "Making" not in done.stdout
