"""A speech endpoint that speaks OpenAI's transcription API: here, in the house or elsewhere.

The key is read from the environment when it is used, goes into one header, and never into a message or a log.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import re
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lapel_companion.speech import sound, wav
from lapel_companion.speech.base import SpeechError, Transcript, names_in
from lapel_companion.wording import one_line

DEFAULT_MODEL = "whisper-1"
_PATH = "/audio/transcriptions"
_MOST_ANSWER_BYTES = 1 << 20
_HOME = ("127.0.0.1", "::1", "localhost")
_REACH_S = 3.0
_MOST_REASON_BYTES = 65_536
_MOST_REASON_CHARS = 300
_SHORTEST_KEY = 8
_PLAIN = re.compile(r"[!-~]+")
_NO_ADDRESS = "url under [speech] is no address of a speech endpoint; it looks like http://127.0.0.1:8080/v1."
_LEAST_LOG = -1000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key and the voice to somebody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


class OpenAiEndpoint:
    """POST <url>/audio/transcriptions. Stateless, so any number of threads may use it."""

    name = "openai"
    trusted = True

    def __init__(self, url: str | None, model: str | None, api_key_env: str | None, timeout_s: float) -> None:
        if not url:
            raise SpeechError('engine = "openai" needs the address of its endpoint: url = "http://127.0.0.1:8080/v1".')
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise SpeechError(_NO_ADDRESS) from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not _PLAIN.fullmatch(url):
            # It is not shown: a key may stand in it.
            raise SpeechError(_NO_ADDRESS)
        if parts.username or parts.password:
            raise SpeechError("the url of the speech endpoint holds a password; put a key into api_key_env's variable.")
        self._host = parts.hostname
        self._port = port or (443 if parts.scheme == "https" else 80)
        self._shown = f"{parts.scheme}://{parts.netloc}"
        path = parts.path.rstrip("/")
        whole = path.endswith((_PATH, "/inference"))
        self._address = self._shown + (path if whole else path + _PATH) + (f"?{parts.query}" if parts.query else "")
        self._queried = [parts.query, *(value for _, value in parse_qsl(parts.query) if len(value) >= _SHORTEST_KEY)]
        if api_key_env and parts.scheme == "http" and self._host not in _HOME:
            raise SpeechError(f"the key would travel readable to {self._shown}; use https, or no api_key_env.")
        self._key_env = api_key_env
        self._model = model or DEFAULT_MODEL
        self._timeout_s = timeout_s
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if self._host in _HOME:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def warm_up(self) -> None:
        """SpeechError when the key is not set or nothing listens at the address."""
        self._key()
        try:
            socket.create_connection((self._host, self._port), min(_REACH_S, self._timeout_s)).close()
        except OSError as error:
            raise self._unreachable(error) from error

    def check_phrase(self, phrase: str) -> str | None:
        """Free speech: every phrase can be heard."""
        return None

    def transcribe(self, pcm: bytes, language: str = "en", hints: Sequence[str] = ()) -> Transcript:
        """The endpoint's text for `pcm`. SpeechError when it does not answer, refuses, or answers something else."""
        if sound.is_still(pcm):
            return Transcript("", no_speech=True, engine=self.name)
        # Only Whisper models know the answer that has probabilities in it.
        form = "verbose_json" if "whisper" in self._model else "json"
        fields = {"model": self._model, "language": language.partition("-")[0].lower(), "response_format": form}
        names = names_in(hints)
        if names:
            fields["prompt"] = ", ".join(names)
        return transcript(self._post(*_multipart(fields, wav.packed(pcm))), self._shown)

    def _key(self) -> str | None:
        if not self._key_env:
            return None
        key = os.environ.get(self._key_env, "").strip()
        if not key or not _PLAIN.fullmatch(key):
            raise SpeechError(
                f"the environment variable {self._key_env} holds no key for {self._shown}; set it where the companion "
                "starts, or remove api_key_env from the configuration."
            )
        return key

    def _post(self, kind: str, body: bytes) -> bytes:
        request = urllib.request.Request(self._address, data=body, method="POST")
        request.add_header("Content-Type", kind)
        request.add_header("Accept", "application/json")
        key = self._key()
        if key:
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                raw: bytes = response.read(_MOST_ANSWER_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error, key) from error
        except OSError as error:
            raise self._unreachable(error) from error
        except (http.client.HTTPException, ValueError) as error:
            # What it says may quote the other side, or us.
            raise SpeechError(f"{self._shown} did not answer as HTTP does ({type(error).__name__}).") from None
        if len(raw) > _MOST_ANSWER_BYTES:
            raise SpeechError(f"{self._shown} answered with more than 1 MB; that is no transcript.")
        return raw

    def _unreachable(self, error: Exception) -> SpeechError:
        cause = getattr(error, "reason", None) or error
        if isinstance(cause, TimeoutError):
            return SpeechError(f"the speech endpoint {self._shown} did not answer in {self._timeout_s:g} s.")
        return SpeechError(
            f"the speech endpoint {self._shown} cannot be reached ({cause}); start it, or choose another engine."
        )

    def _refused(self, error: urllib.error.HTTPError, key: str | None) -> SpeechError:
        if error.code in (401, 403):
            which = f"the key in {self._key_env}" if self._key_env else "a call without a key (see api_key_env)"
            return SpeechError(f"{self._shown} refused {which} ({error.code}).")
        if error.code == 404:
            return SpeechError(f"{self._shown} knows no transcription there (404); see url and model under [speech].")
        if 300 <= error.code < 400:
            return SpeechError(f"{self._shown} sends elsewhere ({error.code}); put the final address into url.")
        try:
            said = error.read(_MOST_REASON_BYTES).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            said = ""
        said = " ".join((said or str(error.reason)).split())
        # Before it is cut: half a key is not found any more. A query may hold one, too.
        for secret in (key, *self._queried):
            said = said.replace(secret, "...") if secret else said
        return SpeechError(f"{self._shown} refused the clip ({error.code}): {said[:_MOST_REASON_CHARS]}")


def transcript(raw: bytes, shown: str) -> Transcript:
    """What an endpoint's answer says. `shown` names the endpoint in errors. Raises SpeechError."""
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise SpeechError(f"{shown} did not answer in JSON; is it a transcription endpoint?") from error
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str):
        raise SpeechError(f"{shown} answered without a text; is it a transcription endpoint?")
    # It is shown on terminals, where an endpoint has nothing to steer.
    text = one_line(text)
    if not text:
        return Transcript("", no_speech=True, engine=OpenAiEndpoint.name)
    return Transcript(text, confidence=_confidence(answer.get("segments")), engine=OpenAiEndpoint.name)


def _multipart(fields: dict[str, str], recording: bytes) -> tuple[str, bytes]:
    border = secrets.token_hex(16)
    lines: list[bytes] = []
    for name, value in fields.items():
        lines.append(f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    head = 'Content-Disposition: form-data; name="file"; filename="clip.wav"\r\nContent-Type: audio/wav'
    lines.append(f"--{border}\r\n{head}\r\n\r\n".encode() + recording + f"\r\n--{border}--\r\n".encode())
    return f"multipart/form-data; boundary={border}", b"".join(lines)


def _confidence(segments: object) -> float | None:
    if not isinstance(segments, list):
        return None
    logs = [part.get("avg_logprob") for part in segments if isinstance(part, dict)]
    # Logarithms of probabilities are never above 0; of what is none nothing follows.
    known = [value for value in logs if isinstance(value, int | float) and _LEAST_LOG <= value <= 0]
    return round(math.exp(sum(known) / len(known)), 3) if known else None
