"""The key that holds and the one on its way, wherever they are kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner
from keyring.backends import fail

from lapel_companion.cli import setup as setting_up
from lapel_companion.keys import BEGUN, Keys
from lapel_companion.pairing import FILE, Key, KeyFile, PairingError
from tests.host.companion.test_pairing import Ring

KEY = Key(3, bytes(range(32)))


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    ring = Ring()
    monkeypatch.setattr("keyring.get_keyring", lambda: ring)
    return ring


def test_a_new_key_takes_the_old_ones_place_only_when_it_is_adopted(ring: Ring, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    with keys.alone():
        first = keys.begin("pin", [])
        assert keys.load() is None and keys.begun() == first and keys.begun_with == "pin"
        assert keys.adopt() == first == keys.load() and keys.begun() is None
        second = keys.begin("pin", [first.generation, 9])
        assert second.generation == 10 and keys.load() == first and second.secret != first.secret
        keys.drop()
        assert keys.begun() is None and keys.load() == first
    assert not (tmp_path / FILE).exists() and len(ring.held) == 1
    told = keys.told()
    assert told["fingerprint"] == first.fingerprint and first.secret.hex() not in str(told)


def test_what_is_forgotten_does_not_come_back_from_the_keyring(ring: Ring, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    with keys.alone():
        keys.begin("pin", [])
        keys.adopt()
        keys.begin("pin", [])
    # a file takes the keyring's place
    KeyFile(tmp_path).save(KEY)
    assert keys.load() == KEY
    assert keys.forget()
    assert keys.load() is None and keys.begun() is None and not ring.held
    assert not keys.forget()


def test_a_key_moves_to_the_file_for_who_cannot_open_the_keyring(ring: Ring, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    with keys.alone():
        keys.begin("pin", [])
        key = keys.adopt()
        keys.to_file()
    assert KeyFile(tmp_path).load() == key == keys.load() and not ring.held


def test_a_locked_keyring_is_told(ring: Ring, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    ring.locked = True
    with pytest.raises(PairingError, match="unlock it"):
        keys.load()
    assert "unlock it" in keys.told()["trouble"]


def test_a_damaged_key_is_none_for_who_replaces_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    keys = Keys(tmp_path)
    for folder in (tmp_path, tmp_path / BEGUN):
        KeyFile(folder).save(KEY)
        (folder / FILE).write_text("nonsense")
    assert keys.replaced() is None and keys.begun() is None
    with pytest.raises(PairingError, match="damaged"):
        keys.load()


def test_one_pairing_at_a_time_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "new" / "state")
    with keys.alone():
        assert (tmp_path / "new" / "state").stat().st_mode & 0o77 == 0
        with pytest.raises(PairingError, match="at work"), Keys(tmp_path / "new" / "state").alone():
            pass
    with keys.alone():
        pass


def test_setup_asks_to_pair_when_something_is_plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    monkeypatch.setattr("lapel_usb.ports.usb_ports", lambda: [SimpleNamespace(device=str(tmp_path / "ttyNONE"))])
    command = click.Command("setup", callback=lambda: setting_up._pair(tmp_path, tmp_path, False))
    no = CliRunner().invoke(command, input="n\n")
    assert no.exit_code == 0 and "pair it now?" in no.output
    yes = CliRunner().invoke(command, input="y\n")
    # what stands in the way is told, and the setup goes on
    assert yes.exit_code == 0 and "Not paired" in yes.output and "Error" in yes.output, yes.output
    KeyFile(tmp_path).save(KEY)
    assert CliRunner().invoke(command).output == ""
