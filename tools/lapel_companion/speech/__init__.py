"""Speech to text: `make` builds the recogniser that the configuration names."""

from __future__ import annotations

from typing import Protocol

from lapel_companion.speech.base import Recogniser, SpeechError


class Settings(Protocol):
    """The [speech] part of the configuration."""

    @property
    def engine(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def api_key_env(self) -> str | None: ...
    @property
    def timeout_s(self) -> float: ...


def make(settings: Settings) -> Recogniser:
    """The recogniser of `settings.engine`; nothing is loaded or asked yet. SpeechError when a setting cannot work."""
    if settings.engine == "pocketsphinx":
        from lapel_companion.speech.sphinx import PocketSphinx

        return PocketSphinx()
    if settings.engine == "faster-whisper":
        from lapel_companion.speech.whisper import FasterWhisper

        return FasterWhisper(settings.model, settings.language)
    if settings.engine == "openai":
        from lapel_companion.speech.openai_api import OpenAiEndpoint

        return OpenAiEndpoint(settings.url, settings.model, settings.api_key_env, settings.timeout_s)
    raise SpeechError(f'there is no speech engine "{settings.engine}"; choose pocketsphinx, faster-whisper or openai.')
