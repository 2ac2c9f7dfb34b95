"""The reference: libopus by ctypes, as judge of our packets and as encoder beside ours.

It is looked for in the checkout's `.tools` (`python -m get_tools libopus`), then where the system has it. Function and
request numbers are those of opus.h and opus_defines.h; what they mean is in libopus' documentation.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from get_tools.libopus import named

RATE_HZ = 16_000
FRAME_SAMPLES = 320
FRAME_BYTES = 2 * FRAME_SAMPLES
# Its output comes later than its input by so many samples at 16 kHz: the overlap of two frames, 2.5 ms.
DELAY_SAMPLES = 40
# The longest packet there can be (RFC 6716, 3.4), and the longest time of one.
MAX_PACKET_BYTES = 1275
MAX_PACKET_MS = 120
# Configuration 23 (CELT, wideband, 20 ms), mono, one frame (RFC 6716, 3.1).
TOC = 23 << 3

_CHECKOUT = Path(__file__).resolve().parents[2]
_RESTRICTED_LOWDELAY = 2051
_SET_BITRATE, _SET_VBR, _SET_BANDWIDTH, _SET_COMPLEXITY = 4002, 4006, 4008, 4010
_SET_VBR_CONSTRAINT = 4020
_RESET_STATE, _GET_FINAL_RANGE = 4028, 4031
_WIDEBAND = 1103


class OpusError(Exception):
    """libopus is not there, or it refuses something; the text is a sentence."""


class Disagreement(OpusError):
    """A packet that the decoder refuses or reads otherwise than its encoder wrote it. `frame` counts from 0."""

    def __init__(self, frame: int, text: str) -> None:
        super().__init__(f"frame {frame}: {text}")
        self.frame = frame


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """libopus, with the types of the functions used here. OpusError says how to get it."""
    made = _CHECKOUT / ".tools" / "libopus"
    name = named(made) if made.exists() else ctypes.util.find_library("opus")
    if not name:
        raise OpusError("libopus is not there: `make tools` fetches it.")
    try:
        lib = ctypes.CDLL(name)
    except OSError as error:
        raise OpusError(f"{name} cannot be loaded: {error}.") from error
    pointer, number, samples = ctypes.c_void_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int16)
    levels = ctypes.POINTER(ctypes.c_float)
    for function, result, arguments in (
        ("opus_get_version_string", ctypes.c_char_p, []),
        ("opus_strerror", ctypes.c_char_p, [ctypes.c_int]),
        ("opus_decoder_create", pointer, [number, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]),
        ("opus_decoder_destroy", None, [pointer]),
        ("opus_decode", ctypes.c_int, [pointer, ctypes.c_char_p, number, samples, ctypes.c_int, ctypes.c_int]),
        ("opus_decode_float", ctypes.c_int, [pointer, ctypes.c_char_p, number, levels, ctypes.c_int, ctypes.c_int]),
        ("opus_encoder_create", pointer, [number, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]),
        ("opus_encoder_destroy", None, [pointer]),
        ("opus_encode", number, [pointer, samples, ctypes.c_int, ctypes.c_char_p, number]),
    ):
        found = getattr(lib, function)
        found.restype, found.argtypes = result, arguments
    # The two controls take what comes after the request by C's variable arguments: their types are given at each call.
    lib.opus_decoder_ctl.restype = lib.opus_encoder_ctl.restype = ctypes.c_int
    return lib


def missing() -> str | None:
    """Why libopus cannot be used here, as a sentence; None when it can."""
    try:
        library()
    except OpusError as error:
        return str(error)
    return None


def version() -> str:
    """As libopus says it ("libopus 1.3.1"). OpusError."""
    return str(library().opus_get_version_string().decode())


class Decoder:
    """One stream decoded to 16-bit little-endian mono at `rate_hz` (8000, 12000, 16000, 24000, 48000). OpusError."""

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        self._lib = library()
        problem = ctypes.c_int()
        self._state = self._lib.opus_decoder_create(rate_hz, 1, ctypes.byref(problem))
        _check(self._lib, problem.value)
        self._room = rate_hz * MAX_PACKET_MS // 1000
        self._pcm = (ctypes.c_int16 * self._room)()

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._lib.opus_decoder_destroy(self._state)
            self._state = None

    def decode(self, packet: bytes | bytearray | memoryview | None) -> bytes:
        """The sound of one packet; of None (one that was lost) 20 ms of concealment. OpusError: it is no packet."""
        if packet is None:
            room = self._room * 20 // MAX_PACKET_MS
            count = self._lib.opus_decode(self._state, None, 0, self._pcm, room, 0)
        else:
            data = bytes(packet)
            count = self._lib.opus_decode(self._state, data, len(data), self._pcm, self._room, 0)
        _check(self._lib, count)
        return ctypes.string_at(self._pcm, 2 * count)

    def decode_float(self, packet: bytes) -> array[float]:
        """The same as numbers, -1..1 and beyond, where `decode` bends what is too loud. OpusError: it is no packet."""
        levels = (ctypes.c_float * self._room)()
        count = self._lib.opus_decode_float(self._state, packet, len(packet), levels, self._room, 0)
        _check(self._lib, count)
        return array("f", ctypes.string_at(levels, 4 * count))

    @property
    def final_range(self) -> int:
        """The state of the range decoder after the newest packet: the encoder's own, when both agree on every bit."""
        return _final_range(self._lib, self._lib.opus_decoder_ctl, self._state)

    def reset(self) -> None:
        """As new."""
        _check(self._lib, self._lib.opus_decoder_ctl(ctypes.c_void_p(self._state), _RESET_STATE))


class Encoder:
    """libopus as our encoder is: CELT alone, 16 kHz mono in, wideband, 20 ms. `variable`: constrained variable rate,
    else every packet of the same size. complexity 0 to 10. OpusError."""

    def __init__(self, kbps: float = 24, *, complexity: int = 5, variable: bool = False) -> None:
        self._lib = library()
        problem = ctypes.c_int()
        self._state = self._lib.opus_encoder_create(RATE_HZ, 1, _RESTRICTED_LOWDELAY, ctypes.byref(problem))
        _check(self._lib, problem.value)
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        for request, value in (
            (_SET_COMPLEXITY, complexity),
            (_SET_VBR, int(variable)),
            (_SET_VBR_CONSTRAINT, 1),
            (_SET_BANDWIDTH, _WIDEBAND),
        ):
            self._set(request, value)
        self.set_rate(kbps)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._lib.opus_encoder_destroy(self._state)
            self._state = None

    def set_rate(self, kbps: float) -> None:
        """From the next frame on."""
        self._set(_SET_BITRATE, round(1000 * kbps))

    def encode(self, pcm: bytes | bytearray | memoryview) -> bytes:
        """The packet of FRAME_BYTES of sound."""
        if len(pcm) != FRAME_BYTES:
            raise OpusError(f"a frame has {FRAME_BYTES} bytes, not {len(pcm)}.")
        samples = (ctypes.c_int16 * FRAME_SAMPLES).from_buffer_copy(pcm)
        size = self._lib.opus_encode(self._state, samples, FRAME_SAMPLES, self._packet, MAX_PACKET_BYTES)
        _check(self._lib, size)
        return self._packet.raw[:size]

    @property
    def final_range(self) -> int:
        """The state of the range encoder after the newest packet."""
        return _final_range(self._lib, self._lib.opus_encoder_ctl, self._state)

    def _set(self, request: int, value: int) -> None:
        _check(self._lib, self._lib.opus_encoder_ctl(ctypes.c_void_p(self._state), request, ctypes.c_int32(value)))


def agree(
    packets: Iterable[bytes], final_ranges: Iterable[int], rate_hz: int = RATE_HZ, decoder: Decoder | None = None
) -> bytes:
    """The sound of all packets, each of which must decode to 20 ms and leave the range its encoder had at its end.

    Disagreement names the first frame that does not. Give `decoder` to go on with a stream.
    """
    judge = decoder or Decoder(rate_hz)
    pcm = bytearray()
    for frame, (packet, wanted) in enumerate(zip(packets, final_ranges, strict=True)):
        try:
            sound = judge.decode(packet)
        except OpusError as error:
            raise Disagreement(frame, f"{error} (packet of {len(packet)} bytes: {packet[:16].hex()}...)") from error
        if len(sound) != 2 * rate_hz // 50:
            raise Disagreement(frame, f"decodes to {len(sound) // 2} samples at {rate_hz} Hz, which is not 20 ms.")
        if judge.final_range != wanted & 0xFFFFFFFF:
            found = judge.final_range
            raise Disagreement(frame, f"its decoder ends at range {found:#010x}, its encoder at {wanted:#010x}.")
        pcm += sound
    return bytes(pcm)


def frames(pcm: bytes) -> Iterator[bytes]:
    """`pcm` in pieces of FRAME_BYTES, the last filled up with silence."""
    for at in range(0, len(pcm), FRAME_BYTES):
        yield pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")


def decode_all(packets: Sequence[bytes], rate_hz: int = RATE_HZ) -> bytes:
    """The sound of a stream, the codec's delay still in front. OpusError."""
    judge = Decoder(rate_hz)
    return b"".join(judge.decode(packet) for packet in packets)


def _final_range(lib: ctypes.CDLL, control: ctypes._NamedFuncPointer, state: int) -> int:
    value = ctypes.c_uint32()
    _check(lib, control(ctypes.c_void_p(state), _GET_FINAL_RANGE, ctypes.byref(value)))
    return value.value


def _check(lib: ctypes.CDLL, code: int) -> None:
    """Every function gives a negative number for an error."""
    if code < 0:
        raise OpusError(f"libopus says: {lib.opus_strerror(code).decode()}.")
