"""The commands: quick to start, clear when there is no companion, and what they print when there is one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lapel_companion import cli, config, service, setup
from lapel_companion.cli import common, show, talk
from lapel_companion.cli import run as run_command
from lapel_companion.client import Client

STATE = "/nonexistent/state"


def invoke(*args: str) -> Result:
    return CliRunner().invoke(cli.lapel, list(args))


def test_every_command_has_help_and_the_list_needs_none_of_them() -> None:
    listed = invoke("--help")
    for name, (_, text) in cli._COMMANDS.items():
        assert name in listed.output and text in listed.output
        if name != "sim":
            helped = invoke(name, "--help")
            assert helped.exit_code == 0 and "Usage: lapel" in helped.output, helped.output
    code = "import sys, lapel_companion.cli; print([m for m in sys.modules if m.split('.')[0] in %r])"
    heavy = ("aiohttp", "bleak", "bumble", "dbos", "http", "pocketsphinx", "sqlite3", "asyncio")
    found = subprocess.run(
        [sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_help_comes_at_once() -> None:
    """Counted in the processor's time, which a busy machine does not lengthen."""
    times = []
    for _ in range(5):
        start = os.times()
        subprocess.run([sys.executable, "-m", "lapel_companion", "--help"], capture_output=True, check=True)
        end = os.times()
        times.append(end.children_user + end.children_system - start.children_user - start.children_system)
    assert min(times) < 0.3, times


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["jobs"],
        ["log", "d1.1"],
        ["notices"],
        ["say", "hello"],
        ["release", "d1"],
        ["cancel", "d1"],
    ],
)
def test_without_a_companion_each_command_says_how_to_start_it(arguments: list[str]) -> None:
    found = invoke(*arguments, "--state", STATE)
    assert found.exit_code == 1
    assert f"Start it with: lapel run --state {STATE}" in found.output and "Traceback" not in found.output


def test_exit_codes_of_the_program() -> None:
    def code(*args: str) -> int:
        argv = [sys.executable, "-m", "lapel_companion", *args]
        found = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert "Traceback" not in found.stderr
        return found.returncode

    assert code("--version") == 0 and code("status", "--state", STATE) == 1
    assert code("nonsense") == 2 and code("say") == 2 and code("run", "--radio") == 2


def test_a_bad_configuration_or_radio_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "c.toml"
    broken.write_text('[speech]\nengine = "ears"\n')
    for arguments, expected in (
        (["run", "--config", str(broken), "--state", str(tmp_path / "s")], "line 2"),
        (["run", "--config", str(tmp_path / "none.toml"), "--state", str(tmp_path / "s")], "no such file"),
        (["run", "--radio", "smoke", "--state", str(tmp_path / "s")], "'smoke' is no radio"),
        (["service", "install", "--radio", "smoke"], "'smoke' is no radio"),
    ):
        argv = [sys.executable, "-m", "lapel_companion", *arguments]
        found = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert found.returncode == 1 and expected in found.stderr and "Traceback" not in found.stderr, (
            found.stderr
        )


class FakeClient(Client):
    """Answers from a table, and remembers what was posted."""

    answers: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    posted: list[tuple[str, Any]] = []

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return dict(self.answers[path])

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        self.posted.append((path, body))
        return dict(self.answers[path])

    def follow(self, after: int, **query: Any) -> Any:
        return iter(self.events)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    monkeypatch.setattr(common, "Client", FakeClient)
    FakeClient.answers, FakeClient.events, FakeClient.posted = {}, [], []
    return FakeClient


def event(kind: str, /, **body: Any) -> dict[str, Any]:
    return {"kind": kind, "body": body, "dispatch": "d1"}


def test_say_waits_for_the_notice_and_exits_by_it(fake: type[FakeClient]) -> None:
    fake.answers["/v1/say"] = {"dispatch": "d1", "after": 5}
    running = event("job", id="d1.1", agent="command", state="running")
    fake.events = [running, event("notice", seq=1, kind="done", text="disk: 35G free", detail="all of it")]
    found = invoke("say", "how much disk space is left")
    assert (found.exit_code, found.output) == (0, "disk: 35G free\nall of it\n")
    assert fake.posted == [("/v1/say", {"text": "how much disk space is left"})]
    fake.events = [event("notice", seq=1, kind="held", text="Heard: x.", detail="To do it: lapel release d1")]
    held = invoke("say", "x")
    assert held.exit_code == 1 and "lapel release d1" in held.output
    fake.events = [running]
    assert "goes on when the companion runs again" in invoke("say", "x").output
    assert invoke("say", "x", "--no-wait").output == "d1\n"
    fake.events = [event("notice", seq=1, kind="done", text="ok", detail="")]
    assert json.loads(invoke("say", "x", "--json").output)["text"] == "ok"
    fake.answers["/v1/release"] = {"dispatch": "d1", "after": 5}
    assert invoke("release", "d1", "make a note").exit_code == 0
    assert fake.posted[-1] == ("/v1/release", {"dispatch": "d1", "text": "make a note"})


def test_lists_for_people_and_for_scripts(fake: type[FakeClient]) -> None:
    fake.answers = {
        "/v1/status": {
            "version": "0.1.0",
            "state": "/s",
            "started": time.time() - 7300,
            "link": {"radio": "bleak", "state": "linked", "dev": "0a0b0c0d", "mtu": 247, "interval_ms": 30}
            | {"since": time.time() - 5, "battery_mv": 3912},
            "engine": {"running": ["d2.1"], "open": 1},
            "unseen": 2,
            "trouble": None,
        },
        "/v1/dispatches": {
            "dispatches": [
                {"id": "d2", "status": "held", "ts": time.time(), "heard": "bye milk", "reason": "no phrase"}
            ]
        },
        "/v1/jobs": {
            "jobs": [{"id": "d2.1", "agent": "note", "state": "done", "text": "noted", "heard": "x"}]
        },
        "/v1/jobs/d2.1/log": {"job": "d2.1", "state": "done", "text": "noted", "log": "line 1\nline 2"},
        "/v1/notices": {
            "notices": [
                {
                    "seq": 3,
                    "ts": 0,
                    "kind": "held",
                    "text": "Heard: x.",
                    "detail": "To do it: ...",
                    "seen": False,
                }
                | {"retracted": False}
            ]
        },
        "/v1/notices/seen": {"seen": [1, 2]},
    }
    shown = invoke("status").output
    for part in (
        "started 2 h ago",
        "0a0b0c0d linked 5 s ago (MTU 247, 30 ms interval, 3.91 V)",
        "d2.1",
        "unseen: 2",
    ):
        assert part in shown, shown
    assert 'd2     held       0 s ago     "bye milk": no phrase' in shown
    assert json.loads(invoke("status", "--json").output)["unseen"] == 2
    assert invoke("jobs").output == "d2.1     note      done      noted\n"
    assert invoke("log", "d2.1").stdout == "line 1\nline 2\n"
    assert "*    3" in invoke("notices").output and "To do it: ..." in invoke("notices").output
    assert invoke("notices", "--seen", "all").output == "2 marked as seen\n"
    assert show.__doc__ and talk.__doc__


def test_a_unit_for_systemd_and_an_agent_for_launchd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = service.unit_text(["/usr/bin/python3", "-m", "x", "--state", '/a "b" 50% $HOME\\'])
    assert 'ExecStart="/usr/bin/python3" "-m" "x" "--state" "/a \\"b\\" 50%% $$HOME\\\\"' in text
    assert b"<string>/a &amp; b</string>" in service.plist(["python", "/a & b"], tmp_path / "log")
    tools = tmp_path / "bin"
    tools.mkdir()
    calls = tmp_path / "calls"
    for name in ("systemctl", "launchctl"):
        (tools / name).write_text(
            f'#!/bin/sh\necho "$@" >> {calls}\ncase "$*" in *is-active*) echo active;; esac\n'
        )
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    unit = service.Systemd(tmp_path)
    assert unit.install(["--radio", "bleak"]).running is True
    assert unit.status().file.read_text().count("lapel_companion") == 1
    assert not unit.uninstall().installed
    agent = service.Launchd(tmp_path / "Library")
    assert agent.install([]).installed and not agent.uninstall().installed
    said = calls.read_text()
    assert "--user enable lapel.service" in said and "--user disable --now lapel.service" in said
    assert "bootstrap gui/" in said and "bootout gui/" in said
    (tools / "systemctl").write_text("#!/bin/sh\necho 'no bus' >&2\nexit 1\n")
    with pytest.raises(service.ServiceError, match="no bus"):
        unit.install([])


def test_the_answers_of_setup_become_a_configuration(tmp_path: Path) -> None:
    command = setup.Command("light the lamp", ["lamp", "--on", 'a "b"'], harmless=True)
    answers = setup.Answers("openai", "tiny", "http://h/v1", "KEY", "terminal", [command])
    file = tmp_path / "etc" / "config.toml"
    assert setup.write(file, setup.text_of(answers)) is None
    found = config.load(file)
    assert (found.speech.engine, found.speech.model, found.speech.url) == ("openai", "tiny", "http://h/v1")
    assert (found.speech.api_key_env, found.channel) == ("KEY", "terminal")
    assert found.phrases[-1].run == ("lamp", "--on", 'a "b"') and found.phrases[-1].harmless
    kept = setup.write(file, setup.text_of(setup.Answers()))
    assert kept is not None and config.load(kept).channel == "terminal"
    assert setup.check_command(command) is None
    wrong = setup.check_command(setup.Command("do {it}", ["{it}"], harmless=False))
    assert wrong is not None and "never the program" in wrong


class Stubborn(io.StringIO):
    """A log on a full disk, or a pipe whose reader has gone."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def flush(self) -> None:
        if self.error is not None:
            self.truncate(0)
            self.seek(0)
            raise self.error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), BrokenPipeError(), ValueError("closed")])
def test_a_log_that_takes_nothing_does_not_stop_the_work(error: Exception) -> None:
    stream = Stubborn(error)
    printer = run_command._Printer(stream)
    for number in range(3):
        printer.line(f"line {number}")
    stream.error = None
    printer.line("line 3")
    printer.line("line 4")
    assert stream.getvalue() == "(3 lines could not be written)\nline 3\nline 4\n"


def test_what_a_program_printed_does_not_steer_the_terminal(fake: type[FakeClient]) -> None:
    printed = "one\n\x1b]52;c;aGk=\x07two\x1b[2J\n"
    fake.answers = {"/v1/jobs/d1.1/log": {"job": "d1.1", "state": "done", "text": "", "log": printed}}
    # What reads it in a pipe is no terminal.
    assert "\x1b]52" in invoke("log", "d1.1").stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
        assert invoke("log", "d1.1").stdout == "one\ntwo\n"
