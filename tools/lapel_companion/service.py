"""The companion as a service of the logged-in user: a systemd user unit, or a launchd agent on macOS."""

from __future__ import annotations

import os
import platform
import plistlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lapel_companion import durable

UNIT = "lapel.service"
LABEL = "io.lapel.companion"
_COMMAND_LIMIT_S = 20.0


class ServiceError(Exception):
    """It could not be done; the text is a sentence on what to do."""


@dataclass(frozen=True)
class Status:
    """`running` is None where nobody could be asked."""

    installed: bool
    running: bool | None
    file: Path
    log: str


class Service(Protocol):
    """One platform's way of running something for a user."""

    def install(self, arguments: list[str]) -> Status:
        """Have `lapel run` with these arguments run now and at every login. Raises ServiceError."""

    def uninstall(self) -> Status:
        """Stop it, and never start it again. Raises ServiceError."""

    def status(self) -> Status:
        """Whether it is there and runs."""


def here() -> Service:
    """This platform's. Raises ServiceError where there is none."""
    if platform.system() == "Darwin":
        return Launchd(Path.home() / "Library")
    if platform.system() == "Linux":
        configuration = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Systemd(Path(configuration))
    raise ServiceError("services are known for Linux with systemd and for macOS; elsewhere start: lapel run.")


def command(arguments: list[str]) -> list[str]:
    """What the service runs: this very Python, so that it needs no PATH."""
    return [sys.executable, "-m", "lapel_companion", "run", *arguments]


class Systemd:
    """~/.config/systemd/user/lapel.service."""

    def __init__(self, configuration: Path) -> None:
        self._file = configuration / "systemd" / "user" / UNIT

    def install(self, arguments: list[str]) -> Status:
        if shutil.which("systemctl") is None:
            raise ServiceError(
                "this system has no systemd (systemctl is missing): start it yourself with lapel run."
            )
        _write(self._file, unit_text(command(arguments)).encode())
        self._systemctl("daemon-reload")
        self._systemctl("enable", UNIT)
        self._systemctl("restart", UNIT)
        return self.status()

    def uninstall(self) -> Status:
        if self._file.exists():
            try:
                self._systemctl("disable", "--now", UNIT)
            finally:
                # Also where systemd cannot be asked: the next login must not start it.
                (self._file.parent / "default.target.wants" / UNIT).unlink(missing_ok=True)
                self._file.unlink(missing_ok=True)
            self._systemctl("daemon-reload")
        return self.status()

    def status(self) -> Status:
        running: bool | None = None
        if shutil.which("systemctl") is not None:
            found = _run(["systemctl", "--user", "is-active", UNIT])
            running = found.stdout.strip() in ("active", "activating") if found.stdout.strip() else None
        return Status(self._file.exists(), running, self._file, f"journalctl --user -u {UNIT} -f")

    def _systemctl(self, *arguments: str) -> None:
        found = _run(["systemctl", "--user", *arguments])
        if found.returncode != 0:
            cause = " ".join(found.stderr.split()) or f"exit {found.returncode}"
            raise ServiceError(
                f"systemctl --user {' '.join(arguments)} failed: {cause.rstrip('.')}."
                f" The unit is {self._file}; without a login session of systemd start it yourself: lapel run."
            )


class Launchd:
    """~/Library/LaunchAgents/io.lapel.companion.plist."""

    def __init__(self, library: Path) -> None:
        self._file = library / "LaunchAgents" / f"{LABEL}.plist"
        self._log = library / "Logs" / "lapel.log"

    def install(self, arguments: list[str]) -> Status:
        _write(self._file, plist(command(arguments), self._log))
        # An agent of that name that runs already would keep its old arguments.
        _run(["launchctl", "bootout", f"{_domain()}/{LABEL}"])
        found = _run(["launchctl", "bootstrap", _domain(), str(self._file)])
        if found.returncode != 0:
            cause = " ".join(found.stderr.split()) or f"exit {found.returncode}"
            raise ServiceError(f"launchctl bootstrap failed: {cause.rstrip('.')}. The agent is {self._file}.")
        return self.status()

    def uninstall(self) -> Status:
        if self._file.exists():
            _run(["launchctl", "bootout", f"{_domain()}/{LABEL}"])
            self._file.unlink(missing_ok=True)
        return self.status()

    def status(self) -> Status:
        found = _run(["launchctl", "print", f"{_domain()}/{LABEL}"])
        return Status(
            self._file.exists(), "state = running" in found.stdout, self._file, f"tail -f {self._log}"
        )


def unit_text(argv: list[str]) -> str:
    """The systemd unit that runs `argv`."""
    return f"""\
[Unit]
Description=Lapel companion: takes what the pin hears and does the work
Documentation=man:systemd.service(5)
After=dbus.socket

[Service]
ExecStart={" ".join(_quoted(word) for word in argv)}
Restart=on-failure
RestartSec=5
# Jobs are ended by the companion itself, each with its own process group.
KillMode=mixed
TimeoutStopSec=20

[Install]
WantedBy=default.target
"""


def plist(argv: list[str], log: Path) -> bytes:
    """The launchd agent that runs `argv`."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": argv,
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 5,
            "ProcessType": "Interactive",
            "StandardOutPath": str(log),
            "StandardErrorPath": str(log),
        }
    )


def _quoted(word: str) -> str:
    """A word as systemd.service(5) reads it: specifiers, variables and quotes lose their meaning."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _write(file: Path, data: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        durable.write_atomic(file, data, "service", 0o644)
    except OSError as error:
        raise ServiceError(f"{file} cannot be written: {error.strerror}.") from error


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=_COMMAND_LIMIT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(argv, 127, "", str(error))
