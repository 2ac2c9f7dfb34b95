"""An OpenAI-compatible endpoint: what is sent, what is understood, and the sentences when it goes wrong."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lapel_companion import speech
from lapel_companion.speech.base import SpeechError
from lapel_companion.speech.openai_api import OpenAiEndpoint
from voices import effects

KEY = "sk-very-secret-key"
VOICE = bytes(16_000) + effects.hum(0.5, 6000.0, 180.0) + bytes(16_000)


class Endpoint:
    """A server of this test; `answer` and `status` are what it says next, `seen` what it was asked."""

    def __init__(self) -> None:
        self.status, self.answer = 200, json.dumps({"text": " Make a note\nto buy milk. "}).encode()
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.hold = threading.Event()
        self.hold.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                outer.hold.wait(20)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    running = Endpoint()
    yield running
    running.close()


@pytest.fixture
def ears(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Callable[..., OpenAiEndpoint]:
    monkeypatch.setenv("LAPEL_TEST_KEY", KEY)

    def make(**changed: Any) -> OpenAiEndpoint:
        given: dict[str, Any] = {"url": endpoint.url, "model": None, "api_key_env": "LAPEL_TEST_KEY"}
        return OpenAiEndpoint(**{**given, "timeout_s": 10.0, **changed})

    return make


def parts_of(kind: str, body: bytes) -> dict[str, bytes]:
    border = b"--" + kind.partition("boundary=")[2].encode()
    found: dict[str, bytes] = {}
    for part in body.split(border)[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        found[head.decode().partition('name="')[2].partition('"')[0]] = value.removesuffix(b"\r\n")
    return found


def test_what_is_sent_and_what_comes_back(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    recogniser = ears()
    recogniser.warm_up()
    heard = recogniser.transcribe(VOICE, "en-GB", ["Lapel", "make a note {text}", "how much disk space is left"])
    assert (heard.text, heard.no_speech, heard.confidence) == ("Make a note to buy milk.", False, None)
    assert (heard.engine, recogniser.trusted, heard.confirmed) == ("openai", True, ())
    [(path, headers, body)] = endpoint.seen
    assert path == "/v1/audio/transcriptions"
    assert headers["authorization"] == f"Bearer {KEY}"
    parts = parts_of(headers["content-type"], body)
    assert {name: value.decode() for name, value in parts.items() if name != "file"} == {
        "model": "whisper-1",
        "language": "en",
        "response_format": "verbose_json",
        # Names help; a phrase that is expected would be heard where it was not said.
        "prompt": "Lapel",
    }
    assert parts["file"][:4] == b"RIFF" and parts["file"].endswith(VOICE)


def test_confidence_comes_from_the_segments(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    answer = {"text": "yes", "segments": [{"avg_logprob": -0.1}, {"avg_logprob": -0.3}, {"x": 1}, 5]}
    endpoint.answer = json.dumps(answer).encode()
    assert ears().transcribe(VOICE).confidence == pytest.approx(0.819)


def test_other_models_are_asked_for_plain_json(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    ears(model="some-transcribe").transcribe(VOICE)
    assert b"verbose_json" not in endpoint.seen[0][2]


def test_silence_is_not_sent(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    assert ears().transcribe(bytes(64_000)).no_speech
    assert ears().transcribe(effects.white(1.0, 800.0)).no_speech
    assert endpoint.seen == []


def test_what_it_answers_steers_no_terminal(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    endpoint.answer = json.dumps({"text": "make \x1b]0;owned\x07a\x1b[2J note\r\n\u202eeloh \x9b31m"}).encode()
    heard = ears().transcribe(VOICE).text
    assert heard.startswith("make a note") and heard.isprintable()


def test_an_empty_text_is_no_speech(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    endpoint.answer = b'{"text": "  "}'
    assert ears().transcribe(VOICE).no_speech


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (401, b"", "refused the key in LAPEL_TEST_KEY (401)"),
        (403, KEY.encode(), "refused the key in LAPEL_TEST_KEY (403)"),
        (404, b"", "knows no transcription there (404)"),
        (500, b"out of\nmemory " + KEY.encode(), "refused the clip (500): out of memory ..."),
        (500, b"y" * 290 + KEY.encode(), "yyy"),
        (200, b"<html>", "did not answer in JSON"),
        (200, b"[1]", "answered without a text"),
        (200, b'{"text": 5}', "answered without a text"),
        (200, b"x" * 1_100_000, "more than 1 MB"),
    ],
)
def test_what_goes_wrong_is_a_sentence_without_the_key(
    endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint], status: int, answer: bytes, says: str
) -> None:
    endpoint.status, endpoint.answer = status, answer
    with pytest.raises(SpeechError) as caught:
        ears().transcribe(VOICE)
    assert says in str(caught.value) and KEY[:8] not in str(caught.value)


def test_an_answer_that_is_no_http_is_not_quoted(ears: Callable[..., OpenAiEndpoint]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(f"{KEY} is what you sent\r\n\r\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SpeechError, match="did not answer as HTTP does") as caught:
            ears(url=f"http://127.0.0.1:{listening.getsockname()[1]}/v1", timeout_s=5).transcribe(VOICE)
        thread.join()
    assert KEY not in str(caught.value)


def test_a_redirect_does_not_carry_the_key_away(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    endpoint.status, endpoint.headers = 307, {"Location": f"{endpoint.url}/elsewhere"}
    with pytest.raises(SpeechError, match="sends elsewhere"):
        ears().transcribe(VOICE)
    assert len(endpoint.seen) == 1


def test_an_endpoint_that_does_not_answer(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    endpoint.hold.clear()
    with pytest.raises(SpeechError, match=r"did not answer in 0\.3 s"):
        ears(timeout_s=0.3).transcribe(VOICE)


def test_nobody_listens(ears: Callable[..., OpenAiEndpoint]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        recogniser = ears(url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        for act in (recogniser.warm_up, lambda: recogniser.transcribe(VOICE)):
            with pytest.raises(SpeechError, match=r"cannot be reached .*; start it, or choose another engine"):
                act()


@pytest.mark.parametrize("key", [None, "", "  ", "two\nlines", "schlüssel", "a b"])
def test_a_key_that_is_not_there(
    ears: Callable[..., OpenAiEndpoint], monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    recogniser = ears()
    monkeypatch.delenv("LAPEL_TEST_KEY")
    if key is not None:
        monkeypatch.setenv("LAPEL_TEST_KEY", key)
    for act in (recogniser.warm_up, lambda: recogniser.transcribe(VOICE)):
        with pytest.raises(SpeechError, match="LAPEL_TEST_KEY holds no key"):
            act()


def test_without_a_key_none_is_sent(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    ears(api_key_env=None).transcribe(VOICE)
    assert "authorization" not in endpoint.seen[0][1]
    endpoint.status = 401
    with pytest.raises(SpeechError, match="without a key"):
        ears(api_key_env=None).transcribe(VOICE)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "needs the address"),
        ("127.0.0.1:8080", "no address"),
        ("ftp://x/v1", "no address"),
        ("ftp://me:secret@x/v1?key=secret", "no address"),
        ("http://x:99999/v1?key=secret", "no address"),
        ("http://[::1/v1?key=secret", "no address"),
        ("http://127.0.0.1/v1?key=secret and more", "no address"),
        ("https://me:secret@x/v1", "holds a password"),
        ("http://speech.example/v1", "would travel readable"),
    ],
)
def test_addresses_that_cannot_be_used(ears: Callable[..., OpenAiEndpoint], url: str | None, says: str) -> None:
    with pytest.raises(SpeechError, match=says) as caught:
        ears(url=url)
    assert "secret" not in str(caught.value)


def test_an_address_may_name_the_whole_path(endpoint: Endpoint, ears: Callable[..., OpenAiEndpoint]) -> None:
    ears(url=endpoint.url.replace("/v1", "/inference")).transcribe(VOICE)
    ears(url=endpoint.url + "/audio/transcriptions/").transcribe(VOICE)
    assert [seen[0] for seen in endpoint.seen] == ["/inference", "/v1/audio/transcriptions"]


class Settings:
    engine, language, model, url, api_key_env, timeout_s = "openai", "en", None, None, None, 5.0


def test_make_says_what_is_missing() -> None:
    with pytest.raises(SpeechError, match="needs the address"):
        speech.make(Settings())
    odd = Settings()
    odd.engine = "ears"
    with pytest.raises(SpeechError, match='no speech engine "ears"'):
        speech.make(odd)
