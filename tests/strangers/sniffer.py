"""What a sniffer of the whole air learns during dispatches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lapel_companion.pairing import KeyFile
from simulator.wav import load
from tests.sim.runs import DISK, NOTE
from tests.strangers.desk import Desk
from tests.strangers.ear import NOTIFICATION, WRITE, WRITE_NO_RESPONSE, chi_square, entropy_bits
from tests.strangers.rows import Row

# Far from what ciphertext gives by chance (255, deviation 22.6).
CHI_SQUARE_MAX = 400.0
ENTROPY_MIN_BITS = 7.9
_WINDOW = 8
_PIECES = (b'"ep"', b'"dev"', b'{"', b'":', b"free of", b"milk", b"disk", b"ima-adpcm", b"jobs", b"done")
_CLIP_MIN_BYTES = 8_000


async def sniffed(one: Desk, wavs: Sequence[Path] = (DISK, NOTE)) -> Row:
    """Clips, their results, settings and notices; then everything that went by is looked through."""
    row = Row("carriers", "a sniffer of the whole air")
    begun = 0
    for wav in wavs:
        start = len(one.events)
        await one.hold(wav)
        await one.seen("notice", start, 40.0, who="pin")
        await one.seen("haptic_end", start, 20.0, pattern="done")
    ear = one.ear
    up, down = ear.packets(NOTIFICATION), ear.packets(WRITE) + ear.packets(WRITE_NO_RESPONSE)
    down = [m for m in down if len(m.value) > 2]
    bodies = b"".join(_bodies([m.value for m in up])) + b"".join(_bodies([m.value for m in down]))
    row.check(len(up) > 50 and len(down) > 10, f"the ear heard {len(up)} and {len(down)} packets only")
    clips = _clips(one.state)
    row.check(sum(map(len, clips)) > _CLIP_MIN_BYTES * len(wavs), "the companion has no clips")
    for clip in clips:
        row.check(ear.shares(clip, _WINDOW) == 0, f"{ear.shares(clip)} windows of a clip went by")
    for wav in wavs:
        row.check(ear.shares(load(wav).tobytes(), _WINDOW) == 0, "samples went by")
    for name, secret in secrets(one, begun):
        row.check(not ear.finds(secret), f"{name} went by: {secret!r}")
    chi, bits = chi_square(bodies), entropy_bits(bodies)
    row.check(chi < CHI_SQUARE_MAX, f"chi-square of the records is {chi:.0f}")
    row.check(bits > ENTROPY_MIN_BITS, f"the records have {bits:.3f} bits a byte")
    lengths = Counter(len(m.value) for m in up)
    row.note = f"{len(bodies)} B, chi² {chi:.0f}, {bits:.3f} bit/B, up {dict(lengths.most_common(3))}"
    return row


def secrets(one: Desk, begun: int) -> list[tuple[str, bytes]]:
    """What must never be on the air: name and bytes."""
    found: list[tuple[str, bytes]] = [("a piece of a message", piece) for piece in _PIECES if len(piece) > 3]
    for event in one.events[begun:]:
        for key in ("text", "heard"):
            text = str(event.fields.get(key) or "")
            if event.who in ("companion", "pin") and len(text) >= 6:
                found += [("a text", piece) for piece in _pieces(text)]
        for value in map(str, event.fields.values()):
            for number in re.findall(r"\b(?:[0-9a-f]{8}|[0-9a-f]{16})\b", value):
                found += [("an id", number.encode()), ("an id", bytes.fromhex(number))]
    shared = KeyFile(one.state).load()
    assert shared is not None
    found += [("the key", shared.secret[at : at + _WINDOW]) for at in range(len(shared.secret) - _WINDOW + 1)]
    # Fewer bytes are found by chance.
    return [(name, secret) for name, secret in dict.fromkeys(found) if len(secret) >= 4]


def _bodies(packets: list[bytes]) -> list[bytes]:
    # One packet is one record at this MTU: without its header and the counter.
    return [packet[3:] for packet in packets if len(packet) > 30]


def _clips(state: Path) -> list[bytes]:
    return [path.read_bytes() for path in state.rglob("*") if path.is_file() and "clip" in str(path).lower()]


def _pieces(text: str) -> list[bytes]:
    data = text.encode()
    return [data[at : at + _WINDOW] for at in range(max(1, len(data) - _WINDOW + 1))]
