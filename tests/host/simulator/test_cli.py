"""`lapel sim` used wrongly: a sentence and exit 2, before anything is started."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulator import cli

EMPTY = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
EMPTY += b"data" + struct.pack("<I", 0)


def sim(*arguments: object) -> Result:
    """The command in this process."""
    return CliRunner().invoke(cli.sim, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets as far as starting something fails."""

    def started(*args: object) -> None:
        raise AssertionError("it was started")

    monkeypatch.setattr(cli, "Simulation", started)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "one of --wav FILE, --script FILE, --mic and --usb"),
        (("--mic", "--wav", "a.wav"), "one of --wav FILE"),
        (("--wav", "none.wav"), "none.wav: no such file"),
        (("--script", "none.script"), "none.script: No such file"),
        (("--script", "."), "directory"),
        (("--wav", "empty.wav"), "empty recording"),
        (("--wav", "text.wav"), "not a WAV"),
        (("--script", "bad.script"), "bad.script:2: no such action: 'jump'"),
        (("--script", "ok.script", "--radio", "loud"), "'loud' is not one of"),
        (("--script", "ok.script", "--seed", "x"), "not a valid integer"),
        (("--script", "ok.script", "--config", "none.toml"), "none.toml"),
        (("--script", "ok.script", "--config", "bad.toml"), "bad.toml"),
        (("--script", "ok.script", "--state", "text.wav"), "--state text.wav"),
        (("--script", "ok.script", "--device-path", "none"), "--device-path none: no such folder"),
        (("--script", "ok.script", "--board", "nope"), "no board 'nope' with parts; there are sim, esp32s3_devkitc"),
        (("--script", "ok.script", "--board", "xiao_esp32s3", "--without", "nix"), "xiao_esp32s3 has no 'nix'"),
        (("--script", "ok.script", "--without", "drv2605l"), "the board sim has no chips to leave out"),
        (("--dance",), "No such option"),
    ],
)
def test_a_sentence_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.wav").write_bytes(EMPTY)
    Path("text.wav").write_text("hello")
    Path("ok.script").write_text("sleep 0\n")
    Path("bad.script").write_text("tap\njump\n")
    Path("bad.toml").write_text("[speech]\nengine = \n")
    result = sim(*arguments)
    assert result.exit_code == 2, result.output
    assert says in result.output
    assert "Traceback" not in result.output


def test_a_script_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.script").write_bytes(b"\xff\xfe\x00tap")
    result = sim("--script", tmp_path / "x.script")
    assert result.exit_code == 2
    assert "not a text file" in result.output


def test_the_command_is_lapel_s() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lapel_companion", "sim", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for option in ("--wav", "--script", "--mic", "--config", "--state", "--radio", "--companion-radio",
                   "--device-path", "--seed", "--json", "--board", "--without", "--may-die"):  # fmt: skip
        assert option in done.stdout
