"""Where the pin's key is kept: in a real keyring, else in a file of its owner's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked

from lapel_companion import pairing
from lapel_companion.pairing import Key, KeyFile, KeyRing, KeyStore, PairingError, key_store

KEY = Key(3, bytes(range(32)))
OTHER = Key(4, bytes(range(32, 64)))


class Ring(KeyringBackend):
    priority: float = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked(f"of {self.held}")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked(f"no {password}")
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


class PlainFiles(Ring):
    priority = 0.5


@pytest.fixture(params=["file", "ring"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> KeyStore:
    return KeyFile(tmp_path / "state") if request.param == "file" else KeyRing(tmp_path / "state", Ring())


def test_a_key_is_kept_until_it_is_forgotten(store: KeyStore) -> None:
    assert store.load() is None
    assert not store.forget()
    store.save(KEY)
    assert store.load() == KEY
    store.save(OTHER)
    assert store.load() == OTHER
    assert store.forget()
    assert store.load() is None


def test_two_states_have_two_keys(tmp_path: Path) -> None:
    ring = Ring()
    KeyRing(tmp_path / "a", ring).save(KEY)
    assert KeyRing(tmp_path / "b", ring).load() is None


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KeyFile(tmp_path).save(KEY)
    finally:
        os.umask(before)
    assert (tmp_path / pairing.FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o660])
def test_a_file_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    KeyFile(tmp_path).save(KEY)
    (tmp_path / pairing.FILE).chmod(mode)
    with pytest.raises(PairingError, match=r"others .*chmod 600 .*--rotate"):
        KeyFile(tmp_path).load()


@pytest.mark.parametrize(
    "text", ["", "1 3\n", "2 3 " + "ab" * 32, "1 3 " + "ab" * 31, "1 9999999999 " + "ab" * 32, "1 3 " + "AB" * 32]
)
def test_a_damaged_file_is_a_sentence_that_tells_no_key(tmp_path: Path, text: str) -> None:
    KeyFile(tmp_path).save(KEY)
    (tmp_path / pairing.FILE).write_text(text)
    with pytest.raises(PairingError, match="damaged: pair the pin again") as raised:
        KeyFile(tmp_path).load()
    assert "abab" not in str(raised.value).lower()


def test_a_locked_keyring_is_a_sentence_that_tells_no_key(tmp_path: Path) -> None:
    ring = Ring()
    store = KeyRing(tmp_path, ring)
    store.save(KEY)
    ring.locked = True
    for call in (store.load, lambda: store.save(KEY), store.forget):
        with pytest.raises(PairingError, match="unlock it") as raised:
            call()
        assert KEY.secret.hex() not in str(raised.value)
        assert raised.value.__cause__ is None


def test_a_keyring_that_keeps_nothing_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(PairingError, match="was not kept"):
        KeyRing(tmp_path, null.Keyring()).save(KEY)  # type: ignore[no-untyped-call]


def test_no_text_of_a_key_tells_it() -> None:
    assert KEY.secret.hex() not in repr(KEY) and repr(KEY.secret) not in repr(KEY)
    with pytest.raises(ValueError, match="32 bytes"):
        Key(1, b"short")


@pytest.mark.parametrize("poor", [fail.Keyring, null.Keyring, PlainFiles])
def test_a_keyring_that_is_none_gives_way_to_the_file(
    tmp_path: Path, poor: type[KeyringBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyring.get_keyring", poor)
    assert isinstance(key_store(tmp_path), KeyFile)


def test_a_real_keyring_is_taken_and_a_file_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Ring()
    monkeypatch.setattr("keyring.get_keyring", lambda: ring)
    assert isinstance(key_store(tmp_path), KeyRing)
    KeyFile(tmp_path).save(KEY)
    assert isinstance(key_store(tmp_path), KeyFile)
