"""The recogniser's process when whoever started it is gone: it ends, and says nothing of it."""

import json
import subprocess
import sys

SETTINGS = {
    "engine": "openai",
    "language": "en",
    "model": None,
    "url": "http://127.0.0.1:1/v1",
    "api_key_env": None,
    "timeout_s": 1,
}
WORKER = [sys.executable, "-m", "lapel_companion.speech.worker"]


def ended(given: bytes) -> tuple[int, str]:
    """Exit status and what it complained of, when nobody reads its answers."""
    pipe = subprocess.PIPE
    with subprocess.Popen(WORKER, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        process.stdin.write(given)
        process.stdin.close()
        said = process.stderr.read().decode()
        return process.wait(20), said


def test_before_it_was_told_anything() -> None:
    assert ended(b"") == (0, "")


def test_while_it_answers() -> None:
    assert ended(json.dumps(SETTINGS).encode() + b"\n" + b'{"do": "check_phrase", "phrase": "x"}\n') == (0, "")
