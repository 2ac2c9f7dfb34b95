"""A speech endpoint of the harness: it answers with the words of the recording that it is given, and keeps what it
was given. To the companion it is any endpoint that speaks OpenAI's transcription API."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.torture.agent import recordings

PATH = "/v1/audio/transcriptions"
_MOST_BYTES = 8 << 20


@dataclass(frozen=True)
class Received:
    """One recording as it came. `number` is None when it is none of the harness's."""

    number: int | None
    pcm: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the PCM, without its WAV header."""
        return hashlib.sha256(self.pcm).hexdigest()


class Recogniser:
    """`with Recogniser(texts) as it`: `it.url` is for the configuration, `it.received` the truth for the oracle.

    `texts(number)` gives the words of a recording. `delay_s` holds every answer up, `refuse` next requests get a
    503. Threads serve it; `received` only grows.
    """

    def __init__(self, texts: Callable[[int], str]) -> None:
        self.received: list[Received] = []
        self.delay_s = 0.0
        self.refuse = 0
        self._texts = texts
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """For `url` under [speech]."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Recogniser:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, kind: str, body: bytes) -> tuple[int, Mapping[str, object]]:
        """Status and JSON for a request to `path` with a body of that content type."""
        if path != PATH:
            return 404, {"error": f"only {PATH} is here"}
        try:
            pcm = pcm_in(file_in(kind, body))
        except (ValueError, wave.Error, EOFError) as error:
            return 400, {"error": f"no recording in it: {error}"}
        number = recordings.number_in(pcm)
        self.received.append(Received(number, pcm))
        self._ended.wait(self.delay_s)
        if self.refuse > 0:
            self.refuse -= 1
            return 503, {"error": "not now"}
        return 200, {"text": "" if number is None else self._texts(number)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(_MOST_BYTES, int(self.headers.get("Content-Length", "0"))))
                status, said = outer.answer(self.path, self.headers.get("Content-Type", ""), body)
                raw = json.dumps(said).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                except OSError:
                    # who asked was killed meanwhile, which is what this is for
                    self.close_connection = True

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing: the harness prints a table."""

        return Handler


def file_in(kind: str, body: bytes) -> bytes:
    """The part named `file` of a multipart body. Raises ValueError."""
    header = Message()
    header["Content-Type"] = kind
    border = header.get_boundary()
    if border is None:
        raise ValueError("it is not multipart")
    for part in body.split(b"--" + border.encode()):
        head, found, data = part.partition(b"\r\n\r\n")
        if found and b'name="file"' in head:
            return data.removesuffix(b"\r\n")
    raise ValueError("it has no part named file")


def pcm_in(raw: bytes) -> bytes:
    """The 16-bit mono PCM of a WAV at 16 kHz. Raises ValueError, wave.Error, EOFError."""
    with wave.open(io.BytesIO(raw), "rb") as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if shape != (1, 2, recordings.RATE_HZ):
            raise ValueError(f"channels, bytes and rate are {shape}")
        return file.readframes(file.getnframes())
