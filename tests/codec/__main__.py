"""`make codec-hour`: an hour of every kind of sound at rates that change, and what two decoders say of each packet.

Once with packets of constant size and once of variable. HOURS= for another length, SEED= for other sounds; exit 1 when
a packet means something else than its encoder meant.
"""

from __future__ import annotations

import argparse
import os
import secrets
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from codec_bench import ffmpeg, libopus
from simulator.pin import find_interpreter
from tests.codec import sounds
from tests.codec.test_stream import rates

ROOT = Path(__file__).resolve().parents[2]
FRAMES_AN_HOUR = 180_000
# Looked at together, so that memory stays bounded.
_PIECE = 3000
# Two decoders round otherwise.
_ALIKE_DB = -100.0


@dataclass
class Found:
    """What came of a stream."""

    mode: str
    frames: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    unlike_db: float = -200.0
    wrong: str = ""


def stream(mode: str, seed: int, count: int) -> Found:
    """`count` frames through one encoder and one decoder."""
    found = Found(mode)
    script = Path(__file__).parent / "device" / "stream.py"
    with subprocess.Popen(
        [find_interpreter(), "-X", "heapsize=4m", str(script), str(int(mode == "variable"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'lib'}:.frozen"},
    ) as encoder:
        assert encoder.stdin and encoder.stdout
        feeder = threading.Thread(target=_feed, args=(encoder.stdin, seed, count, found.frames), daemon=True)
        feeder.start()
        decoder = libopus.Decoder(libopus.RATE_HZ)
        coded = _coded(encoder.stdout)
        done = 0
        while piece := list(islice(coded, _PIECE)):
            packets, ranges = zip(*piece, strict=True)
            try:
                libopus.agree(packets, ranges, decoder=decoder)
                found.unlike_db = max(found.unlike_db, ffmpeg.unlike_db(packets))
            except libopus.Disagreement as error:
                found.wrong = f"in the {_PIECE} frames from {done} on: {error}"
                encoder.kill()
                return found
            done += len(packets)
            found.bytes += sum(map(len, packets))
    if done != count:
        found.wrong = f"{count} frames went in, {done} packets came out"
    elif found.unlike_db > _ALIKE_DB:
        found.wrong = f"FFmpeg hears something else than libopus: {found.unlike_db:.0f} dB"
    return found


def _feed(target: IO[bytes], seed: int, count: int, kinds: Counter[str]) -> None:
    with target:
        for rate, (kind, pcm) in zip(rates(seed, count), sounds.frames(seed, count), strict=True):
            kinds[kind] += 1
            target.write(bytes((rate,)) + pcm)


def _coded(source: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    while head := source.read(6):
        size, final_range = struct.unpack("<HI", head)
        yield source.read(size), final_range


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make codec-hour")
    parser.add_argument("--hours", type=float, default=1.0, help="of each of the two modes")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 28))
    options = parser.parse_args()
    if missing := libopus.missing():
        print(missing, file=sys.stderr)
        return 2
    count, begun_s = round(FRAMES_AN_HOUR * options.hours), time.monotonic()
    print(f"{count} frames of 20 ms in each mode, 8 to 100 kbit/s, SEED={options.seed}")
    with ProcessPoolExecutor(2) as pool:
        modes = ("constant", "variable")
        results = list(pool.map(stream, modes, (options.seed, options.seed + 1), (count, count)))
    print(f"{'':10}{'frames':>9}{'bytes':>12}  {'final ranges equal':>18}  {'FFmpeg and libopus differ by':>28}")
    for found in results:
        equal = "no" if found.wrong else "all"
        print(f"{found.mode:10}{found.frames.total():>9}{found.bytes:>12}  {equal:>18}  {found.unlike_db:>25.0f} dB")
    kinds = sum((found.frames for found in results), Counter[str]())
    print("of " + ", ".join(f"{kind} {kinds[kind]}" for kind in dict.fromkeys(sounds.KINDS)))
    print(f"{time.monotonic() - begun_s:.0f} s")
    for found in results:
        if found.wrong:
            print(f"{found.mode}: {found.wrong}", file=sys.stderr)
    return any(found.wrong for found in results)


if __name__ == "__main__":
    sys.exit(main())
