"""Speech from flite, the small synthesiser: `say("show the newest files", "rms")` gives PCM.

flite is not a Python package. It is looked for in the environment variable `LAPEL_FLITE`, then in the checkout's
`.tools` folder, then on the PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

# Two good voices (rms, slt), one with a Scottish accent (awb) and one of diphones (kal16).
VOICES = ("rms", "slt", "awb", "kal16")
SAMPLE_RATE_HZ = 16_000
TIMEOUT_S = 30.0

_CHECKOUT = Path(__file__).resolve().parents[2]


class VoiceError(Exception):
    """A sentence for the person: flite is not there, or it did not speak."""


@lru_cache(maxsize=1)
def find() -> str:
    """The path of the flite program. VoiceError says how to get one."""
    named = os.environ.get("LAPEL_FLITE")
    places = [named] if named else [str(_CHECKOUT / ".tools" / "flite"), str(_CHECKOUT / ".tools" / "flite" / "flite")]
    for place in places:
        if os.path.isfile(place) and os.access(place, os.X_OK):
            return place
    if named:
        raise VoiceError(f"LAPEL_FLITE names {named}, which is not a program.")
    found = shutil.which("flite")
    if found is None:
        raise VoiceError("flite is not there: `apt-get install flite`, or name the program in LAPEL_FLITE.")
    return found


def available() -> bool:
    """True when `say` can work on this machine."""
    try:
        find()
    except VoiceError:
        return False
    return True


def say(text: str, voice: str = "rms", pace: float = 1.0) -> bytes:
    """PCM (16-bit LE mono 16 kHz) of `text`; a `pace` of 1.2 is slower. VoiceError when flite fails."""
    with tempfile.TemporaryDirectory(prefix="lapel-voice-") as folder:
        out = Path(folder) / "out.wav"
        argv = [find(), "-voice", voice, "--setf", f"duration_stretch={pace}", "-t", text, "-o", str(out)]
        try:
            done = subprocess.run(argv, capture_output=True, timeout=TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VoiceError(f"flite did not run: {error}") from error
        if done.returncode != 0 or not out.is_file():
            said = done.stderr.decode("utf-8", "replace").strip()
            raise VoiceError(f"flite did not speak with voice {voice}: {said or 'no reason given'}")
        return _read(out)


def _read(path: Path) -> bytes:
    with wave.open(str(path), "rb") as wav:
        form = (wav.getnchannels(), wav.getsampwidth(), wav.getframerate())
        if form != (1, 2, SAMPLE_RATE_HZ):
            raise VoiceError(f"flite gave {form} (channels, bytes, Hz); a voice of 16 kHz is needed.")
        return wav.readframes(wav.getnframes())
