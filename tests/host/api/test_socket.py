"""Who can reach the socket: its mode, the folders above it, and the user on the other side."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel_companion import api_peer, socket_path
from lapel_companion.client import ApiError, Client, follow
from lapel_companion.socket_path import SocketPathError
from lapel_companion.state import StateError, StateFolder
from tests.host.api.raw import get, talk
from tests.host.companion.companion_api import serving
from tests.host.companion.companion_fakes import run

ROOT = os.getuid() == 0
NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder for sockets, as a session has one."""
    with tempfile.TemporaryDirectory(prefix="l") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def long_state(folder: Path) -> Path:
    state = folder / ("long" * 30)
    state.mkdir(mode=0o700)
    return state


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_socket_is_0600_whatever_the_umask(tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its first moment: the mode is looked at before anything else can have changed it."""
    seen: list[tuple[int, int]] = []

    class Watching(socket.socket):
        def bind(self, address: object, /) -> None:
            super().bind(address)  # type: ignore[arg-type]
            seen.append((mode(Path(str(address))), os.umask(umask)))

    async def test() -> None:
        state = tmp_path / "s"
        for folder in ("clips", "tokens"):
            (state / folder).mkdir(parents=True)
        monkeypatch.setattr(Path, "mkdir", lambda *_, **__: None)
        monkeypatch.setattr(socket, "socket", Watching)
        before = os.umask(umask)
        try:
            async with serving(state):
                assert mode(state / "api.sock") == 0o600
                now = os.umask(umask)
                assert now == umask, "the process keeps its own umask"
        finally:
            os.umask(before)
        # Never more, and no other thread of ours had another umask meanwhile.
        assert seen == [(0o600 & ~umask, umask)] * 2

    if umask == 0o777 and not ROOT:
        pytest.skip("nothing can be written then")
    run(test)


def test_a_state_folder_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    state = tmp_path / "s"
    state.mkdir(mode=0o755)
    state.chmod(0o777)
    socket_path.choose(state)
    assert mode(state) == 0o700
    state.chmod(0o755)
    StateFolder.open(state).close()
    assert mode(state) == 0o700


@pytest.mark.skipif(not ROOT, reason="needs another user")
def test_a_state_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    os.chown(state, NOBODY, NOBODY)
    with pytest.raises(SocketPathError, match="belongs to another user"):
        socket_path.choose(state)
    with pytest.raises(StateError, match="belongs to another user"):
        StateFolder.open(state)


def test_the_short_folder_is_private_or_refused(tmp_path: Path, runtime: Path) -> None:
    state, short = long_state(tmp_path), runtime / f"lapel-{os.getuid()}"
    before = os.umask(0)
    try:
        assert socket_path.choose(state).parent == short
    finally:
        os.umask(before)
    assert mode(short) == 0o700 and mode(state / "api.path") == 0o600
    short.chmod(0o711)
    with pytest.raises(SocketPathError, match="not yours alone"):
        socket_path.choose(state)
    short.rmdir()
    elsewhere = tmp_path / "elsewhere"
    for target in (elsewhere, state):
        short.symlink_to(target)
        with pytest.raises(SocketPathError, match="not yours alone"):
            socket_path.choose(state)
        short.unlink()
    short.write_text("a file")
    with pytest.raises(SocketPathError, match="not yours alone"):
        socket_path.choose(state)
    short.unlink()
    if ROOT:
        short.mkdir(mode=0o700)
        os.chown(short, NOBODY, NOBODY)
        with pytest.raises(SocketPathError, match="not yours alone"):
            socket_path.choose(state)


def test_a_place_where_others_can_rename_our_folder_is_refused(tmp_path: Path, runtime: Path) -> None:
    state = long_state(tmp_path)
    runtime.chmod(0o777)
    with pytest.raises(SocketPathError, match="others can rename"):
        socket_path.choose(state)
    runtime.chmod(0o1777)
    assert socket_path.choose(state)
    if ROOT:
        runtime.chmod(0o755)
        os.chown(runtime, NOBODY, NOBODY)
        with pytest.raises(SocketPathError, match="others can rename"):
            socket_path.choose(state)


def test_another_user_is_refused_on_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            monkeypatch.setattr(api_peer, "peer_uid", lambda _: os.getuid() + 1)
            reply = await talk(rig.state, get("/v1/status"))
            assert reply.status == 403 and "another user" in reply.refused()
            with pytest.raises(ApiError, match="belongs to another user"):
                await asyncio.to_thread(Client(rig.state).get, "/v1/status")
            with pytest.raises(OSError, match="belongs to another user"):
                await anext(follow(rig.state))
            # Nobody who says who it is: refused as well.
            monkeypatch.setattr(api_peer, "peer_uid", lambda _: None)
            assert (await talk(rig.state, get("/v1/status"))).status == 403
            # Root can read everything here anyway.
            monkeypatch.setattr(api_peer, "peer_uid", lambda _: 0)
            assert (await talk(rig.state, get("/v1/status"))).status == 200

    run(test)


@pytest.mark.skipif(not (ROOT and sys.platform == "linux"), reason="needs another user")
def test_another_user_is_known_by_the_kernel(tmp_path: Path) -> None:
    """Where the modes do not hold (here: taken away by hand), the kernel's word does."""
    with tempfile.TemporaryDirectory(prefix="l") as folder:
        place = Path(folder)

        async def test() -> None:
            async with serving(place / "s") as rig:
                place.chmod(0o755)
                rig.state.chmod(0o755)
                (rig.state / "api.sock").chmod(0o666)
                code = (
                    "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
                    "s.sendall(b'GET /v1/status HTTP/1.1\\r\\nHost: lapel\\r\\n\\r\\n'); print(s.recv(4096))"
                )
                process = await asyncio.create_subprocess_exec(
                    *("/usr/bin/env", "python3", "-c", code, str(rig.state / "api.sock")),
                    user=NOBODY,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                )
                out, err = await process.communicate()
                assert b"403" in out and b"another user" in out, (out, err)

        run(test)


def test_what_macos_says_of_the_other_side(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mac:
        def __init__(self, found: bytes) -> None:
            self._found = found

        def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
            assert (level, optname) == (0, 1) and buflen >= 76
            return self._found

    monkeypatch.setattr(api_peer, "_SYSTEM", "darwin")
    for uid in (501, os.getuid(), 2**32 - 2):
        assert api_peer.peer_uid(Mac(struct.pack("=IIh2x16I", 0, uid, 1, *([20] * 16)))) == uid
    assert api_peer.peer_uid(Mac(struct.pack("=II", 1, 501))) is None
    assert api_peer.peer_uid(Mac(b"")) is None and not api_peer.is_owner(Mac(b""))
    monkeypatch.setattr(api_peer, "_SYSTEM", "plan9")
    assert not api_peer.is_owner(Mac(b""))


def test_what_lies_in_the_sockets_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """A link there, to a file or to somebody's socket, is neither written through nor listened at."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    others = socket.socket(socket.AF_UNIX)
    others.bind(str(tmp_path / "o"))

    async def test() -> None:
        for number, target in enumerate((elsewhere, tmp_path / "o", tmp_path / "nowhere")):
            state = tmp_path / f"s{number}"
            state.mkdir(mode=0o700)
            place = state / "api.sock"
            place.symlink_to(target)
            async with serving(state) as rig:
                found = place.lstat()
                assert stat.S_ISSOCK(found.st_mode) and mode(place) == 0o600
                assert (await talk(rig.state, get("/v1/status"))).status == 200
            assert not place.exists() and (tmp_path / "o").exists()
        assert elsewhere.read_text() == "precious" and not (tmp_path / "nowhere").exists()

    run(test)
    others.close()


def test_a_client_says_nothing_to_a_socket_that_was_swapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's socket behind a link in our place: it is connected to, and gets no byte, and no token."""
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(tmp_path / "o"))
        theirs.listen()
        (state / "api.sock").symlink_to(tmp_path / "o")
        monkeypatch.setattr(api_peer, "peer_uid", lambda _: os.getuid() + 1)
        with pytest.raises(ApiError, match="belongs to another user"):
            Client(state, "lapel_secret").get("/v1/status")
        connection, _ = theirs.accept()
        with connection:
            assert connection.recv(100) == b""
