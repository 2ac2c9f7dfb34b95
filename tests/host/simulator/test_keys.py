"""The space bar as a button, with and without a terminal that tells when it comes up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import sys
import threading

import pytest

from simulator import keys


class Pressed:
    """What the button did."""

    def __init__(self) -> None:
        self.edges: list[bool] = []
        self.quits = 0
        self.button = keys.Button(self.edges.append, self._quit)

    def _quit(self) -> None:
        self.quits += 1


def test_kitty_tells_press_repeat_and_release() -> None:
    pressed = Pressed()
    pressed.button.feed(b"\x1b[32;1:1u")
    pressed.button.feed(b"\x1b[32;1:2u\x1b[32;1:2u")
    assert pressed.edges == [True]
    pressed.button.feed(b"\x1b[32;1:3u")
    assert pressed.edges == [True, False]
    # other keys are none of ours, and a press may come in the short form
    pressed.button.feed(b"\x1b[97;1:1u\x1b[97;1:3u\x1b[32u\x1b[32;1:3u")
    assert pressed.edges == [True, False, True, False]


@pytest.mark.parametrize("data", [b"q", b"\x03", b"\x04", b"\x1b[113u", b"\x1b[99;5u", b"\x1b[99;5:1u"])
def test_the_ways_out(data: bytes) -> None:
    pressed = Pressed()
    pressed.button.feed(data)
    assert pressed.quits == 1
    assert pressed.edges == []


def test_c_alone_is_no_way_out() -> None:
    pressed = Pressed()
    pressed.button.feed(b"\x1b[99;1:1uc")
    assert pressed.quits == 0


def test_repeats_hold_it_down_until_they_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "REPEATS_END_S", 0.5)

    async def run() -> Pressed:
        pressed = Pressed()
        pressed.button.feed(b" ")
        # before the repeats begin nothing ends it
        await asyncio.sleep(0.05)
        for _ in range(5):
            pressed.button.feed(b" ")
            await asyncio.sleep(0.01)
            assert pressed.edges == [True]
        async with asyncio.timeout(30):
            while pressed.edges == [True]:
                await asyncio.sleep(0.005)
        return pressed

    assert asyncio.run(run()).edges == [True, False]


def test_without_repeats_a_second_press_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "REPEATS_END_S", 0.01)

    async def run() -> Pressed:
        pressed = Pressed()
        pressed.button.feed(b" ")
        await asyncio.sleep(0.03)
        assert pressed.edges == [True]
        pressed.button.feed(b" ")
        async with asyncio.timeout(30):
            while pressed.edges == [True]:
                await asyncio.sleep(0.005)
        return pressed

    assert asyncio.run(run()).edges == [True, False]


class Terminal(threading.Thread):
    """The other side of a pty: answers when it is asked what it speaks, until nobody is there."""

    def __init__(self, fd: int, answer: bytes) -> None:
        super().__init__()
        self._fd, self._answer = fd, answer
        self._heard = b""
        self._more = threading.Condition()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._fd, 1000):
                with self._more:
                    self._heard += data
                    self._more.notify()
                if keys.KITTY_ASK in data:
                    os.write(self._fd, self._answer)

    def until(self, wanted: bytes) -> bytes:
        """All that was heard, once it holds `wanted`."""
        with self._more:
            self._more.wait_for(lambda: wanted in self._heard, 5)
            return self._heard


KITTY, OTHER = b"\x1b[?0u\x1b[?62;c", b"\x1b[?62;1;6c"


@pytest.mark.parametrize(("answer", "tells"), [(KITTY, True), (OTHER, False)])
def test_a_terminal_is_asked_what_it_tells(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, tells: bool
) -> None:
    ours, theirs = pty.openpty()
    copy = os.dup(theirs)
    with os.fdopen(theirs, "rb", buffering=0) as stdin, os.fdopen(copy, "wb", buffering=0) as stdout:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stdout", stdout)
        terminal = Terminal(ours, answer)
        terminal.start()
        with keys.keyboard() as told:
            assert told is tells
        wanted = keys.KITTY_ON + keys.KITTY_OFF if tells else b""
        assert terminal.until(keys.KITTY_ASK + wanted) == keys.KITTY_ASK + wanted
    terminal.join(5)
    os.close(ours)
