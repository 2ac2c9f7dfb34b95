"""Packages of Debian and Ubuntu, unpacked into a folder of the checkout with a private apt state.

apt itself works out the dependencies (against an empty status file, so that the C library comes along),
checks the signatures and uses the mirror and proxy of the machine. Nothing is installed; no root is needed.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KEYRINGS = (
    "/usr/share/keyrings/{id}-archive-keyring.gpg",
    "/usr/share/keyrings/{id}-archive-keyring.pgp",
    "/etc/apt/trusted.gpg.d/{id}-archive-keyring.gpg",
)
COMPONENTS = {"debian": "main", "ubuntu": "main universe"}
APT_TIMEOUT_S = 600


class NotFetched(Exception):
    """What was looked for is not there; the text says what, where and what to type."""


class Unreachable(NotFetched):
    """The archive did not answer: trying another release of it is of no use."""


@dataclass(frozen=True)
class System:
    """The running system: id "debian" or "ubuntu", the codename of its release, its mirrors."""

    id: str
    codename: str
    mirrors: tuple[str, ...]


def os_release(path: str = "/etc/os-release") -> dict[str, str]:
    """The fields of os-release(5); empty where there is no such file (macOS)."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def this_system() -> System:
    """Reads os-release and apt's own index targets. NotFetched where this is not a system with apt."""
    fields = os_release()
    family = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotFetched("this system has no apt")
    system_id = (
        "ubuntu" if "ubuntu" in family else "debian" if "debian" in family or "raspbian" in family else ""
    )
    if not system_id:
        raise NotFetched(f"{fields.get('PRETTY_NAME', 'this system')} is neither Debian nor Ubuntu")
    codename = (
        fields.get("UBUNTU_CODENAME") or fields.get("DEBIAN_CODENAME") or fields.get("VERSION_CODENAME", "")
    )
    targets = _run(
        ["apt-get", "indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)"]
    )
    mirrors: list[str] = []
    for line in targets.splitlines():
        words = line.split()
        if len(words) == 4 and words[0] == "Packages" and words[2] == codename and words[3] == "main":
            if words[1] not in mirrors:
                mirrors.append(words[1])
    if not mirrors:
        raise NotFetched(
            f"apt knows no mirror for {system_id} {codename or '(no codename)'} (see apt-get indextargets)"
        )
    return System(system_id, codename, tuple(mirrors))


class Suite:
    """One release of one mirror behind a private apt state in `folder`; of another machine's `architecture`,
    or this one's."""

    def __init__(self, system: System, codename: str, folder: Path, architecture: str = "") -> None:
        self.codename = codename
        self._architecture = architecture
        self._folder = folder
        self._system = system
        self._options: list[str] = []

    def update(self) -> None:
        """Fetches the package lists. NotFetched when no mirror has this release, or none can be reached."""
        for folder in ("lists/partial", "cache/archives/partial", "preferences.d"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        keyring = next(
            (k for k in (k.format(id=self._system.id) for k in KEYRINGS) if os.path.exists(k)), None
        )
        signed = f"[signed-by={keyring}] " if keyring else ""
        other = self._architecture
        foreign = [f"-oAPT::Architecture={other}", f"-oAPT::Architectures::={other}"] if other else []
        self._options = [
            *foreign,
            *(
                f"-oDir::{name}={self._folder / value}"
                for name, value in {
                    "Etc::SourceList": "sources.list",
                    "Etc::Preferences": "preferences",
                    "State": ".",
                    "Etc::PreferencesParts": "preferences.d",
                    "State::lists": "lists",
                    "State::status": "status",
                    "Cache": "cache",
                }.items()
            ),
            "-oDir::Etc::SourceParts=/dev/null",
            "-oAcquire::Languages=none",
            "-oDebug::NoLocking=1",
            "-oAcquire::Retries=2",
            "-oAPT::Update::Error-Mode=any",
            "-oAPT::Install-Recommends=0",
            # As root, apt would become a user who may not enter this folder; the system's hooks are not ours.
            f"-oAPT::Sandbox::User={pwd.getpwuid(os.getuid()).pw_name}",
            "-oAPT::Update::Post-Invoke-Success::=",
            "-oAPT::Update::Post-Invoke::=",
        ]
        problem = NotFetched("")
        for mirror in self._system.mirrors:
            line = f"deb {signed}{mirror} {self.codename} {COMPONENTS[self._system.id]}\n"
            (self._folder / "sources.list").write_text(line, encoding="utf-8")
            try:
                self._apt("apt-get", "update")
                return
            except NotFetched as error:
                problem = error
        if re.search(r"resolv|connect|unreachable|timed out", str(problem), re.IGNORECASE):
            mirrors = ", ".join(self._system.mirrors)
            raise Unreachable(f"could not reach the package archive at {mirrors}; is there a network?")
        raise NotFetched(f"no package list for {self.codename}: {problem}")

    def version(self, package: str) -> str | None:
        """The version this release has, as Debian writes it ("1.25.0+ds-1"), or None."""
        found = re.search(
            r"^Version: (\S+)",
            self._apt("apt-cache", "show", "--no-all-versions", package, ok=(0, 100)),
            re.MULTILINE,
        )
        return found.group(1) if found else None

    def unpack(self, package: str, root: Path, *, with_dependencies: bool = True) -> None:
        """Puts the package, and all it depends on, under `root`. A half-made root is never left behind."""
        archives = self._folder / "cache" / "archives"
        if with_dependencies:
            self._apt("apt-get", "install", "--download-only", "-y", package)
        else:
            self._apt("apt-get", "download", package, cwd=archives)
        fresh = root.with_name(root.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for deb in sorted(archives.glob("*.deb")):
            _run(["dpkg", "-x", str(deb), str(fresh)])
        shutil.rmtree(root, ignore_errors=True)
        fresh.rename(root)

    def _apt(self, program: str, *words: str, cwd: Path | None = None, ok: Sequence[int] = (0,)) -> str:
        return _run([program, "-qq", *self._options, *words], cwd=cwd, ok=ok)


def program(name: str, folder: Path, size_mb: int, way_on: str = "", package: str = "") -> list[str]:
    """The command that runs a program of this system's own release, unpacked below `folder`; `package` where that is
    not called as the program. Raises NotFetched, with `way_on` behind the reason."""
    package = package or name
    try:
        system = this_system()
        print(f"Fetching {name} into .tools (once; about {size_mb} MB)", flush=True)
        suite = Suite(system, system.codename, folder / "apt")
        suite.update()
        suite.unpack(package, folder / "root")
    except NotFetched as error:
        raise NotFetched(
            f"found no {name}: {error}.\n  Install it by hand (Debian: sudo apt install {package}).{way_on}"
        ) from error
    shutil.rmtree(folder / "apt", ignore_errors=True)
    root = folder / "root"
    # A package of static programs brings no C library along.
    words = loader(root) if _loaders(root) else []
    return [*words, str(root / "usr" / "bin" / name)]


def loader(root: Path) -> list[str]:
    """The words that start a program of `root` with the C library of `root` (ld.so(8), --library-path)."""
    found = _loaders(root)
    if not found:
        raise NotFetched(f"the unpacked packages in {root} have no dynamic loader")
    # Links inside the packages may be absolute: follow them below root, not on this machine.
    start = found[0]
    if start.is_symlink() and os.readlink(start).startswith("/"):
        start = root / os.readlink(start).lstrip("/")
    folders = sorted({str(p.parent) for p in root.glob("**/*.so.*") if not {"gconv", "etc"} & set(p.parts)})
    return [str(start), "--library-path", ":".join(folders)]


def _loaders(root: Path) -> list[Path]:
    places = ("usr/lib*", "lib*", "usr/lib/*", "lib/*")
    return [path for place in places for path in sorted(root.glob(f"{place}/ld-linux*.so.*"))]


def _run(command: Sequence[str], cwd: Path | None = None, ok: Sequence[int] = (0,)) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=APT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"{command[0]} did not end within {APT_TIMEOUT_S} s") from error
    if done.returncode not in ok:
        lines = [
            line for line in done.stderr.splitlines() if line.startswith("E:")
        ] or done.stderr.splitlines()
        raise NotFetched(" ".join(lines[:2]) or f"{command[0]} ended with {done.returncode}")
    return done.stdout
