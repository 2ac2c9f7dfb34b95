"""Makes the seeds of the corpus from real runs: `python -m tests.fuzz.seeds`. What is not a seed stays.

A link runs over packets in memory, a store is filled, presses are pressed, MicroPython answers the questions of the
tools; a seed's name begins with `seed`.
"""

from __future__ import annotations

import importlib
import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lapel_wire import flight_log, gatt, messages, rescue, schema
from tests.fuzz import corpus, host_seeds, table
from tests.fuzz.host_seeds import Seeds
from tests.fuzz.host_targets import mad_pin

_EPOCH = "00112233445566ff"
_CLIP_META = {
    "ep": _EPOCH,
    "n": 1,
    "codec": "ima-adpcm",
    "rate": 16000,
    "boot": "01020304",
    "ms": 5,
    "t": None,
    "re": None,
}


def block(data: bytes) -> bytes:
    """As Draw.block() reads it."""
    return struct.pack("<H", len(data)) + data


def conversation_packets() -> Seeds:
    """A clip goes over a link in memory: the packets of both directions."""
    linked = importlib.import_module("linked")
    seen: list[bytes] = []

    async def scenario(house: Any) -> None:
        transport = house.connect()
        carry = transport._carry

        def heard(line: list[bytes], packet: bytes) -> None:
            seen.append(bytes(packet))
            carry(line, packet)

        transport._carry = heard
        companion = linked.Companion(transport)
        await companion.handshake()
        await companion.take_clips(1)

    linked.run(scenario, {3: linked.some(1500)})
    whole = b"".join(block(packet) for packet in seen[:14])
    lossy = b"".join(block(packet) for packet in seen[1:14:2])
    return {"whole": b"\x04" + whole, "every second is lost": b"\x04" + lossy, "short": b"\0" + block(b"\xc0abc")}


def bodies() -> Iterator[tuple[int, dict[str, Any]]]:
    """A body of every kind of message."""
    pin_targets = importlib.import_module("pin_targets")
    draw = importlib.import_module("draw").Draw
    for kind in messages.TABLE:
        yield kind, pin_targets.body_of(kind, draw(bytes((7 * at * at) & 0xFF for at in range(60))))


def wire() -> dict[str, Seeds]:
    """What travels over the air."""
    text = {f"{messages.TABLE[kind][0]} {kind}": (kind, messages.write_body(kind, body)) for kind, body in bodies()}
    text["settings of a user"] = (messages.SETTINGS, b'{"id":7,"v":{"preroll":true,"quiet_from_min":1320}}')
    fits = {name: one for name, one in text.items() if len(one[1]) <= messages.CONTROL_BODY_MAX_BYTES}
    framed = importlib.import_module("wire_targets").framed
    log = flight_log.FlightLog()
    log.begin_boot("power on")
    log.put_text("last_error", "recorder: OSError: [Errno 5] EIO")
    log.event("died", "recorder", 1234)
    return {
        "packets": conversation_packets(),
        "records": {
            "two in order": b"\5hello!\0\3" + b"\1\5world!\1\3",
            "the same twice, then a changed one": b"\5hello!\0\3" + b"\0\0\3" + b"\0\0\0\7\1",
            "one is lost, one comes late": b"\1ab\0\1\0" + b"\1\1cd\1\3" + b"\0\0\3",
        },
        "channel": {
            name: bytes((mtu,)) + b"".join(bytes((how,)) + block(body) + bytes((kind,)) for kind, body in said)
            for mtu, how, name, said in (
                (4, 1, "in order", list(fits.values())[:4]),
                (0, 1, "in small packets", list(fits.values())[:2]),
                (4, 5, "each twice", list(fits.values())[4:7]),
                (1, 7, "noise", [(9, bytes(30)), (200, bytes(range(40)))]),
            )
        },
        "handshake": {
            "no strangers": bytes(range(32)),
            "a flipped bit, a cut one, noise": bytes(range(32)) + b"\3\0\7\3\1\20\2" + block(bytes(48)),
            "a key of no secret": bytes(32),
            "a key above the modulus": b"\xff" * 32,
        },
        "message": {name: framed(kind, body) for name, (kind, body) in fits.items()} | {"audio": b"\1\3\0\0\1\0sound"},
        "message_body": {name: bytes((kind,)) + body for name, (kind, body) in fits.items()},
        "safe_cause": {
            "no cause": gatt.INFO,
            "error": rescue.safe_info("OSError: 5 EIO"),
            "long": rescue.safe_info("é" * 40),
        },
        "flight": {"whole": bytes(log.sealed()), "inside": bytes(log.sealed())[12:330]},
        "flight_told": {"inside": bytes(log.sealed())[12:].rstrip(b"\0")},
        "pin_settings": {
            name: schema.write(("settings", "v", "settings"), {"v": values})[5:-1]
            for name, values in {
                "none": {},
                "quiet": {"quiet_from_min": 1320, "quiet_to_min": 420},
                "all wrong": {"preroll": 1, "haptic_strength": 256, "undo_ms": -1},
            }.items()
        },
    }


def stored() -> dict[str, Seeds]:
    """What a store wrote in a short life."""
    clips, flash = importlib.import_module("clips"), importlib.import_module("flash")
    records = importlib.import_module("lapel.core.records")
    files = importlib.import_module("file_targets").FILES
    with tempfile.TemporaryDirectory() as root:
        store = importlib.import_module("lapel.services.store").Store(
            root, flash.Random(1), flash.Trace(), clips.plenty
        )
        store.mount()
        clips.record(store, 200)
        for seq in (1, 2, 5):
            store.put({"ep": _EPOCH, "s": seq, "k": "done", "d": f"d{seq}", "j": None, "x": "how much: 77G"})
        store.mark_seen(_EPOCH, [2])
        store.settings.save(7, {"undo_ms": 12345})
        store.add_cancel(store.epoch, 1)
        found = {}
        for name, kind in files:
            path = Path(root, name)
            if kind and path.is_file():
                data = path.read_bytes()
                found[name] = records.unpack(kind, data, exact=kind != records.HEADER)
        store.close()
    place = {name: number for number, (name, _) in enumerate(files)}
    tails = {name: b"\x40\x01" if name.startswith("clips/0") else b"" for name in found}
    entries = {name: bytes((place[name],)) + block(body) + tails[name] for name, body in found.items()}
    header = messages.write_body(messages.CLIP, _CLIP_META)
    return {
        "record": {
            name: bytes((dict(files)[name],)) + records.pack(dict(files)[name], body) for name, body in found.items()
        },
        "marks": {
            "one epoch": found["state/marks"],
            "two epochs": found["state/marks"] + b"12345678\1\1" + b"\5\0\0\0" * 3,
        },
        "store": {"all": b"".join(entries.values()), **entries},
        "clip": {
            "whole": block(header) + struct.pack("<HBBB", 1000, 1, 0, 0),
            "cut": block(header) + struct.pack("<HBBHB", 6000, 0, 1, 5000, 0),
            "a changed byte": block(header) + struct.pack("<HBBBHB", 6000, 1, 0, 1, 4500, 7),
        },
    }


def acts() -> dict[str, Seeds]:
    """What a person and a companion do, as choices."""

    def presses(*edges: tuple[int, int]) -> bytes:
        return bytes(4) + b"".join(struct.pack("<HB", after_ms, what) for after_ms, what in edges)

    chance = [bytes((at * at * step >> 3) & 0xFF for at in range(160)) for step in (3, 7, 11)]
    return {
        "presses": {
            "a hold": presses((0, 0), (310, 2), (2000, 1), (400, 2)),
            "three taps": presses((0, 0), (90, 1), (90, 0), (90, 1), (90, 0), (90, 1), (400, 2)),
            "the longest": presses((0, 0), (310, 2), (55000, 2), (6000, 2), (10, 1)),
        },
        "gathering": {f"some {at}": data[:60] for at, data in enumerate(chance)},
        "conversation": {f"some {at}": data for at, data in enumerate(chance)},
        "ranges": {"in order": bytes(range(9)), "with gaps": bytes(range(0, 90, 9)), "any": chance[0][:30]},
    }


def main(makers: Sequence[Any] = (wire, stored, acts, mad_pin.seeds, *host_seeds.MAKERS)) -> None:
    """Puts new seeds in place of the old ones."""
    table.load()
    for maker in makers:
        for target, seeds in maker().items():
            kept = {name: data for name, data in corpus.read(target).items() if not name.startswith("seed ")}
            corpus.write(target, kept | {f"seed {name}": data for name, data in seeds.items()})


if __name__ == "__main__":
    main()
