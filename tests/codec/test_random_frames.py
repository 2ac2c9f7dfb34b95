"""Packets of random content, coded by MicroPython: libopus ends each in the very state that the coder ended with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from codec_bench import libopus

pytestmark = pytest.mark.skipif(libopus.missing() is not None, reason=str(libopus.missing()))

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "codec" / "device" / "random_frames.py"


def coded(seed: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Final ranges and packets."""
    done = subprocess.run(
        [ROOT / ".tools" / "micropython", SCRIPT, str(seed), str(count)],
        env={"MICROPYPATH": f".frozen:{ROOT / 'lib'}"},
        capture_output=True,
        check=False,
    )
    if b"invalid micropython decorator" in done.stdout + done.stderr:
        pytest.skip("MicroPython makes no machine code for this computer, so it has no viper")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    at = 0
    while at < len(done.stdout):
        length = int.from_bytes(done.stdout[at : at + 2], "big")
        yield int.from_bytes(done.stdout[at + 2 : at + 6], "big"), done.stdout[at + 6 : at + 6 + length]
        at += 6 + length


@pytest.mark.parametrize("seed", [1, 2])
def test_libopus_ends_where_the_coder_does(seed: int) -> None:
    ranges, packets = zip(*coded(seed, 400), strict=True)
    assert len(packets) == 400
    libopus.agree(packets, ranges)
