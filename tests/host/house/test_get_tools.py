"""Fetching MicroPython and flite: what is chosen, and what is said when there is nothing to choose."""

from __future__ import annotations

import ctypes.util
import os
import subprocess
from pathlib import Path

import pytest

from get_tools import __main__ as main
from get_tools import debian, flite, libopus, micropython, qemu_xtensa, strace, wrapper

ROOT = Path(__file__).resolve().parents[3]


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, but for the shell's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "echo"):
        (folder / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("LAPEL_MICROPYTHON", raising=False)
    return folder


def test_os_release_is_read(tmp_path: Path) -> None:
    path = tmp_path / "os-release"
    path.write_text(
        '# a comment\nID=debian\nVERSION_CODENAME=trixie\nPRETTY_NAME="Debian 13"\n', encoding="utf-8"
    )
    assert debian.os_release(str(path)) == {
        "ID": "debian",
        "VERSION_CODENAME": "trixie",
        "PRETTY_NAME": "Debian 13",
    }
    assert debian.os_release(str(tmp_path / "none")) == {}


def test_the_mirror_is_the_machines_own(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = "\n".join(
        [
            "Packages http://mirror.example/debian/ bookworm-updates main",
            "Packages http://mirror.example/debian/ bookworm main",
            "Contents http://other.example/debian/ bookworm main",
            "Packages http://vendor.example/tool/ stable main",
        ]
    )
    program(programs, "apt-get", f"cat <<'X'\n{targets}\nX")
    program(programs, "dpkg", "true")
    monkeypatch.setattr(debian, "os_release", lambda: {"ID": "debian", "VERSION_CODENAME": "bookworm"})
    assert debian.this_system() == debian.System("debian", "bookworm", ("http://mirror.example/debian/",))


def test_a_child_of_ubuntu_is_ubuntu(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "apt-get", "echo Packages http://mirror.example/ubuntu/ noble main")
    program(programs, "dpkg", "true")
    fields = {
        "ID": "linuxmint",
        "ID_LIKE": "ubuntu debian",
        "VERSION_CODENAME": "wilma",
        "UBUNTU_CODENAME": "noble",
    }
    monkeypatch.setattr(debian, "os_release", lambda: fields)
    assert debian.this_system() == debian.System("ubuntu", "noble", ("http://mirror.example/ubuntu/",))


def test_another_system_is_told_so(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(debian.NotFetched, match="no apt"):
        debian.this_system()
    program(programs, "apt-get", "true")
    program(programs, "dpkg", "true")
    monkeypatch.setattr(debian, "os_release", lambda: {"ID": "arch", "PRETTY_NAME": "Arch Linux"})
    with pytest.raises(debian.NotFetched, match="Arch Linux is neither"):
        debian.this_system()


@pytest.mark.parametrize(
    ("text", "version"), [("1.25.0+ds-1", (1, 25)), ("1.22.1+ds-1build2", (1, 22)), ("2:1.30~rc1", (1, 30))]
)
def test_debian_versions_compare(text: str, version: tuple[int, ...]) -> None:
    assert micropython.debian_version(text) == version


def test_an_old_or_foreign_interpreter_is_refused(tmp_path: Path) -> None:
    old = program(tmp_path, "old", "echo '[[1, 24, 1], true, true]'")
    small = program(tmp_path, "small", "echo '[[1, 26, 0], true, false]'")
    good = program(tmp_path, "good", "echo '[[1, 25, 0], false, true]'")
    assert "1.24.1" in str(micropython.unusable([str(old)]))
    assert "without asyncio" in str(micropython.unusable([str(small)]))
    assert micropython.unusable(["/bin/true"]) == "it does not run, or is no MicroPython"
    assert micropython.unusable([str(tmp_path / "none")]) == "it does not run, or is no MicroPython"
    assert micropython.unusable([str(good)]) is None


def test_the_fetched_interpreter_is_usable() -> None:
    named = os.environ.get("LAPEL_MICROPYTHON") or str(ROOT / ".tools" / "micropython")
    assert micropython.unusable([named]) is None


def test_the_callers_interpreter_comes_first(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = program(tmp_path / "mine", "mpy", "echo '[[1, 27, 0], true, true]'")
    program(programs, "micropython", "echo '[[1, 25, 0], true, true]'")
    monkeypatch.setenv("LAPEL_MICROPYTHON", str(mine))
    micropython.make(tmp_path / ".tools")
    assert str(mine) in (tmp_path / ".tools" / "micropython").read_text(encoding="utf-8")
    monkeypatch.setenv("LAPEL_MICROPYTHON", "no-such-program")
    with pytest.raises(debian.NotFetched, match="LAPEL_MICROPYTHON=no-such-program cannot be used"):
        micropython.make(tmp_path / ".tools")


def test_the_systems_interpreter_is_taken_when_it_will_do(programs: Path, tmp_path: Path) -> None:
    program(programs, "micropython", "echo '[[1, 25, 0], true, true]'")
    micropython.make(tmp_path / ".tools")
    done = subprocess.run([tmp_path / ".tools" / "micropython"], capture_output=True, text=True, check=True)
    assert done.stdout == "[[1, 25, 0], true, true]\n"


def test_without_a_network_it_says_so(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(
        programs,
        "apt-get",
        'case "$1" in indextargets) echo Packages http://mirror.example/debian/ bookworm main;;\n'
        "*) echo 'E: Failed to fetch  Temporary failure resolving mirror.example' >&2; exit 100;; esac",
    )
    program(programs, "dpkg", "true")
    monkeypatch.setattr(debian, "os_release", lambda: {"ID": "debian", "VERSION_CODENAME": "bookworm"})
    monkeypatch.setattr(main, "ROOT", tmp_path)
    assert main.main(["micropython"]) == 1
    said = capsys.readouterr().err
    assert "could not reach the package archive at http://mirror.example/debian/" in said
    assert "LAPEL_MICROPYTHON=" in said
    assert main.main(["flite"]) == 1
    assert "flite" in capsys.readouterr().err
    assert not (tmp_path / ".tools" / "micropython").exists()


def test_bad_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["gcc"]) == 2
    assert "usage:" in capsys.readouterr().err


def test_the_wrapper_moves_with_its_folder(tmp_path: Path) -> None:
    old = tmp_path / "old place"
    program(old / "tree", "say", 'echo "said: $*"')
    wrapper.write(old / "say", [str(old / "tree" / "say"), "one two"])
    new = tmp_path / "new place"
    old.rename(new)
    done = subprocess.run([new / "say", "three"], capture_output=True, text=True, check=True)
    assert done.stdout == "said: one two three\n"


def test_flite_needs_its_voices(tmp_path: Path) -> None:
    whole = program(tmp_path, "whole", "echo 'Voices available: kal awb_time kal16 awb rms slt'")
    part = program(tmp_path, "part", "echo 'Voices available: kal'")
    assert flite.usable([str(whole)])
    assert not flite.usable([str(part)])
    assert not flite.usable([str(tmp_path / "none")])


def test_libopus_is_the_systems_or_lies_below_the_tools(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / ".tools"
    monkeypatch.setattr(libopus, "usable", lambda name: name == "libopus.so.0")
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: "libopus.so.0")
    libopus.make(tools)
    assert libopus.named(tools / "libopus") == "libopus.so.0"
    (tools / "libopus").write_text("debian/libopus/root/usr/lib/libopus.so.0\n")
    assert libopus.named(tools / "libopus") == str(tools / "debian/libopus/root/usr/lib/libopus.so.0")
    # neither here nor to be had
    monkeypatch.setattr(libopus, "usable", lambda name: False)
    linux = os.uname_result(("Linux", "", "", "", ""))
    monkeypatch.setattr(os, "uname", lambda: linux)
    with pytest.raises(debian.NotFetched, match=r"found no libopus: this system has no apt\.\n  Install it by hand"):
        libopus.make(tools)


def test_the_loader_follows_links_inside_the_packages(tmp_path: Path) -> None:
    libraries = tmp_path / "usr" / "lib" / "x-linux-gnu"
    libraries.mkdir(parents=True)
    (libraries / "ld-linux-x.so.2").touch()
    (libraries / "libc.so.6").touch()
    (tmp_path / "usr" / "lib64").mkdir()
    (tmp_path / "usr" / "lib64" / "ld-linux-x.so.2").symlink_to("/usr/lib/x-linux-gnu/ld-linux-x.so.2")
    start, option, folders = debian.loader(tmp_path)
    assert start == str(libraries / "ld-linux-x.so.2")
    assert option == "--library-path"
    assert str(libraries) in folders.split(":")
    with pytest.raises(debian.NotFetched, match="no dynamic loader"):
        debian.loader(libraries / "none")


def test_a_static_program_needs_no_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unpacks:
        def __init__(self, *_: object) -> None:
            pass

        def update(self) -> None:
            pass

        def unpack(self, package: str, root: Path) -> None:
            assert package == "tools"
            (root / "usr" / "bin").mkdir(parents=True)

    monkeypatch.setattr(debian, "this_system", lambda: debian.System("debian", "trixie", ()))
    monkeypatch.setattr(debian, "Suite", Unpacks)
    program = str(tmp_path / "root" / "usr" / "bin" / "tool")
    assert debian.program("tool", tmp_path, 1, package="tools") == [program]
    library = tmp_path / "root" / "usr" / "lib" / "machine"
    library.mkdir(parents=True)
    (library / "ld-linux-machine.so.2").touch()
    again = debian.loader(tmp_path / "root")
    assert again[0].endswith("ld-linux-machine.so.2")


def test_an_old_or_foreign_qemu_is_refused(tmp_path: Path) -> None:
    old = program(tmp_path, "old", "echo 'qemu-xtensa version 6.2.0 (Debian 1:6.2)'")
    assert qemu_xtensa.problem([str(old)]) == "it is 6.2, older than 7.2"
    lame = program(tmp_path, "lame", "echo qemu-xtensa version 9.1.0")
    assert qemu_xtensa.problem([str(lame)]) == "it does not run a program of three instructions"
    good = program(tmp_path, "good", "echo qemu-xtensa version 7.2.22; [ -f $1 ] && exit 77; exit 0")
    assert qemu_xtensa.problem([str(good)]) is None
    assert qemu_xtensa.problem(["/bin/true"]) == "it does not run, or is no qemu"
    assert "No such file" in str(qemu_xtensa.problem([str(tmp_path / "none")]))


def test_without_qemu_the_reason_says_what_is_left_out(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(debian.NotFetched, match="its tests are skipped"):
        qemu_xtensa.make(tmp_path / "tools")
    if os.uname().sysname == "Linux":
        program(programs, "qemu-xtensa", "echo qemu-xtensa version 7.2.22; [ -f $1 ] && exit 77; exit 0")
        qemu_xtensa.make(tmp_path / "tools")
        assert qemu_xtensa.problem([str(tmp_path / "tools" / "qemu-xtensa")]) is None


def test_strace_must_be_able_to_inject(programs: Path, tmp_path: Path) -> None:
    """One that only traces, or is kept from ptrace by a container, is told with its own words."""
    whole = program(tmp_path, "whole", "exit 77")
    kept = program(tmp_path, "kept", 'echo "strace: test_ptrace_get: Operation not permitted" >&2; exit 1')
    assert strace.problem([str(whole)]) is None
    assert strace.problem([str(kept)]) == "strace: test_ptrace_get: Operation not permitted"
    assert strace.problem([str(program(tmp_path, "idle", "exit 0"))]) == "it injects nothing"
    program(programs, "strace", 'echo "strace: not permitted" >&2; exit 1')
    with pytest.raises(debian.NotFetched, match=r"(?s)not permitted.*SYS_PTRACE.*shown as not run|Linux's alone"):
        strace.make(tmp_path / "tools")
    program(programs, "strace", "exit 77")
    if os.uname().sysname == "Linux":
        strace.make(tmp_path / "tools")
        assert strace.problem([str(tmp_path / "tools" / "strace")]) is None
