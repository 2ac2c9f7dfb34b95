"""The pin and its wearer: presses with a recording each, what was felt, and the pin's end of the radio."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lapel_audio import adpcm
from lapel_codec import pin_encoder
from lapel_codec.recordings import FRAME_BYTES
from lapel_companion import audio
from lapel_wire import gatt
from tests.host.companion.companion_pin import BOOT, EPOCH, Connection, Pin
from tests.torture.agent import recordings
from tests.torture.crash.radio import MTU, frame, read_frame

_PUMP_S = 0.005
SECONDS = 0.6
_KBPS = 24


@cache
def coded(number: int, seconds: float = SECONDS, codec: str = audio.ADPCM) -> bytes:
    """What the pin's own encoder makes of a recording."""
    heard = recordings.samples(number, seconds)
    pcm = bytearray(heard.tobytes())
    if codec == audio.OPUS:
        frames = (bytes(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES))
        with pin_encoder.start("opus", _KBPS, variable=False) as encoder:
            return b"".join(bytes((len(packet),)) + packet for packet in map(encoder.encode, frames))
    out = bytearray(len(pcm) // 4 + 1)
    return bytes(out[: adpcm.Encoder().encode(pcm, len(heard), out, 0xFFFFFFF)])


@cache
def decoded(number: int, seconds: float = SECONDS, codec: str = audio.ADPCM) -> bytes:
    """What it must sound like at the recogniser. Of Opus by the companion's own library: it is the bytes that count."""
    data = coded(number, seconds, codec)
    return audio.decode(data, codec) if codec == audio.OPUS else adpcm.decode(data).tobytes()


@dataclass
class Press:
    """One press; `clip` is the number that the pin gave it. `cancelled`: its wearer wanted it stopped."""

    number: int
    clip: int
    seconds: float = SECONDS
    cancelled: bool = False
    codec: str = audio.ADPCM

    @property
    def spoken(self) -> bytes:
        """All of it, as the pin sends it."""
        return coded(self.number, self.seconds, self.codec)


class Wearer:
    """A pin that outlives every connection and every daemon, and what its wearer did and felt."""

    def __init__(self, path: Path) -> None:
        self.pin = Pin()
        self.presses: dict[int, Press] = {}
        self.saw: set[int] = set()
        self.info = gatt.INFO
        self.mistakes: list[str] = []
        self._path = path
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()

    def press(self, number: int, codec: str = audio.ADPCM) -> Press:
        """A whole recording waits on the pin's flash."""
        made = self._next(number, SECONDS, codec)
        self.pin.record(made.clip, made.spoken, boot=BOOT, ms=500 + made.clip, t=_now_ms(), codec=codec)
        return made

    def hold(self, number: int, seconds: float = SECONDS) -> Press:
        """A recording begins; half of it is spoken."""
        made = self._next(number, seconds)
        data = made.spoken
        self.pin.growing.add(made.clip)
        self.pin.record(made.clip, data[: len(data) // 2], boot=BOOT, ms=500 + made.clip, t=_now_ms())
        return made

    def let_go(self, made: Press) -> None:
        """The rest of it is spoken: captured."""
        self.pin.clips[made.clip] = made.spoken
        self.pin.growing.discard(made.clip)

    def calm_down(self) -> None:
        """Nobody holds the button for ever, and no pin stays in safe mode."""
        self.info = gatt.INFO
        for clip in list(self.pin.growing):
            self.let_go(self.presses[clip])

    def cancel(self, made: Press) -> None:
        """The pin's cancel; it is repeated until it is answered."""
        made.cancelled = True
        self.pin.cancels[made.clip] = {"id": made.clip, "ep": EPOCH, "n": made.clip}
        self.pin.hurry()

    def look(self, seqs: list[int]) -> None:
        """Notices are seen on the pin."""
        self.saw.update(seqs)
        self.pin.unanswered_seen += seqs
        self.pin.hurry()

    def felt(self, press: Press) -> list[dict[str, Any]]:
        """The notices on a press, each once."""
        dispatch = self.pin.accepted.get(press.clip)
        return [] if dispatch is None else self.felt_of(dispatch)

    def felt_of(self, dispatch: str) -> list[dict[str, Any]]:
        return [body for body in self.pin.notices.values() if body["d"] == dispatch]

    @property
    def unseen(self) -> set[int]:
        """What the pin counts."""
        gone = self.saw | self.pin.seen_by_host | set(self.pin.retracted)
        epoch = self.pin.notice_epoch
        return {seq for seq, body in self.pin.notices.items() if body["ep"] == epoch and seq not in gone}

    @property
    def busy(self) -> bool:
        """It still has something to say."""
        return bool(self.pin.clips or self.pin.unanswered_seen or self.pin.cancels)

    async def start(self) -> None:
        """In reach of the radio."""
        self._server = await asyncio.start_unix_server(self._connected, self._path)

    async def stop(self) -> None:
        """Out of reach."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def cut(self) -> None:
        """The link breaks."""
        for link in self._links:
            link.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        writer.write(frame(b"I", self.info))
        link = Connection(self.pin, MTU, lambda packet: writer.write(frame(b"N", packet)))
        pumping = asyncio.create_task(self._pump(link))
        try:
            with contextlib.suppress(EOFError, OSError):
                while True:
                    _, packet = await read_frame(reader)
                    link.write(packet)
                    writer.write(frame(b"A"))
        except AssertionError as error:
            self.mistakes.append(str(error))
        finally:
            pumping.cancel()
            self._links.discard(writer)
            writer.close()

    async def _pump(self, link: Connection) -> None:
        while True:
            link.pump()
            await asyncio.sleep(_PUMP_S)

    def _next(self, number: int, seconds: float, codec: str = audio.ADPCM) -> Press:
        made = Press(number, len(self.presses) + 1, seconds, codec=codec)
        self.presses[made.clip] = made
        return made


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
