"""Cycles of a frame: of the pin's own encoders only, and a sentence where they cannot be counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from codec_bench import cycles
from codec_bench.coders import Coder
from device_code import qemu
from tests.host.codec.sounds import voice_like

ADPCM = Coder("adpcm", 64, "")


@pytest.mark.skipif(qemu.missing() is not None, reason=str(qemu.missing()))
def test_a_frame_of_adpcm_costs_what_its_samples_cost() -> None:
    found = cycles.of_a_frame(ADPCM, voice_like(0.2))
    # 320 samples of 100 to 200 cycles
    assert found is not None and 32_000 < found < 64_000


def test_what_runs_elsewhere_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cycles.of_a_frame(Coder("libopus 0", 24, "constant"), voice_like(0.2)) is None
    monkeypatch.setattr(qemu, "QEMU", Path("/nowhere/qemu-xtensa"))
    with pytest.raises(cycles.NotCounted, match=r"adpcm: .*there is no \.tools/qemu-xtensa"):
        cycles.of_a_frame(ADPCM, voice_like(0.2))
