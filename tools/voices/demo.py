"""Writes the demo's recordings: `python -m voices.demo FOLDER`. They are in the repository; this makes them again."""

from __future__ import annotations

import sys
import wave
from array import array
from pathlib import Path

from voices import flite

# File name, sentence, voice.
RECORDINGS = (
    ("disk_space.wav", "how much disk space is left", "rms"),
    ("newest_files.wav", "show the newest files", "rms"),
    ("note_milk.wav", "make a note to buy milk", "rms"),
    ("unknown.wav", "open the garage door", "rms"),
    ("yes.wav", "yes", "rms"),
    ("no.wav", "no", "rms"),
)
# Silence kept around the speech, and the level under which a sample counts as silence.
MARGIN_MS = 200
QUIET = 200


def trim(pcm: bytes) -> bytes:
    """The speech in `pcm` (16-bit LE) with MARGIN_MS of silence on both sides, padded where there is less."""
    samples = array("h", pcm)
    loud = [index for index, value in enumerate(samples) if abs(value) > QUIET]
    if not loud:
        return pcm
    margin = MARGIN_MS * flite.SAMPLE_RATE_HZ // 1000
    first, last = loud[0], loud[-1] + 1
    lead = array("h", bytes(2 * max(0, margin - first)))
    tail = array("h", bytes(2 * max(0, last + margin - len(samples))))
    return (lead + samples[max(0, first - margin) : last + margin] + tail).tobytes()


def write(folder: Path) -> None:
    """All recordings into `folder`, which is made when it is missing. VoiceError when flite is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text, voice in RECORDINGS:
        with wave.open(str(folder / name), "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(flite.SAMPLE_RATE_HZ)
            wav.writeframes(trim(flite.say(text, voice)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m voices.demo FOLDER")
    try:
        write(Path(sys.argv[1]))
    except (flite.VoiceError, OSError) as error:
        sys.exit(str(error))
