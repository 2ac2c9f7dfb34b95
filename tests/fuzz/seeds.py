"""Makes the seeds of the corpus from real runs: `python -m tests.fuzz.seeds`. What is not a seed stays.

A link runs over packets in memory, a store is filled, presses are pressed, MicroPython answers the questions of the
tools; a seed's name begins with `seed`.
"""

from __future__ import annotations

import importlib
import io
import json
import struct
import subprocess
import tempfile
import tomllib
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lapel_companion import paths as companion_paths
from lapel_usb import build, facts
from lapel_wire import flight_log, gatt, messages, rescue, schema
from tests.fuzz import corpus, paths, table
from tests.fuzz.host_targets import mad_pin

Seeds = dict[str, bytes]
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


def said() -> dict[str, Seeds]:
    """What people say and write."""
    example = companion_paths.EXAMPLE.read_bytes()
    say = [one for phrase in tomllib.loads(example.decode())["phrase"] for one in listed(phrase["say"])]
    spans = ("ten minutes", "in two and a half hours", "an hour from now", "three quarters of an hour", "90s", "1.5h")
    answer = {"text": "make a note", "segments": [{"avg_logprob": -0.25}, {"avg_logprob": -1}]}
    return {
        "spans": {text: text.encode() for text in spans},
        "phrases": {
            f"phrase {at}": f"{one}\n{one.replace('{', '').replace('}', '')}".encode() for at, one in enumerate(say)
        }
        | {"slips": b"how much disk space is left\nhow much disc space is left please"},
        "configured": {
            "a phrase": b'[[phrase]]\nsay = "go {text}"\nagent = "note"\n',
            "sections": b'[jobs]\nat_once = 2\n[pin]\nquiet_from = "22:00"\nquiet_to = "07:00"\n',
            "many lines": b'[[phrase]]\nsay = ["a b", """c\nd"""]\nrun = [\n "x", # y\n "z"]\n',
        },
        "transcripts": {"json": json.dumps(answer).encode(), "no text": b'{"text":" "}', "no object": b"[]"},
        "clock_file": {"two boots": b'{"0badcafe":1790000000000,"a":5}'},
    }


def asked() -> dict[str, Seeds]:
    """What programs send to the local API, and the files of its secrets."""
    head = b"GET /v1/events?after=7&limit=5&kinds=notice,job HTTP/1.1\r\nHost: lapel\r\nAuthorization: Bearer lapel_x"
    post = (
        b"POST /v1/say HTTP/1.1\r\nHost: localhost:80\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
    )
    token = {"name": "a", "scopes": ["read", "say"], "sha256": "0f" * 32, "made": 1790000000.5}
    gets = (
        "status",
        "events?follow=1",
        "dispatches/d1",
        "jobs/d1.1/log",
        "notices?unseen=1",
        "clips/a-b-1.wav",
        "flight",
    )
    whole = {path: f"GET /v1/{path} HTTP/1.1\r\nHost: lapel\r\n\r\n".encode() for path in gets}
    return {
        "api_head": {
            "get": head,
            "post": post[:-4],
            "page": b"GET / HTTP/1.1\r\nHost: lapel\r\nOrigin: http://a.example",
        },
        "api_body": {
            "text": b'{"text":"go home"}',
            "scopes": b'{"text":"a","scopes":["read",null]}',
            "deep": b"[[[[[]]]]]",
        },
        "api_bytes": {**whole, "say": post + b'{"text":"home"', "tls": b"\x16\x03\x01\x02\0"},
        "api_posts": {
            "say": b'\0{"text":"go home"}',
            "release": b'\1{"dispatch":"d1","text":null}',
            "cancel": b'\2{"dispatch":"d1"}',
            "token": b'\5{"name":"a","scopes":["read"]}',
        },
        "token_file": {"one": json.dumps({"version": 1, "tokens": [token]}).encode(), "none": b'{"tokens":[]}'},
        "key_file": {"ours": b"1 7 " + b"0f" * 32 + b"\n", "cut": b"1 7 0f0f"},
    }


def listed(value: Any) -> list[str]:
    """A text or a list of them, as a list."""
    return [value] if isinstance(value, str) else list(value)


def things() -> dict[str, Seeds]:
    """Files and answers."""
    sounds = {f"{bits} bits": wav(1, bits, 16000, 1) for bits in (8, 16, 24, 32)}
    sounds |= {"float": wav(3, 32, 16000, 1), "double": wav(3, 64, 16000, 1), "44100 stereo": wav(1, 16, 44100, 2)}
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(range(64)))
    told = json.dumps(json.loads(micropython(facts._PROBE)) | {"room": [1 << 40, 1 << 39]}).encode()
    owned = {"app": "/app/a1", "protocol": gatt.PROTOCOL_VERSION, "root": "/data", "boots": "0", "key": "there"}
    owned |= {"generation": 7, "fingerprint": "ab-cd", "clips": 1, "others": 2, "forgets": False, "proof": "0f" * 32}
    board = {"psram": 8388608, "flash": 8388608, "uid": "0badcafe", "room": [4194304, 4000000], "radio": True}
    return {
        "recordings": sounds,
        "clip_wavs": {"ours": held.getvalue()},
        "pin_facts": {"this computer": told, "a board": json.dumps(json.loads(told) | board).encode()},
        "pin_inventory": {"a pin": on_a_pin()},
        "pin_owner": {"paired": b"@" + json.dumps(owned).encode(), "of no app": b'@{"app":false}'},
    }


def wav(kind: int, bits: int, rate_hz: int, channels: int) -> bytes:
    """A short WAV file."""
    sound = bytes(range(48))
    head = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * channels * bits // 8, channels * bits // 8, bits)
    chunks = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def micropython(code: str) -> bytes:
    """What MicroPython prints when it runs `code`."""
    return subprocess.run([paths.interpreter(), "-c", code], capture_output=True, check=True, timeout=20).stdout.strip()


def on_a_pin() -> bytes:
    """The answers of a pin with one app and one recording, in the order of the questions."""
    manifest = json.dumps({"files": {"app.py": "00"}}).encode()
    files = [
        ["app/", 0],
        ["app/a1/", 0],
        [f"app/a1/{build.MANIFEST}", len(manifest)],
        ["app/b2/", 0],
        ["current", 6],
    ]
    files += [["data/", 0], ["data/clips/", 0], ["data/clips/00000001", 20984]]
    return b"\0".join(("\n".join(map(json.dumps, files)).encode(), b"app/a1", manifest, b"900"))


def main(makers: Sequence[Any] = (wire, stored, acts, mad_pin.seeds, said, asked, things)) -> None:
    """Puts new seeds in place of the old ones."""
    table.load()
    for maker in makers:
        for target, seeds in maker().items():
            kept = {name: data for name, data in corpus.read(target).items() if not name.startswith("seed ")}
            corpus.write(target, kept | {f"seed {name}": data for name, data in seeds.items()})


if __name__ == "__main__":
    main()
