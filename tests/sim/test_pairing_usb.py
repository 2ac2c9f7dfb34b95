"""From a new pin on a cable to a task that is done: paired over USB, used over the radio, revoked, paired again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from lapel_companion.client import Client, NoDaemon, follow
from lapel_companion.events import EventLog
from lapel_companion.keys import Keys
from lapel_companion.pairing import Key, KeyFile
from lapel_usb.build import main_program
from lapel_usb.link import open_pin
from simulator.events import Event
from simulator.mic import Microphone
from simulator.usb_desk import UsbDesk, usb_desk
from simulator.wav import RATE_HZ, load
from tests.sim.runs import CONFIG, DISK

BOARD = "xiao_esp32s3"
# a minute of speech fits, and a wipe does not last long
BLOCKS = 200
LIMIT_S = 60



class Desk:
    """The pin and its companion; `heard` is what happened."""

    def __init__(self, desk: UsbDesk, state: Path, heard: list[Event]) -> None:
        self.usb = desk
        self.state = state
        self.heard = heard
        self.said = b""

    def lapel(self, *words: str, code: int = 0) -> str:
        """A command on the companion's state."""
        environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        command = [sys.executable, "-m", "lapel_companion", *words, "--state", str(self.state)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=150, check=False, env=environment
        )
        self.said += done.stdout
        assert done.returncode == code, done.stdout.decode()
        return done.stdout.decode()

    def wait(self, true: Callable[[], bool], what: str) -> None:
        end_s = time.monotonic() + LIMIT_S
        while not true():
            assert time.monotonic() < end_s, what + "\n" + "\n".join(map(str, self.heard[-30:]))
            time.sleep(0.05)

    def speak(self) -> None:
        """One task by voice, to its end."""
        pin, simulation = self.usb.pin, self.usb.simulation
        sound = load(DISK)
        since, notices = len(pin.output), self.count("notice_recorded")
        self.usb.do(simulation.person.press())
        pin.wait_for(b'"listening"', since=since, timeout_s=LIMIT_S)
        self.usb.do(said_aloud(simulation.mic, sound))
        self.usb.do(simulation.person.release())
        self.wait(lambda: self.count("notice_recorded") > notices, "a result")

    def answers(self) -> bool:
        try:
            return bool(Client(self.state).get("/v1/status"))
        except NoDaemon:
            return False

    def count(self, name: str) -> int:
        return sum(event.who == "companion" and event.name == name for event in self.heard)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_pin_is_paired_over_usb_and_then_works_for_its_owner_alone(tmp_path: Path) -> None:
    state, other, heard = tmp_path / "pin", tmp_path / "other", list[Event]()
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(notes=tmp_path / "notes.md"))
    KeyFile(other).save(Key(1, bytes(range(32))))
    with usb_desk(
        state, BOARD, hear=heard.append, config=config, companion=follow, flash_blocks=BLOCKS
    ) as usb:
        desk, port = Desk(usb, state, heard), usb.pin.port
        with open_pin(port, timeout_s=30) as link:
            link.write_file("/main.py", main_program())
            link.write_file("/current", b"frozen\n")
        desk.wait(lambda: b'"event": "advertising"' in usb.pin.output, "advertising")
        assert b'"paired": false' in usb.pin.output
        desk.wait(desk.answers, "companion")
        assert "paired: no; with the pin plugged in: lapel pair" in desk.lapel("status")
        # somebody else's computer, with a key of its own, is near all the time
        stranger = another(usb, other, config, tmp_path / "other.log")
        try:
            paired = desk.lapel("pair", "--port", port)
            assert "has it already" in paired
            desk.wait(lambda: desk.count("linked") == 1, "linked")
            desk.speak()
            key = Keys(state).load()
            assert key is not None and key.fingerprint in desk.lapel("status")
            assert f"the same key, {key.fingerprint}" in desk.lapel("doctor", "--usb", port)
            desk.wait(lambda: desk.count("linked") == 2, "linked again")

            rotated = desk.lapel("pair", "--rotate", "--port", port)
            second = Keys(state).load()
            assert second and second != key and second.fingerprint in rotated
            desk.wait(lambda: desk.count("linked") == 3, "linked by the other key")
            began_s = time.monotonic()
            listed = desk.lapel("unpair", "--lost")
            desk.wait(lambda: desk.count("unlinked") == 3, "unlinked")
            assert time.monotonic() - began_s < LIMIT_S / 2
            assert second.fingerprint in listed and "how much disk space is left" in listed and "d1" in listed
            # The link of before is still taken down for a moment.
            desk.wait(lambda: Client(state).get("/v1/status")["link"]["state"] == "not paired", "not paired")

            # found again: nobody can tell any more that it was ours
            assert "another computer" in desk.lapel("pair", "--yes", "--port", port)
            desk.wait(lambda: desk.count("linked") == 4, "linked anew")
            third = Keys(state).load()
        finally:
            stranger.terminate()
            stranger.wait(20)
        assert not [row for row in rows(other) if row in ("linked", "clip", "dispatch")]
        log = (tmp_path / "other.log").read_bytes()
        everything = b"\n".join([desk.said, usb.pin.output, log, json.dumps([str(one) for one in heard]).encode()])
        for one in (key, second, third):
            assert one and one.secret not in everything and one.secret.hex().encode() not in everything


async def said_aloud(mic: Microphone, sound: array[int]) -> None:
    await mic.play(sound)
    end_s = time.monotonic() + len(sound) / RATE_HZ
    while time.monotonic() < end_s:
        await asyncio.sleep(0.05)


def another(usb: UsbDesk, state: Path, config: Path, log: Path) -> subprocess.Popen[bytes]:
    """A companion with another key, on a radio of its own."""
    spec = asyncio.run_coroutine_threadsafe(usb.simulation.add_central("stranger"), usb.loop).result(10)
    command = [sys.executable, "-m", "lapel_companion", "run", "--radio", f"bumble:{spec}"]
    with log.open("wb") as out:
        return subprocess.Popen(
            [*command, "--state", str(state), "--config", str(config), "--json"],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )


def rows(state: Path) -> list[str]:
    """The kinds of all events of a companion."""
    log = EventLog(state / "events.db")
    try:
        return [event.kind for event in log.read(limit=10_000)]
    finally:
        log.close()
