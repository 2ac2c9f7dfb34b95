"""The spectrogram: what went in, and what comes out of each codec, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

RATE_HZ = 16_000
# Windows of 16 ms every 4 ms.
_WINDOW, _HOP = 256, 64
_RANGE_DB = 70.0
_PANEL_W, _PANEL_H = 960, 150
_LEFT, _RIGHT, _TITLE, _BOTTOM, _GAP = 58, 14, 24, 34, 8
_PAPER, _INK, _SOFT = (255, 255, 255), (31, 42, 55), (107, 114, 128)
# From silence to the loudest: dark blue, violet, orange, light yellow.
_COLOURS = np.array([(8, 10, 40), (66, 20, 110), (160, 40, 105), (230, 95, 50), (250, 185, 70), (255, 250, 205)], float)


def draw(panels: Sequence[tuple[str, bytes]], path: Path) -> None:
    """A PNG of these (title, 16-bit PCM at 16 kHz), all to the same scale of levels. Raises OSError."""
    spectra = [_levels_db(pcm) for _, pcm in panels]
    loudest = max(float(one.max()) for one in spectra)
    step = _TITLE + _PANEL_H + _GAP
    image = Image.new("RGB", (_LEFT + _PANEL_W + _RIGHT, step * len(panels) + _BOTTOM), _PAPER)
    pen = ImageDraw.Draw(image)
    large, small = ImageFont.load_default(14), ImageFont.load_default(11)
    seconds = max(len(pcm) for _, pcm in panels) / 2 / RATE_HZ
    for number, ((title, _), spectrum) in enumerate(zip(panels, spectra, strict=True)):
        top = number * step + _TITLE
        pen.text((_LEFT, top - 20), title, _INK, large)
        image.paste(_panel(spectrum, loudest), (_LEFT, top))
        for khz in range(0, 9, 2):
            y = top + _PANEL_H - round(_PANEL_H * khz / 8)
            pen.line((_LEFT - 4, y, _LEFT - 1, y), _SOFT)
            pen.text((_LEFT - 8, y), f"{khz} kHz", _SOFT, small, anchor="rm")
    bottom = step * len(panels) - _GAP
    for tenth in range(0, int(10 * seconds) + 1, 5):
        x = _LEFT + round(_PANEL_W * tenth / 10 / seconds)
        pen.line((x, bottom + 1, x, bottom + 4), _SOFT)
        pen.text((x, bottom + 6), f"{tenth / 10:g} s", _SOFT, small, anchor="mt")
    # Few colours are enough, and a third of the bytes.
    image.quantize(palette=_palette(), dither=Image.Dither.NONE).save(path, "PNG", optimize=True)


def _panel(spectrum: NDArray[Any], loudest: float) -> Image.Image:
    """Bins upwards, frames to the right, in colours."""
    height = np.clip((spectrum.T[::-1] - loudest + _RANGE_DB) / _RANGE_DB, 0, 1)
    colours = Image.fromarray(_scale(height).astype(np.uint8))
    return colours.resize((_PANEL_W, _PANEL_H), Image.Resampling.BILINEAR)


def _scale(height: NDArray[Any]) -> NDArray[Any]:
    """The colours of heights from 0 to 1."""
    steps = height * (len(_COLOURS) - 1)
    low = np.minimum(steps.astype(int), len(_COLOURS) - 2)
    part = (steps - low)[..., None]
    return np.asarray((_COLOURS[low] * (1 - part) + _COLOURS[low + 1] * part).round())


def _palette() -> Image.Image:
    """The scale, and what letters are made of."""
    letters = [np.linspace(_PAPER, ink, 16) for ink in (_INK, _SOFT)]
    colours = np.concatenate([_scale(np.linspace(0, 1, 96)), *letters]).round().astype(np.uint8)
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.tobytes())
    return palette


def _levels_db(pcm: bytes) -> NDArray[Any]:
    sound = np.frombuffer(pcm, "<i2") / 32768
    sound = np.pad(sound, (0, max(0, _WINDOW - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    return np.asarray(20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)) + 1e-6))
