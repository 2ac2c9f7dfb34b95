"""What a command printed: kept within bounds, the rest counted, and made into one short line for a person."""

from __future__ import annotations

import re

_FIELD = re.compile(r"\{(\d{1,3})\.(\d{1,3})\}")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_SUMMARY_LINES = 3
_DETAIL_CHARS = 4000


class Capture:
    """The output of one run: at most `limit_bytes` of both streams together."""

    class Part:
        """One stream. What is beyond the bound is dropped and counted."""

        def __init__(self, whole: Capture) -> None:
            self._whole = whole
            self.data = bytearray()

        def take(self, chunk: bytes) -> None:
            room = max(0, self._whole.limit_bytes - len(self._whole.out.data) - len(self._whole.err.data))
            self.data += chunk[:room]
            self._whole.dropped_bytes += max(0, len(chunk) - room)

        def lines(self) -> list[str]:
            """The lines that show something, without what steers terminals."""
            text = plain(self.data.decode("utf-8", "replace"))
            return [line.rstrip() for line in text.splitlines() if line.strip()]

        def last_line(self) -> str:
            lines = self.lines()
            return lines[-1].strip() if lines else ""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.dropped_bytes = 0
        self.out = Capture.Part(self)
        self.err = Capture.Part(self)

    def log(self) -> bytes:
        """Everything kept, as it is shown by `lapel log`."""
        parts = [bytes(self.out.data)]
        if self.err.data:
            parts.append(b"--- errors ---\n" + bytes(self.err.data))
        if self.dropped_bytes:
            parts.append(f"--- {self.dropped_bytes} bytes more were dropped ---\n".encode())
        return b"\n".join(part.removesuffix(b"\n") for part in parts if part) + b"\n"

    def text(self) -> str:
        """The beginning of the log as plain text."""
        text = plain(self.log().decode("utf-8", "replace")).strip()
        return text if len(text) <= _DETAIL_CHARS else text[: _DETAIL_CHARS - 1] + "…"


def plain(text: str) -> str:
    """Text without escape sequences and control characters; tabs become spaces."""
    return _CONTROL.sub("", _ESCAPES.sub("", text).replace("\t", " "))


def summary(capture: Capture, template: str | None) -> str:
    """The short answer: the template's fields (`{line.word}`, from 1), or the first lines."""
    lines = capture.out.lines() or capture.err.lines()
    more = " (more was dropped)" if capture.dropped_bytes else ""
    if template:
        words = [line.split() for line in lines]
        try:
            return _FIELD.sub(lambda field: _word(words, field), template) + more
        except IndexError:
            # It printed something else than its owner expected: the lines themselves say what.
            pass
    if not lines:
        return "done, it printed nothing"
    shown = ", ".join(line.strip() for line in lines[:_SUMMARY_LINES])
    rest = len(lines) - _SUMMARY_LINES
    return f"{shown}, and {rest} more{more}" if rest > 0 else shown + more


def _word(words: list[list[str]], field: re.Match[str]) -> str:
    line, word = int(field.group(1)), int(field.group(2))
    if line < 1 or word < 1:
        raise IndexError
    return words[line - 1][word - 1]
