"""Keyrings as they are: one that waits for its password, one whose bus went away, one that another session has."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lapel_companion.asking import Asker, Silent
from lapel_companion.cli.pair import unpair
from lapel_companion.client import Client
from lapel_companion.keys import BEGUN, Keys
from lapel_companion.pairing import FILE, MARK, Key, KeyFile, KeyRing, PairingError, key_store
from tests.host.companion.companion_fakes import run
from tests.host.companion.test_pairing import Ring

KEY = Key(3, bytes(range(32)))


class Desk:
    """What `keyring.get_keyring` gives in this session: a ring, none, or trouble."""

    def __init__(self) -> None:
        self.ring: Ring | None = Ring()
        self.trouble: Exception | None = None

    def __call__(self) -> Any:
        if self.trouble is not None:
            raise self.trouble
        from keyring.backends import fail

        return self.ring or fail.Keyring()  # type: ignore[no-untyped-call]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    monkeypatch.setattr("keyring.get_keyring", desk)
    return desk


class Hanging(Ring):
    """Waits for its password, as long as nobody types it."""

    def __init__(self) -> None:
        super().__init__()
        self.typed = threading.Event()
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        self.typed.wait()
        return super().get_password(service, username)


@pytest.fixture
def hanging(desk: Desk) -> Iterator[Hanging]:
    ring = Hanging()
    desk.ring = ring
    yield ring
    ring.typed.set()


def test_one_that_hangs_is_a_sentence_and_asked_once(hanging: Hanging, tmp_path: Path) -> None:
    keys = Keys(tmp_path, 0.05)

    def ask() -> None:
        with pytest.raises(PairingError, match="does not answer"):
            keys.load()

    # On a busy computer it is not even there within that time.
    while not hanging.calls:
        ask()
    for _ in range(5):
        ask()
    assert hanging.calls == 1
    assert "does not answer" in keys.told()["trouble"] and hanging.calls == 1
    # Its password is typed at last.
    hanging.typed.set()
    while threading.active_count() > 1 and any(t.name == "lapel-keyring" for t in threading.enumerate()):
        pass
    assert keys.load() is None


def test_nobody_waits_for_one_that_hangs_at_the_end() -> None:
    """A stop would hang: asyncio and Python wait for every thread of a pool."""
    program = (
        "import asyncio, threading\n"
        "from lapel_companion.asking import Asker, Silent\n"
        "async def main():\n"
        "    try: await asyncio.to_thread(Asker(0.05).ask, threading.Event().wait)\n"
        "    except Silent: print('silent')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "silent\n", "")


def test_many_that_ask_at_once_wait_for_one() -> None:
    async def test() -> None:
        asker, hang = Asker(0.2), threading.Event()
        asked: list[int] = []

        def call() -> None:
            asked.append(1)
            hang.wait()

        found = await asyncio.gather(*(asyncio.to_thread(asker.ask, call) for _ in range(20)), return_exceptions=True)
        assert all(isinstance(one, Silent) for one in found) and len(asked) == 1
        hang.set()

    run(test)


@pytest.mark.parametrize("error", [ConnectionResetError("bus"), EOFError(), RuntimeError("x"), KeyError("secret")])
def test_whatever_its_bus_raises_is_a_sentence(desk: Desk, tmp_path: Path, error: Exception) -> None:
    store = key_store(tmp_path)
    store.save(KEY)

    def broken(*_: object) -> None:
        raise error

    assert desk.ring is not None
    for name in ("get_password", "set_password", "delete_password"):
        setattr(desk.ring, name, broken)
    for call in (store.load, lambda: store.save(KEY), store.forget):
        with pytest.raises(PairingError, match=type(error).__name__) as raised:
            call()
        assert "secret" not in str(raised.value)
    # What chooses one may fail, too: PYTHON_KEYRING_BACKEND names a module that is not there.
    desk.trouble = ModuleNotFoundError("keyrings.alt")
    with pytest.raises(PairingError, match=r"ModuleNotFoundError.*PYTHON_KEYRING_BACKEND"):
        Keys(tmp_path).load()


def test_from_another_session_it_is_not_said_that_there_is_no_key(desk: Desk, tmp_path: Path) -> None:
    """Over ssh, or from cron: a stolen pin must not be called revoked, nor its link end as if it were."""
    keys = Keys(tmp_path)
    with keys.alone():
        keys.begin("pin", [])
        key = keys.adopt()
    assert (tmp_path / MARK).is_file() and not (tmp_path / BEGUN / MARK).exists()
    ring, desk.ring = desk.ring, None
    with pytest.raises(PairingError, match="cannot be reached from here"):
        keys.load()
    with pytest.raises(PairingError, match="cannot be reached from here"):
        keys.forget()
    done = CliRunner().invoke(unpair, ["--lost", "--state", str(tmp_path)])
    assert done.exit_code == 1 and "NOT revoked" in done.output and "No pin is paired" not in done.output
    desk.ring = ring
    assert keys.load() == key
    done = CliRunner().invoke(unpair, ["--lost", "--state", str(tmp_path)])
    assert done.exit_code == 0 and "Revoked" in done.output
    assert keys.load() is None and ring is not None and not ring.held and not (tmp_path / MARK).exists()


def test_however_the_folder_is_written_the_key_is_one(desk: Desk, tmp_path: Path) -> None:
    state = tmp_path / "state"
    KeyRing(state, desk.ring or Ring()).save(KEY)
    (tmp_path / "link").symlink_to(state)
    for written in (tmp_path / "link", tmp_path / "x" / ".." / "state"):
        (tmp_path / "x").mkdir(exist_ok=True)
        assert Keys(written).load() == KEY
    assert Keys(tmp_path / "link").forget() and desk.ring is not None and not desk.ring.held


def test_a_key_that_a_companion_still_has_is_not_called_revoked(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older mark is gone, and the companion reads a keyring that this terminal does not have."""
    told = {"fingerprint": KEY.fingerprint, "where": "the keyring (its own)"}
    monkeypatch.setattr(Client, "post", lambda *_: told)
    for held in (False, True):
        if held:
            KeyFile(tmp_path).save(KEY)
        desk.ring = None
        done = CliRunner().invoke(unpair, ["--lost", "--state", str(tmp_path)])
        assert done.exit_code == 1 and "NOT revoked" in done.output and "its own" in done.output
        assert "Revoked:" not in done.output and "No pin is paired" not in done.output
        assert not (tmp_path / FILE).exists()


def test_what_a_crash_left_of_a_key_goes_with_it(desk: Desk, tmp_path: Path) -> None:
    desk.ring = None
    keys = Keys(tmp_path)
    with keys.alone():
        for folder in (tmp_path, tmp_path / BEGUN):
            (folder / f".{FILE}.0badc0de.tmp").write_text(f"1 3 {KEY.secret.hex()}\n")
        keys.forget()
    left = [path for path in tmp_path.rglob("*") if path.is_file() and KEY.secret.hex() in path.read_text()]
    assert left == []
