"""The pin's own encoder behind one call: in a MicroPython process, as on the pin, or in this Python."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import lapel_audio
from lapel_codec.device import pipe
from lapel_codec.recordings import FRAME_BYTES

RUNTIMES = ("micropython", "cpython")
CODECS = ("opus", "adpcm")
ADPCM_KBPS = 64
# Compiling the modules from source takes most of it.
_HEAP = "8m"
_END_S = 20.0
_MOST_BYTES = 2048
_PIPE = Path(__file__).resolve().parent / "device" / "pipe.py"


class CannotEncode(Exception):
    """There is no such encoder here, or it broke off; the text is a sentence."""


class PinEncoder(Protocol):
    """One stream."""

    def encode(self, frame: bytes) -> bytes:
        """What the encoder makes of FRAME_BYTES of sound: a packet of Opus, or a piece of ADPCM. CannotEncode."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def start(codec: str, kbps: int, *, variable: bool = True, runtime: str = RUNTIMES[0]) -> PinEncoder:
    """An encoder of CODECS by one of RUNTIMES. CannotEncode."""
    words = [codec] if codec == "adpcm" else [codec, str(kbps), "variable" if variable else "constant"]
    return InMicroPython(words) if runtime == "micropython" else InCPython(words)


class InMicroPython:
    """The unmodified modules of lib/ in a process of MicroPython, a frame at a time: nothing piles up."""

    def __init__(self, words: list[str]) -> None:
        from simulator.pin import NoInterpreter, find_interpreter

        try:
            command = [find_interpreter(), "-X", f"heapsize={_HEAP}", str(_PIPE), *words]
        except NoInterpreter as error:
            raise CannotEncode(f"{error}; or take --runtime cpython.") from error
        library = Path(lapel_audio.__file__).resolve().parents[1]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "MICROPYPATH": f"{library}:.frozen"},
        )

    def __enter__(self) -> Self:
        return self

    def encode(self, frame: bytes) -> bytes:
        assert self._process.stdin and self._process.stdout and len(frame) == FRAME_BYTES
        try:
            self._process.stdin.write(frame)
            self._process.stdin.flush()
        except OSError:
            raise self._broken() from None
        head = self._process.stdout.read(2)
        data = self._process.stdout.read(int.from_bytes(head, "little"))
        if len(head) < 2 or len(data) < int.from_bytes(head, "little"):
            raise self._broken()
        return data

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.close()
        except OSError:
            pass
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._said.close()

    def _broken(self) -> CannotEncode:
        self._process.wait(_END_S)
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), f"exit status {self._process.returncode}")
        if "micropython decorator" in last:
            return CannotEncode("MicroPython makes no machine code on this computer; take --runtime cpython.")
        return CannotEncode(f"the pin's encoder broke off under MicroPython: {last.strip()}.")


class InCPython:
    """The same modules in this Python: what their machine code means, said in Python, and slowly."""

    def __init__(self, words: list[str]) -> None:
        self._encoder = _meaning(words) if words[0] == "opus" else pipe.encoder(words)
        self._out = bytearray(_MOST_BYTES)

    def __enter__(self) -> Self:
        return self

    def encode(self, frame: bytes) -> bytes:
        size = self._encoder.encode(bytearray(frame), self._out)
        return bytes(self._out[:size])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def _meaning(words: list[str]) -> Any:
    """Opus, which is written in MicroPython's viper. CannotEncode."""
    try:
        from device_code.meaning import Meaning
    except ImportError as error:
        raise CannotEncode("only a checkout runs Opus in this Python; take --runtime micropython.") from error
    try:
        module = Meaning().module("lapel_audio.opus.encoder")
    except ImportError as error:
        raise CannotEncode(f"there is no Opus encoder here: {error}.") from error
    return module.Encoder(int(words[1]), words[2] == "variable")
