"""Microphone: noise floor, offset, clipping, lines in the spectrum, and the level of a voice."""

from __future__ import annotations

import math

from lapel_bringup import sound
from lapel_bringup.desk import Desk, Step
from lapel_bringup.result import Result

_NOISY_DBFS = -80
_BAD_NOISE_DBFS = -65
_STRONG_LINE_DB = 20
_OFFSET_SHARE = 0.1
_VOICE_OVER_NOISE_DB = 15
_WANTED_PEAK_DBFS = -12
_CLIPPED_SHARE = 0.0005
_GAIN_STEP_DB = 6.02
_GAIN_STEPS_MAX = 6
_FRAME = 320
_POINTS = 420


def run(desk: Desk) -> Result:
    """Silence first, then a voice."""
    result = Result()
    desk.person.ready("mic.quiet", "Lay the pin on the table, its sound hole free, and keep quiet for a few seconds.")
    desk.person.now("quiet", "keep quiet")
    plan = desk.plan
    told = desk.bench.run(
        "listen", pieces=plan.quiet_pieces, piece_bytes=plan.piece_bytes, from_open=False, timeout_s=90
    )
    pieces = [sound.samples_24(words) for words in told.data["sound"]]
    rate_hz = told.one("rate")["rate_hz"]
    quiet = sound.levels([x for piece in pieces for x in piece])
    result.figures.update(rate_hz=rate_hz, dc_24=round(quiet.mean, 1), samples=sum(map(len, pieces)))
    result.cannot_know("how loud your room was, and the sensitivity of this very microphone (+-3 dB, data sheet)")
    if _dead(desk, result, quiet):
        return result
    _silence(result, pieces, quiet, rate_hz)
    desk.person.ready(
        "mic.speak", "Now wear the pin, or hold it where you will wear it. When it says NOW, speak in your usual voice."
    )
    desk.person.now("speak", "speak a few sentences, until it says enough")
    told = desk.bench.run(
        "listen", pieces=plan.speech_pieces, piece_bytes=plan.piece_bytes, from_open=False, timeout_s=120
    )
    desk.person.tell("  Enough, thank you.")
    _voice(result, [sound.samples_24(words) for words in told.data["sound"]], rate_hz)
    return result


def _dead(desk: Desk, result: Result, quiet: sound.Levels) -> bool:
    if quiet.moves:
        return False
    value = round(quiet.mean)
    result.figures["stuck_at"] = value
    if value not in (0, -1):
        result.bad(
            f"The microphone gives the same number all the time ({value}).",
            "Its clock does not arrive: check the wires of SCK (BCLK) and WS (LRCL).",
        )
        return True
    other = _other_slot(desk)
    if other:
        result.bad(
            "The microphone is silent in the left slot and speaks in the right one.",
            "Its L/R (SEL) pin is high or open: tie it to ground.",
        )
    elif value == 0:
        result.bad(
            "The microphone gives nothing but zeros.",
            "The data wire SD (DOUT) is off or on another pin, or the microphone has no power or no clock "
            "(3V3, GND, SCK, WS)." + ("" if other is False else " L/R (SEL) must be tied to ground."),
        )
    else:
        result.bad(
            "The microphone's data line is high all the time.",
            "SD (DOUT) touches 3V3, or is on a pin with a pull-up; solder bridges are the usual reason.",
        )
    return True


def _other_slot(desk: Desk) -> bool | None:
    told = desk.bench.run("slots", piece_bytes=8192, timeout_s=20)
    if "stereo" not in told.data:
        return None
    return sound.levels(sound.samples_24(told.data["stereo"][0])[1::2]).moves > 0


def _silence(result: Result, pieces: list[list[int]], quiet: sound.Levels, rate_hz: int) -> None:
    spectrum = sound.spectrum(pieces, rate_hz)
    noise = round(spectrum.a_dbfs, 1)
    result.figures.update(
        noise_dbfs=round(quiet.dbfs, 1),
        noise_a_dbfs=noise,
        noise_a_spl_db=round(noise + sound.SPL_AT_FULL_DB, 1),
        noise_24=round(sound.FULL_24 * math.sqrt(10 ** (quiet.dbfs / 10) / 2), 1),
        dc_dbfs=round(10 * math.log10(max(1.0, quiet.mean**2) / sound.FULL_24**2), 1),
        clipped_quiet=quiet.clipped,
        lines=[vars(line) for line in spectrum.lines],
    )
    result.series["spectrum"] = _thinned(spectrum)
    level = f"Noise floor {noise} dBFS (A), that is {result.figures['noise_a_spl_db']} dB SPL (A)"
    if noise <= _NOISY_DBFS:
        result.good(f"{level}: a quiet room and a healthy microphone.")
    elif noise <= _BAD_NOISE_DBFS:
        result.look(
            f"{level}.", "The room was not quiet, or noise comes in by the supply: repeat it on the cell, in silence."
        )
    else:
        result.bad(
            f"{level}: speech would drown in it.",
            "Somebody spoke, a fan blows on the pin, or SD floats: check its wire and add the 100 kΩ to ground that "
            "the data sheet asks for.",
        )
    if abs(quiet.mean) > _OFFSET_SHARE * sound.FULL_24:
        result.look(
            f"The offset is large ({result.figures['dc_24']:.0f} of 8388607).",
            "Wrong bit alignment, or a damaged microphone; the app takes the offset away, but room is lost.",
        )
    else:
        result.good(
            f"Offset {result.figures['dc_24']:.0f} of 8388607: normal for these microphones, the app removes it."
        )
    for line in spectrum.lines:
        if line.over_db >= _STRONG_LINE_DB:
            named = f" ({line.name})" if line.name else ""
            result.look(f"A tone at {line.hz:g} Hz{named}, {line.over_db:g} dB over what is beside it.", _advice(line))


def _advice(line: sound.Line) -> str:
    if line.name.startswith("mains"):
        return "Mains hum: a lamp, a charger or a long USB cable near it; try on the cell."
    if line.name:
        return "It comes from the pin's own clocks by the supply: 100 nF beside the microphone's VDD, short wires."
    return "Something in the room hums, or the supply does."


def _voice(result: Result, pieces: list[list[int]], rate_hz: int) -> None:
    everything = [x for piece in pieces for x in piece]
    whole = sound.levels(everything)
    frames = [
        sound.levels(piece[at : at + _FRAME]).dbfs for piece in pieces for at in range(0, len(piece) - _FRAME, _FRAME)
    ]
    voice = sound.percentile(frames, 0.9)
    over = voice - result.figures["noise_dbfs"]
    share = whole.clipped / len(everything)
    room_db = _WANTED_PEAK_DBFS - whole.peak_dbfs
    spoken = over >= _VOICE_OVER_NOISE_DB
    steps = max(0, min(_GAIN_STEPS_MAX, int(room_db // _GAIN_STEP_DB))) if spoken else 0
    result.figures.update(
        voice_dbfs=round(voice, 1),
        voice_spl_db=round(voice + sound.SPL_AT_FULL_DB, 1),
        voice_peak_dbfs=round(whole.peak_dbfs, 1),
        voice_over_noise_db=round(over, 1),
        clipped_voice=whole.clipped,
        gain_steps_advised=steps,
    )
    result.series["voice_dbfs"] = [round(x, 1) for x in frames]
    result.series["voice_frame_ms"] = 1000 * _FRAME / rate_hz
    if whole.clipped and share >= _CLIPPED_SHARE:
        result.bad(
            f"A voice clips: {whole.clipped} of {len(everything)} samples are at the end of the scale.",
            "Over 120 dB SPL at the sound hole: wind, blowing or tapping on it. If it was your usual voice, the gain "
            "is too high or the bits are shifted (wrong microphone type).",
        )
    elif not spoken:
        result.look(
            f"A voice is only {over:.0f} dB over the noise.",
            "Nobody spoke, or the sound hole is covered: look at the hole in the board and at glue over it.",
        )
    else:
        result.good(
            f"A voice is {voice + sound.SPL_AT_FULL_DB:.0f} dB SPL here, {over:.0f} dB over the noise; nothing clips."
        )
    if steps:
        result.good(f"Under cloth, mic_gain_steps could be up to {steps} (6 dB each) before such a voice clips.")


def _thinned(spectrum: sound.Spectrum) -> dict[str, list[float]]:
    # the loudest bin of each step on a logarithmic axis, so that no line is lost
    top_hz = spectrum.bin_hz * (len(spectrum.dbfs) - 1)
    first_hz = 20.0
    hz: list[float] = []
    dbfs: list[float] = []
    at = first_hz
    factor = (top_hz / first_hz) ** (1 / _POINTS)
    while at < top_hz:
        low = round(at / spectrum.bin_hz)
        high = max(low + 1, round(at * factor / spectrum.bin_hz))
        if not hz or low * spectrum.bin_hz > hz[-1]:
            best = max(range(low, min(high, len(spectrum.dbfs))), key=spectrum.dbfs.__getitem__)
            hz.append(round(best * spectrum.bin_hz, 1))
            dbfs.append(round(spectrum.dbfs[best], 1))
        at *= factor
    return {"hz": hz, "dbfs": dbfs}


STEP = Step(
    "microphone",
    "Microphone",
    "Listens to silence and to your voice: noise floor, offset, clipping, hum.",
    run,
)
