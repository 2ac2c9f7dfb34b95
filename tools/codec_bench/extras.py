"""What only the bench needs, installed into .venv when it is first asked for: PESQ, arithmetic, a picture's letters."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTRA = "codec"
MODULES = ("numpy", "PIL", "pesq")
LOG = ROOT / ".tools" / "log" / "codec.log"


class Missing(Exception):
    """A package that cannot be had here; the text is a sentence, with what to type."""


def provide() -> None:
    """Installs what is missing. Missing."""
    lacking = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if not lacking:
        return
    if "pesq" in lacking and (why := no_compiler()):
        raise Missing(why)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    group = project["optional-dependencies"][EXTRA]
    print(f"installing {', '.join(group)} into .venv (once)", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-c", "tools/constraints.txt"]
    done = subprocess.run([*command, *group], cwd=ROOT, capture_output=True, text=True, check=False)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text(done.stdout + done.stderr, encoding="utf-8")
    importlib.invalidate_caches()
    lacking = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if lacking:
        raise Missing(
            f"{', '.join(lacking)} cannot be installed: connect to a network, or see {LOG.relative_to(ROOT)} "
            f"for the whole story."
        )


def no_compiler() -> str | None:
    """Why pesq, which comes as C source only, cannot be built here; None when it can."""
    header = Path(sysconfig.get_path("include")) / "Python.h"
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if not (shutil.which(compiler) or shutil.which("cc")):
        return (
            "PESQ comes as C source, and there is no C compiler here. Debian, Ubuntu: sudo apt install "
            "build-essential; macOS: xcode-select --install. Then: make bench-codec"
        )
    if not header.exists():
        return (
            f"PESQ comes as C source, and this Python's headers are not here ({header}). Debian, Ubuntu: "
            "sudo apt install python3-dev. Then: make bench-codec"
        )
    return None
