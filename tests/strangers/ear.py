"""Somebody who hears the whole air: every packet that went through it, put together as far as anybody can."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from bumble import hci

ATT = 4
MTU_REQUEST, NOTIFICATION, WRITE, WRITE_NO_RESPONSE, READ_RESPONSE = 0x02, 0x1B, 0x12, 0x52, 0x0B
# What is written to subscribe.
_SUBSCRIPTION_BYTES = 2
_SESSION_MIN_PACKETS = 3
_L2CAP_HEAD = 4
_VALUES_MIN = 5


@dataclass
class Heard:
    """An ATT message from one address to another; `value` is what a write or a notification carries, else b""."""

    sender: str
    receiver: str
    pdu: bytes
    value: bytes = b""
    handle: int = 0


@dataclass
class Ear:
    """Add it to Air.ears. `raw` is everything as it went by, `messages` what it was, `adverts` by address."""

    raw: list[bytes] = field(default_factory=list)
    messages: list[Heard] = field(default_factory=list)
    adverts: dict[str, set[bytes]] = field(default_factory=dict)
    _open: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def __call__(self, sender: hci.Address, receiver: hci.Address | None, data: bytes) -> None:
        if receiver is None:
            self.adverts.setdefault(str(sender), set()).add(bytes(data))
            return
        self.raw.append(bytes(data))
        way = (str(sender), str(receiver))
        whole = self._open.pop(way, b"") + data
        length = int.from_bytes(whole[:2], "little") + _L2CAP_HEAD
        if len(whole) < length:
            self._open[way] = whole
        elif int.from_bytes(whole[2:4], "little") == ATT:
            self.messages.append(_read(*way, whole[_L2CAP_HEAD:length]))

    def packets(self, op: int) -> list[Heard]:
        """The messages of that ATT operation."""
        return [one for one in self.messages if one.pdu and one.pdu[0] == op]

    def sessions(self) -> list[tuple[list[bytes], list[bytes]]]:
        """What a central wrote and what it was notified of, connection by connection, where both said more than an
        opening and an answer. A connection begins as the MTU is asked for."""
        found: list[tuple[list[bytes], list[bytes]]] = []
        now: dict[str, tuple[list[bytes], list[bytes]]] = {}
        for one in self.messages:
            if one.pdu[:1] == bytes((MTU_REQUEST,)):
                now[one.sender] = ([], [])
                found.append(now[one.sender])
            elif one.pdu[:1] == bytes((NOTIFICATION,)) and one.receiver in now:
                now[one.receiver][1].append(one.value)
            elif len(one.value) > _SUBSCRIPTION_BYTES and one.sender in now:
                now[one.sender][0].append(one.value)
        return [one for one in found if min(map(len, one)) >= _SESSION_MIN_PACKETS]

    def clear(self) -> None:
        """Forget what was said, not who advertised."""
        self.raw.clear()
        self.messages.clear()

    def finds(self, secret: bytes) -> bool:
        """Whether these bytes went by, in one packet or over the borders of several that carry one record."""
        return any(secret in piece for piece in self.haystacks())

    def haystacks(self) -> list[bytes]:
        """All that was said: each way's values joined without their packet headers, and everything raw."""
        ways: dict[tuple[str, str], bytearray] = {}
        for one in self.messages:
            ways.setdefault((one.sender, one.receiver), bytearray()).extend(one.value[1:])
        return [bytes(b) for b in ways.values()] + [b"".join(self.raw), *(one.pdu for one in self.messages)]

    def shares(self, data: bytes, window: int = 8) -> int:
        """How many windows of `data` went by."""
        wanted = {data[i : i + window] for i in range(len(data) - window + 1)}
        # Few values, most of them zero, are in every header of a file and of a packet.
        wanted = {piece for piece in wanted if len(set(piece)) >= _VALUES_MIN}
        found = set()
        for piece in self.haystacks():
            found |= wanted.intersection(piece[i : i + window] for i in range(len(piece) - window + 1))
        return len(found)


def _read(sender: str, receiver: str, pdu: bytes) -> Heard:
    if pdu and pdu[0] in (NOTIFICATION, WRITE, WRITE_NO_RESPONSE):
        return Heard(sender, receiver, pdu, pdu[3:], int.from_bytes(pdu[1:3], "little"))
    return Heard(sender, receiver, pdu)


def entropy_bits(data: bytes) -> float:
    """Bits a byte; close to 8 for what is random."""
    counts = Counter(data)
    return -sum(n / len(data) * math.log2(n / len(data)) for n in counts.values())


def chi_square(data: bytes) -> float:
    """Of the 256 values against all alike; random data has 255 with a deviation of 22.6."""
    counts, due = Counter(data), len(data) / 256
    return sum((counts[value] - due) ** 2 / due for value in range(256))
