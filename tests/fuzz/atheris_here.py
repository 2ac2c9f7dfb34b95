"""Atheris is for those who fuzz, not for every user: installed into .venv when it is first asked for."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence

from tests.fuzz.paths import ROOT

# Examples a target and second of the larger profile.
_EXAMPLES_A_SECOND = 100


def missing() -> str | None:
    """None when atheris is here now; else a sentence on why it cannot be."""
    if importlib.util.find_spec("atheris") is not None:
        return None
    group = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["fuzz"]
    command = [sys.executable, "-m", "pip", "install", "-q", "--only-binary", ":all:", "-c", "tools/constraints.txt"]
    print("installing atheris into .venv (once)", flush=True)
    subprocess.run([*command, *group], cwd=ROOT, capture_output=True, check=False)
    importlib.invalidate_caches()
    if importlib.util.find_spec("atheris") is not None:
        return None
    return (
        f"atheris, which guides by coverage, is not to be had for Python {sys.version_info.major}."
        f"{sys.version_info.minor} on {sys.platform} (it is for 3.11 to 3.13 on Linux with an x86-64 processor): "
        "hypothesis fuzzes instead."
    )


def without(chosen: Sequence[str], seconds: float) -> int:
    """Hypothesis' larger profile over these targets; pytest's exit code."""
    environment = {**os.environ, "LAPEL_FUZZ_EXAMPLES": str(int(seconds * _EXAMPLES_A_SECOND))}
    command = [sys.executable, "-m", "pytest", "-q", "--timeout", "0", "tests/fuzz/test_properties.py"]
    wanted = " or ".join(f"{name}]" for name in chosen)
    return subprocess.run([*command, "-k", wanted], cwd=ROOT, env=environment, check=False).returncode
