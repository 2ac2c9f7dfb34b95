"""MicroPython 1.25 or newer for the desk: the caller's, the system's, or one unpacked from an archive."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from get_tools import debian, wrapper

WANTED = (1, 25)
# Releases to look into after the machine's own one, most like it first.
SUITES = {"debian": ("trixie", "forky", "sid"), "ubuntu": ("resolute", "questing", "devel")}
PROBE = """
import sys, json
try:
    exec("@micropython.viper\\ndef f(x: int) -> int:\\n return x + 1")
    viper = True
except (SyntaxError, NotImplementedError, NameError):
    viper = False
try:
    import asyncio
    from os import VfsLfs2
    whole = True
except ImportError:
    whole = False
print(json.dumps([list(sys.implementation.version[:3]), viper, whole]))
"""
MACOS = "brew install micropython"


def make(tools: Path) -> None:
    """Writes tools/micropython, a wrapper that starts the interpreter. NotFetched says what to type."""
    target = tools / "micropython"
    named = os.environ.get("LAPEL_MICROPYTHON")
    if named:
        program = shutil.which(named)
        problem = f"there is no program {named}" if program is None else unusable([program])
        if program is None or problem:
            raise debian.NotFetched(f"LAPEL_MICROPYTHON={named} cannot be used: {problem}.")
        if Path(program).resolve() != target.resolve():
            wrapper.write(target, [str(Path(program).resolve())])
        return
    if target.exists() and unusable([str(target)]) is None:
        target.touch()
        return
    on_path = shutil.which("micropython")
    if on_path and unusable([on_path]) is None:
        wrapper.write(target, [on_path])
        print(f"Using {on_path}")
        return
    if os.uname().sysname == "Darwin":
        raise debian.NotFetched(f"needs MicroPython 1.25 or newer. Type:  {MACOS}\n  then run make again.")
    wrapper.write(target, _from_archive(tools / "debian" / "micropython"))


def unusable(command: list[str]) -> str | None:
    """Why this interpreter will not do, as half a sentence; None when it will."""
    try:
        done = subprocess.run(
            [*command, "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={"PATH": os.defpath},
        )
        version, _viper, whole = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return "it does not run, or is no MicroPython"
    if tuple(version[:2]) < WANTED:
        return f"it is MicroPython {'.'.join(map(str, version))}, and 1.25 is the least"
    return (
        None if whole else "it was built without asyncio or LittleFS (use the unix port's standard variant)"
    )


def _from_archive(folder: Path) -> list[str]:
    help_line = (
        "Build the unix port (make -C ports/unix, standard variant) or install it from your system,\n"
        "  and name it:  LAPEL_MICROPYTHON=/path/to/micropython make"
    )
    root = folder / "root"
    if root.is_dir() and (command := _command(root)) and unusable(command) is None:
        return command
    try:
        system = debian.this_system()
    except debian.NotFetched as error:
        raise debian.NotFetched(f"needs MicroPython 1.25 or newer, and {error}.\n  {help_line}") from error
    print("Fetching MicroPython into .tools (once; about 5 MB and the package lists)", flush=True)
    tried: list[str] = []
    for codename in dict.fromkeys((system.codename, *SUITES[system.id])):
        suite = debian.Suite(system, codename, folder / "apt" / codename)
        try:
            suite.update()
            version = suite.version("micropython")
        except debian.Unreachable as error:
            raise debian.NotFetched(
                f"needs MicroPython 1.25 or newer, and {error}\n"
                "  Without one, name an interpreter: LAPEL_MICROPYTHON=/path/to/micropython make"
            ) from error
        except debian.NotFetched as error:
            tried.append(str(error))
            continue
        if version is None or debian_version(version) < WANTED:
            tried.append(f"{codename} has {'no MicroPython' if version is None else version}")
            continue
        suite.unpack("micropython", root)
        command = _command(root)
        problem = unusable(command)
        if problem is None:
            shutil.rmtree(folder / "apt", ignore_errors=True)
            print(f"  MicroPython {version} from {codename} is ready")
            return command
        tried.append(f"{codename}: {problem}")
    story = "\n  ".join(tried)
    raise debian.NotFetched(f"found no MicroPython of 1.25 or newer.\n  {story}\n  {help_line}")


def _command(root: Path) -> list[str]:
    return [*debian.loader(root), str(root / "usr" / "bin" / "micropython")]


def debian_version(text: str) -> tuple[int, ...]:
    """(1, 25) of "1.25.0+ds-1" or "1:1.25"."""
    parts = text.split(":")[-1].split(".")
    digits = ("".join(c for c in part[:4] if c.isdigit()) for part in parts[:2])
    return tuple(int(d or 0) for d in digits)
