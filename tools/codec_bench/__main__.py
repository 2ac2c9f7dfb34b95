"""`python -m codec_bench` (`make bench-codec`): our Opus encoder, libopus and ADPCM over the same speech.

Exit 0: measured; 1: something that it needs cannot be had (a sentence says what); 2: used wrongly.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from codec_bench import extras, libopus
from codec_bench.clips import Clip, recorded, spoken, stretches
from codec_bench.coders import RATES_KBPS, Coder, all_of, code, missing_ours
from lapel_codec.pin_encoder import CannotEncode
from lapel_codec.recordings import BadRecording
from voices.flite import VoiceError

ROOT = extras.ROOT
MODES = ("constant", "variable")
PICTURE_KBPS = 24
TITLES = {
    "raw": "input: 16-bit PCM",
    "adpcm": "IMA ADPCM",
    "ours": "the pin's Opus",
    "libopus 0": "libopus, complexity 0",
}


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    asked = _arguments(argv)
    try:
        extras.provide()
        libopus.library()
        clips = list(spoken(asked.each))
        for folder in asked.folder:
            clips += recorded(folder)
    except (extras.Missing, libopus.OpusError, VoiceError, BadRecording, OSError) as error:
        print(f"bench-codec: {error}", file=sys.stderr)
        return 1
    why = missing_ours()
    if why:
        print(f"our own Opus encoder is left out: {why}", file=sys.stderr)
    rows = all_of(asked.rates, asked.modes, ours=why is None)
    try:
        _bench(clips, rows, asked)
    except (libopus.OpusError, CannotEncode, OSError) as error:
        print(f"bench-codec: {error}", file=sys.stderr)
        return 1
    return 0


def _bench(clips: Sequence[Clip], coders: Sequence[Coder], asked: argparse.Namespace) -> None:
    # These need what `extras` has just provided.
    from codec_bench import judging, picture, table

    start = time.monotonic()
    speakers = len({clip.speaker for clip in clips})
    print(f"{len(clips)} clips of {speakers} speakers, {sum(clip.seconds for clip in clips):.0f} s\n", flush=True)
    groups = stretches(clips)
    judged = []
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        for one in pool.imap(judging.judge, [(coder, clips, groups, not asked.no_words) for coder in coders]):
            judged.append(one)
            if sys.stderr.isatty():
                print(f"\r{len(judged)} of {len(coders)}: {one.coder.name:40}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r" + 60 * " " + "\r", end="", file=sys.stderr)
    found = table.rows(judged, clips, _cycles(coders, clips[0].pcm))
    print(table.printed(found))
    for met, text in table.aims(found):
        print(f"{'met   ' if met else 'MISSED'} {text}")
    versions = {name: version(name) for name in ("pesq", "numpy", "pocketsphinx")}
    told = table.as_json(found, clips, {"libopus": libopus.version(), **versions})
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    asked.picture.parent.mkdir(parents=True, exist_ok=True)
    picture.draw(_panels(clips, coders), asked.picture)
    print(f"\n{asked.json} and {asked.picture} written; {time.monotonic() - start:.0f} s")


def _cycles(coders: Sequence[Coder], pcm: bytes) -> dict[str, int]:
    """Of a frame, by the coder's name, as far as they can be counted here."""
    from codec_bench import cycles

    found = {}
    for coder in coders:
        try:
            count = cycles.of_a_frame(coder, pcm)
        except cycles.NotCounted as error:
            print(f"cycles are not counted: {error}", file=sys.stderr)
            break
        if count is not None:
            found[coder.name] = count
    return found


def _panels(clips: Sequence[Clip], coders: Sequence[Coder]) -> list[tuple[str, bytes]]:
    """What the picture shows of the first clip: input, ADPCM, ours, libopus."""
    shown = clips[0]
    panels = []
    for coder in coders:
        if coder.who in ("raw", "adpcm") or (
            coder.who in ("ours", "libopus 0") and (coder.kbps, coder.mode) == (PICTURE_KBPS, MODES[0])
        ):
            [coded] = code(coder, [shown.pcm])
            kbps = 8 * coded.coded_bytes / 1000 / shown.seconds
            panels.append((f"{TITLES[coder.who]}, {kbps:.0f} kbit/s", coded.pcm))
    return panels


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="codec_bench", description=__doc__)
    parser.add_argument("--folder", type=Path, action="append", default=[], help="WAV files to take, too")
    parser.add_argument("--each", type=int, default=16, help="lines a voice (16)")
    parser.add_argument("--rates", type=_numbers, default=RATES_KBPS, help="kbit/s (16,24,32)")
    parser.add_argument("--modes", type=lambda text: text.split(","), default=MODES, help="constant,variable")
    parser.add_argument("--no-words", action="store_true", help="without the recogniser")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench-codec.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "build" / "codec-spectrogram.png")
    return parser.parse_args(argv)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
