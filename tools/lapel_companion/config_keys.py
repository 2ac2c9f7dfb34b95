"""Every key that the configuration knows: its type, its bounds, and its value when it is not given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Key:
    """kind: text, flag, whole, number, texts, file, variable or clock ("HH:MM"). low and high are the bounds of
    numbers, or of the length of texts."""

    kind: str
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


ENGINES = ("pocketsphinx", "faster-whisper", "openai")
CHANNELS = ("auto", "desktop", "terminal")
TEXTS = ("here", "everywhere", "nowhere")
CODECS = ("auto", "opus", "adpcm")
AGENTS = ("command", "note", "reminder")

MAX_PHRASES = 200
MAX_WORDS = 40
MAX_ARGUMENTS = 64

SECTIONS: dict[str, dict[str, Key]] = {
    "speech": {
        "engine": Key("text", "pocketsphinx", choices=ENGINES),
        "language": Key("text", "en", 2, 16),
        "model": Key("text", None, 1, 200),
        "url": Key("text", None, 1, 500),
        "api_key_env": Key("variable", None, 1, 100),
        "timeout_s": Key("number", 120.0, 1, 3600),
        "hints": Key("texts", (), 0, 100),
        "min_confidence": Key("number", 0.0, 0, 1),
    },
    "dispatch": {
        "ask_after_min": Key("number", 30.0, 0, 10_080),
    },
    "jobs": {
        "at_once": Key("whole", 4, 1, 64),
        "timeout_s": Key("number", 60.0, 0.1, 86_400),
        "max_output_bytes": Key("whole", 65_536, 256, 16_777_216),
    },
    "keep": {
        "days": Key("number", 365.0, 1, 36_500),
        "mb": Key("whole", 2000, 50, 1_000_000),
    },
    "notes": {
        "file": Key("file"),
    },
    "notices": {
        "channel": Key("text", "auto", choices=CHANNELS),
        "texts": Key("text", "here", choices=TEXTS),
    },
    "pin": {
        "preroll": Key("flag", False),
        "quiet_from": Key("clock"),
        "quiet_to": Key("clock"),
        "haptic_percent": Key("whole", 100, 0, 100),
        "led_percent": Key("whole", 100, 0, 100),
        "codec": Key("text", "auto", choices=CODECS),
    },
}

PHRASE: dict[str, Key] = {
    "say": Key("texts", (), 1, 16),
    "agent": Key("text", "command", choices=AGENTS),
    "run": Key("texts", (), 1, MAX_ARGUMENTS),
    "harmless": Key("flag"),
    "idempotent": Key("flag", False),
    "timeout_s": Key("number", None, 0.1, 86_400),
    "max_output_bytes": Key("whole", None, 256, 16_777_216),
    "cwd": Key("file"),
    "env": Key("texts", (), 0, 64),
    "result": Key("text", None, 1, 120),
}

# Keys that only one agent reads: naming them elsewhere is a mistake that would otherwise go unseen.
COMMAND_ONLY = ("run", "idempotent", "timeout_s", "max_output_bytes", "cwd", "env", "result")
SLOTS = {"note": ("text",), "reminder": ("when", "text")}
