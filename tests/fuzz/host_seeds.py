"""Seeds for what a computer reads: what people say and write, requests, files, answers of pins and of programs."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import tomllib
import wave
from typing import Any

from lapel_companion import paths as companion_paths
from lapel_usb import build, facts
from lapel_wire import gatt
from tests.fuzz import paths

Seeds = dict[str, bytes]


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
    packed = b"".join(b"\x29\xb8" + bytes(range(at, at + 40)) for at in range(5))
    told = json.dumps(json.loads(micropython(facts._PROBE)) | {"room": [1 << 40, 1 << 39]}).encode()
    owned = {"app": "/app/a1", "protocol": gatt.PROTOCOL_VERSION, "root": "/data", "boots": "0", "key": "there"}
    owned |= {"generation": 7, "fingerprint": "ab-cd", "clips": 1, "others": 2, "forgets": False, "proof": "0f" * 32}
    board = {"psram": 8388608, "flash": 8388608, "uid": "0badcafe", "room": [4194304, 4000000], "radio": True}
    return {
        "recordings": sounds,
        "clip_wavs": {"ours": held.getvalue()},
        "opus_clips": {"ours": packed * 9, "cut": packed[:-7], "of others": packed + b"\x03\x78\1\2\0" + packed},
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


MAKERS = (said, asked, things)
