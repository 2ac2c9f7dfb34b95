"""The local API by its bytes, as no well-behaved client sends them."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

from lapel_companion import socket_path

HOST = b"Host: lapel\r\n"


def get(path: str, *fields: str, host: bytes = HOST) -> bytes:
    return f"GET {path} HTTP/1.1\r\n".encode() + host + "".join(f"{one}\r\n" for one in fields).encode() + b"\r\n"


def post(path: str, body: bytes, *fields: str, media: str = "application/json") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: lapel\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n"
    return (head + "".join(f"{one}\r\n" for one in fields) + "\r\n").encode() + body


class Reply:
    """An answer: status, headers (in lower case) and body, parsed. None of it is None when nothing was answered."""

    def __init__(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        self.raw = data
        self.status = int(lines[0].split()[1]) if data else 0
        self.headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines[1:])}
        is_json = self.headers.get("content-type", "").startswith("application/json")
        self.body: Any = json.loads(body) if is_json else body

    def refused(self) -> str:
        """The sentence of a refusal, after a look at its form."""
        assert set(self.body) == {"error"}, self.body
        sentence = self.body["error"]
        assert isinstance(sentence, str) and sentence.endswith(".") and "\n" not in sentence, sentence
        assert "Traceback" not in sentence and "Error" not in sentence, sentence
        assert self.headers["connection"] == "close"
        return sentence


def connect(state: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(str(socket_path.find(state)))
    return connection


def read_all(connection: socket.socket) -> bytes:
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


async def talk(state: Path, data: bytes) -> Reply:
    """Send bytes, and read until the other side is done."""

    def work() -> Reply:
        with connect(state) as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                # It has refused already.
                pass
            return Reply(read_all(connection))

    return await asyncio.to_thread(work)
