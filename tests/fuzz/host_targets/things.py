"""What the tools read that a person or a pin hands them: recordings, and a pin's answers over USB."""

from __future__ import annotations

from typing import Any

from lapel_companion import audio, opus
from lapel_companion.pairing import Key
from lapel_usb import facts, inventory, owner
from lapel_usb.errors import UsbError
from simulator import wav
from tests.fuzz.host_targets.said import file

# The slowest rate that is understood becomes 16 times as many samples; the filter adds its reach.
_GROWS = 20
_REACH = 60_000


def recordings(data: bytes) -> str:
    """A file as a recording for the simulated microphone."""
    try:
        samples = wav.load(file(data))
    except wav.BadWav as error:
        return str(error).partition(": ")[2]
    assert len(samples) <= _REACH + _GROWS * len(data)
    return str(len(samples))


def clip_wavs(data: bytes) -> str:
    """A file as a recording of the companion's own."""
    try:
        return str(len(audio.read_wav(file(data))))
    except audio.AudioError:
        return "refused"


def opus_clips(data: bytes) -> str:
    """What a pin sends as a clip of Opus: every whole packet is 20 ms, whatever is in it."""
    path = file(b"")
    count = len(opus.packets(data))
    pcm = audio.decode(data, audio.OPUS)
    assert audio.length_ms(data, audio.OPUS) == 20 * count and len(pcm) == max(0, 640 * count - 80)
    opus.write_ogg(path, data)
    assert bool(path.stat().st_size) == bool(count)
    return str(count)


def pin_facts(data: bytes) -> str:
    """What a pin says of itself."""
    try:
        found = facts.probe(lambda _: data.decode("utf-8", "replace"))
    except UsbError as error:
        return sentence(error)
    return f"{found.version_text} {found.mpy_version} {found.arch} {found.room_bytes + found.free_bytes}"


def sentence(error: UsbError) -> str:
    """What is told of it, which does nothing to a terminal."""
    assert str(error).replace("\n", "").isprintable()
    return error.sentence


class Pin:
    """A link to a pin that answers whatever it likes, one answer after the other."""

    port = "/dev/pin"

    def __init__(self, data: bytes) -> None:
        self.facts = self
        self.mounted = True
        self._answers = data.split(b"\0")

    def _next(self) -> bytes:
        return self._answers.pop(0) if self._answers else b""

    def run(self, code: str, timeout_s: float = 0) -> str:
        return self._next().decode("utf-8", "replace")

    def read_file(self, path: str) -> bytes:
        return self._next()

    def evaluate(self, expression: str, timeout_s: float = 0) -> Any:
        return self._next().decode("utf-8", "replace")


def pin_inventory(data: bytes) -> str:
    """What lies on a pin, as it says."""
    try:
        found = inventory.take(Pin(data))  # type: ignore[arg-type]
    except UsbError as error:
        return sentence(error)
    sizes = [found.blocks(folder) for folder in sorted(found.folders)]
    return f"{len(found.files)} {sizes} {found.previous} {found.leftovers} {len(found.clips)} {found.free_blocks}"


def pin_owner(data: bytes) -> str:
    """Whose a pin is, as it says; it proves nothing that it does not know."""
    try:
        found = owner.look(Pin(b"\0" + data))  # type: ignore[arg-type]
    except UsbError as error:
        return sentence(error)
    assert not found.is_of(Key(1, bytes(range(32))))
    return f"{found.key} {found.generation} {found.clips} {found.others} {found.forgets}"
