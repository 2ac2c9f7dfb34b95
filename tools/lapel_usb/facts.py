"""What a pin says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from lapel_usb.errors import StrangeAnswer

T = TypeVar("T")
# sys.implementation._mpy: version, its minor part in two bits, the number of the emitter (docs.micropython.org,
# "MicroPython .mpy files"); in the order of py/persistentcode.h.
ARCHITECTURES = (
    "",
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "rv64imc",
)
# A heap region as large as this lies in PSRAM.
_PSRAM_LEAST_BYTES = 1 << 20

# Works on any MicroPython, mounted or not, and prints one line of JSON.
_PROBE = """
import sys, json
def _facts():
    i = sys.implementation
    f = {"name": i.name, "version": list(i.version[:3]), "machine": getattr(i, "_machine", ""),
         "mpy": getattr(i, "_mpy", 0), "platform": sys.platform}
    def ask(name, get):
        try:
            f[name] = get()
        except Exception:
            f[name] = None
    def psram():
        import esp32
        return max(h[0] for h in esp32.idf_heap_info(esp32.HEAP_DATA))
    def flash():
        import esp
        return esp.flash_size()
    def uid():
        import machine
        return "".join("%02x" % b for b in machine.unique_id())
    def room():
        import os
        s = os.statvfs("/")
        # with nothing mounted it has no blocks
        return [s[0] * s[2], s[0] * s[3]] if s[2] else None
    def radio():
        import bluetooth
        return True
    ask("psram", psram)
    ask("flash", flash)
    ask("uid", uid)
    ask("room", room)
    ask("radio", radio)
    print(json.dumps(f))
_facts()
"""


@dataclass(frozen=True)
class Facts:
    """`room_bytes` and `free_bytes` are the filesystem's, 0 when none is mounted; `psram_bytes` and
    `flash_bytes` are 0 when the pin does not tell."""

    name: str
    version: tuple[int, ...]
    machine: str
    platform: str
    mpy: int
    psram_bytes: int
    flash_bytes: int
    unique_id: str
    room_bytes: int
    free_bytes: int
    mounted: bool
    bluetooth: bool

    @property
    def mpy_version(self) -> tuple[int, int]:
        """Of the bytecode that it loads: (6, 3)."""
        return self.mpy & 0xFF, self.mpy >> 8 & 3

    @property
    def arch(self) -> str:
        """mpy-cross's name for its machine code, "" for none."""
        number = self.mpy >> 10 & 0xF
        return ARCHITECTURES[number] if number < len(ARCHITECTURES) else f"number {number}"

    @property
    def version_text(self) -> str:
        """1.29.0"""
        return ".".join(map(str, self.version))


def probe(run: Callable[[str], str]) -> Facts:
    """Asks the pin by running code on it. Raises StrangeAnswer, and what `run` raises."""
    answer = run(_PROBE)
    try:
        return _understood(json.loads(answer.strip().splitlines()[-1]))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise StrangeAnswer("what it is", answer) from None


def _understood(told: Any) -> Facts:
    heap, room = _of(int, told["psram"] or 0), told["room"] or [0, 0]
    return Facts(
        name=_of(str, told["name"]),
        version=tuple(_of(int, part) for part in told["version"]),
        machine=_of(str, told["machine"]),
        platform=_of(str, told["platform"]),
        mpy=_of(int, told["mpy"]),
        psram_bytes=heap if heap >= _PSRAM_LEAST_BYTES else 0,
        flash_bytes=_of(int, told["flash"] or 0),
        unique_id=_of(str, told["uid"] or ""),
        room_bytes=_of(int, room[0]),
        free_bytes=_of(int, room[1]),
        mounted=told["room"] is not None,
        bluetooth=bool(told["radio"]),
    )


def _of(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
