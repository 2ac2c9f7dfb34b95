"""The recogniser's own process: one JSON line (and sound) in, one JSON line out, until its input ends.

Started by `apart.Apart`. First comes a line of settings; then requests {"do": ..., ...}, a request to
transcribe followed by `bytes` bytes of sound. Answers: {"ok": value} or {"error": sentence}.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

from lapel_companion import speech
from lapel_companion.speech.base import Recogniser, SpeechError

# Behind everything that a person waits for at the same moment.
_NICENESS = 5


@dataclass(frozen=True)
class _Settings:
    engine: str
    language: str
    model: str | None
    url: str | None
    api_key_env: str | None
    timeout_s: float


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers until `requests` ends."""
    settings = requests.readline()
    if not settings:
        # Who started us was ended at once.
        return
    recogniser = speech.make(_Settings(**json.loads(settings)))
    while line := requests.readline():
        request = json.loads(line)
        try:
            answer = {"ok": _answer(recogniser, request, requests)}
        except SpeechError as error:
            answer = {"error": str(error)}
        try:
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
        except BrokenPipeError:
            # Who asked is gone; its successor has a process of its own.
            return


def _answer(recogniser: Recogniser, request: dict[str, Any], requests: BinaryIO) -> Any:
    if request["do"] == "transcribe":
        pcm = requests.read(request["bytes"])
        return recogniser.transcribe(pcm, request["language"], request["hints"]).body()
    if request["do"] == "check_phrase":
        return recogniser.check_phrase(request["phrase"])
    recogniser.warm_up()
    return None


def main() -> None:
    """Keeps the answers' pipe to itself: an engine that prints must not spoil them."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    os.nice(_NICENESS)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
