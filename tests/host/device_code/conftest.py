"""Small modules of kernels, made for a test, with their meaning and their machine code."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from device_code import qemu
from device_code.device import Device, Run
from device_code.meaning import Meaning
from device_code.record import Recorder


@dataclass
class Kernels:
    """A module `probe` of a test, on both sides."""

    meaning: Meaning
    recorder: Recorder
    modules: list[str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.meaning.module("probe"), name)

    def device(self) -> Device:
        return Device(self.meaning, self.modules)

    def run(self, name: str, *arguments: Any, count: bool = False, cpu_s: int = 20) -> Run:
        """One call on the device."""
        return self.device().run([(f"probe.{name}", arguments)], count=count, cpu_s=cpu_s)


Make = Callable[..., Kernels]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Makes the module probe of that source, and others; `@viper` stands before a kernel."""

    def make(source: str, *, strict: bool = False, **others: str) -> Kernels:
        for name, text in {"probe": source, **others}.items():
            body = textwrap.dedent(text).replace("@viper", "@micropython.viper")
            (tmp_path / f"{name}.py").write_text(f"import micropython\n{body}", encoding="utf-8")
        recorder = Recorder()
        return Kernels(Meaning([tmp_path], strict=strict, wrap=recorder.wrap), recorder, ["probe", *others])

    return make


@pytest.fixture
def runs() -> None:
    """Skips a test where there is no qemu."""
    reason = qemu.missing()
    if reason:
        pytest.skip(reason)
