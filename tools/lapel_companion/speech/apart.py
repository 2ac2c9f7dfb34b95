"""A recogniser in a process of its own.

pocketsphinx holds Python's lock for seconds at a time: in the daemon's process the link to the pin would
stand still while it listens. Here it may even crash, or be ended when it takes too long.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from lapel_companion import processes, speech
from lapel_companion.speech.base import SpeechError, Transcript

_STOP_LIMIT_S = 2.0
_SETTINGS = ("engine", "language", "model", "url", "api_key_env", "timeout_s")


class Apart:
    """`speech.make(settings)`, elsewhere. Safe to use from several threads; one request at a time.

    A request that takes longer than `settings.timeout_s` ends the process; the next one starts another. One whose
    process ends by itself is asked once more of another.
    """

    def __init__(self, settings: speech.Settings) -> None:
        # A setting that cannot work is said now, and the model is not loaded for that.
        here = speech.make(settings)
        self.name = here.name
        self.trusted = here.trusted
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None

    def warm_up(self) -> None:
        """Starts the process and loads the model. Raises SpeechError."""
        self._ask({"do": "warm_up"})

    def transcribe(self, pcm: bytes, language: str = "en", hints: Sequence[str] = ()) -> Transcript:
        """As the recogniser's. Raises SpeechError."""
        request = {"do": "transcribe", "bytes": len(pcm), "language": language, "hints": list(hints)}
        return Transcript.from_body(self._ask(request, pcm))

    def check_phrase(self, phrase: str) -> str | None:
        """As the recogniser's. Raises SpeechError."""
        answer: str | None = self._ask({"do": "check_phrase", "phrase": phrase})
        return answer

    def close(self) -> None:
        """Ends the process, also in the middle of a request, which gets a SpeechError. No other one is started."""
        self._closed = True
        process = self._process
        if process is not None and self._lock.locked():
            # It listens, or loads its model: whoever stops us has not to wait for that.
            process.kill()
        with self._lock:
            self._end()

    def _ask(self, request: dict[str, Any], sound: bytes = b"") -> Any:
        with self._lock:
            whole = json.dumps(request).encode() + b"\n" + sound
            try:
                line = self._exchange_or_end(whole)
            except OSError:
                try:
                    line = self._exchange_or_end(whole)
                except OSError as error:
                    raise SpeechError(f"{self.name} ended by itself, twice ({error}).") from error
        answer = json.loads(line)
        if "error" in answer:
            raise SpeechError(answer["error"])
        return answer["ok"]

    def _start(self) -> subprocess.Popen[bytes]:
        key = None if self._settings.engine == "openai" else self._settings.api_key_env
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "lapel_companion.speech.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=processes.own_environment(key),
        )
        settings = {name: getattr(self._settings, name) for name in _SETTINGS}
        assert process.stdin
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        return process

    def _exchange_or_end(self, request: bytes) -> bytes:
        """Raises OSError when the process ended by itself, SpeechError when it was ended."""
        process = self._process
        try:
            if process is None or process.poll() is not None:
                process = None if self._closed else self._start()
            # Asked once more: it may have been closed while it started.
            if process is None or self._closed:
                self._end()
                raise SpeechError("the companion ends.")
            return self._exchange(process, request)
        except TimeoutError as error:
            self._end()
            limit = f"{self._settings.timeout_s:g} s"
            raise SpeechError(f"{self.name} took longer than {limit} and was ended.") from error
        except OSError:
            self._end()
            raise

    def _exchange(self, process: subprocess.Popen[bytes], request: bytes) -> bytes:
        assert process.stdin and process.stdout
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        # Also one that takes nothing, or stops in the middle of a line, must not be waited for.
        limit = threading.Timer(self._settings.timeout_s, end)
        limit.daemon = True
        limit.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            limit.cancel()
        if line.endswith(b"\n"):
            return line
        if late.is_set():
            raise TimeoutError
        raise OSError("it said nothing more")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin and process.stdout
        try:
            process.stdin.close()
        except OSError:
            # It is gone: nothing is left to flush.
            pass
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
