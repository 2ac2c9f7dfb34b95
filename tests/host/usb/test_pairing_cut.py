"""A pairing that breaks off: the power of the pin cut at every operation of its flash, the cable pulled at a piece, the
real program killed. The same command again makes each of them good."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel_companion.pairing import Key
from lapel_usb import pairing, waking
from lapel_usb.errors import LinkLost
from lapel_usb.link import open_pin
from lapel_usb.pairing import Wanted
from lapel_usb.wire import Buffered
from simulator.serial_flash import read_log
from simulator.serial_pin import SerialPin
from tests.host.usb.desks import Written
from tests.host.usb.owners import BLOCKS, CLIP, MINE, THEIRS, USED, Sitting, keep, now, use

KILLED = Path(__file__).parent / "killed.py"


pytestmark = pytest.mark.usefixtures("no_keyring")


# --- every operation of the pin's flash


def written_down(folder: Path, flashed: Path, before: Key, mine: Key | None, rotate: bool) -> tuple[Written, Key]:
    """A pairing with every operation of the pin's flash noted; and the new key."""
    (folder / "pin").mkdir(parents=True)
    shutil.copy(flashed, folder / "pin")
    with SerialPin(folder / "pin") as pin, open_pin(pin.port, restart=False) as link:
        use(link, before)
    image = folder / "before.bin"
    shutil.copy(pin.flash.image, image)
    keys = keep(folder / "state", mine)
    log = folder / "operations.log"
    with SerialPin(folder / "pin", log=log) as pin, keys.alone(), open_pin(pin.port, restart=False) as link:
        key = pairing.pair(link, keys, Wanted(rotate), Sitting())
        assert key is not None
    return Written(image, log, read_log(log), [], "", ""), key


@pytest.mark.parametrize("torn", [False, True])
def test_power_cut_at_every_flash_operation_of_a_rotation(flashed: Path, tmp_path: Path, torn: bool) -> None:
    written, key = written_down(tmp_path, flashed, MINE, MINE, True)
    verdicts = written.verdicts(torn=torn, of="store")
    files = " ".join(USED)
    old, new = (f"0 {one.secret.hex()} {files}" for one in (MINE, key))
    assert set(verdicts) <= {old, new} and (torn or verdicts[-1] == new)
    assert verdicts == sorted(verdicts, key=lambda verdict: verdict == new)


@pytest.mark.parametrize("torn", [False, True])
def test_power_cut_at_every_flash_operation_of_another_owners_pin(flashed: Path, tmp_path: Path, torn: bool) -> None:
    written, key = written_down(tmp_path, flashed, THEIRS, None, False)
    verdicts = written.verdicts(torn=torn, of="store")
    assert len(verdicts) > BLOCKS // 2
    untouched = f"0 {THEIRS.secret.hex()} {' '.join(USED)}"
    marked = False
    for number, verdict in enumerate(verdicts):
        forgets, held, *files = verdict.split(" ")
        marked = marked or forgets == "1"
        if verdict == untouched:
            assert not marked, number
        elif held == key.secret.hex():
            assert forgets == "0" and not files, (number, verdict)
            image = written.image_after(number + (not torn))
            assert not any(text in image for text in (CLIP[:60], THEIRS.secret, USED["notices/00000001"])), number
        else:
            # on its way: the pin goes on by itself, or nothing is left of anybody
            assert forgets == "1" or (held == "-" and not files), (number, verdict)
    assert marked and (torn or verdicts[-1].split(" ")[1] == key.secret.hex())


# --- the real wire, and the real program


@pytest.fixture
def mine(flashed: Path, tmp_path: Path) -> Iterator[SerialPin]:
    """A pin of this computer's, with recordings."""
    (tmp_path / "pin").mkdir()
    shutil.copy(flashed, tmp_path / "pin")
    with SerialPin(tmp_path / "pin") as pin:
        with open_pin(pin.port, restart=False) as link:
            use(link, MINE)
        yield pin
        assert pin.flash.rules_broken == 0


KEY_PIECE_BYTES = 72
PULLED = ("look", "take", "key", "half a key", "key taken", "look again")


@pytest.mark.slow
@pytest.mark.parametrize("where", PULLED)
def test_a_cable_pulled_around_the_key_and_then_again(
    mine: SerialPin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(waking, "RETURN_S", 0.3)
    keys = keep(tmp_path / "state", MINE)
    plain = Buffered.write
    given = False

    def write(self: Buffered, data: bytes) -> int:
        nonlocal given
        is_key = len(data) == KEY_PIECE_BYTES and data.isalnum()
        pulled = {
            "look": b"look(b" in data and not given,
            "take": b"take(8)" in data,
            "key": is_key,
            "half a key": is_key,
            "key taken": is_key,
            "look again": b"look(b" in data and given,
        }[where]
        given = given or is_key
        if pulled:
            before = mine.flash.operations
            if where in ("half a key", "key taken"):
                plain(self, data[: len(data) // 2] if where == "half a key" else data)
            if where == "key taken":
                mine.wait(lambda: mine.flash.operations > before, "write to the flash")
            mine.unplug()
            raise OSError(5, "Input/output error")
        return plain(self, data)

    monkeypatch.setattr(Buffered, "write", write)
    with pytest.raises(LinkLost) as told, keys.alone(), open_pin(mine.port, restart=False) as link:
        pairing.pair(link, keys, Wanted(True), Sitting())
    assert ("lapel pair" in told.value.way_on) == (where != "look")
    monkeypatch.setattr(Buffered, "write", plain)
    mine.plug()
    # the watchdog's, which waits for two minutes
    mine.reset()
    found, there = now(mine)
    assert there == USED and (found.is_of(MINE) or found.is_of(keys.begun()))
    person = Sitting(yes=0)
    with keys.alone(), open_pin(mine.port, restart=False) as link:
        key = pairing.pair(link, keys, Wanted(), person)
    found, there = now(mine)
    assert found.is_of(key) and keys.load() == key and keys.begun() is None and there == USED and not person.asked
    assert (key == MINE) == (where not in ("key taken", "look again"))


@pytest.mark.slow
def test_killed_for_good_at_named_points_and_nobody_sees_a_key(mine: SerialPin, tmp_path: Path) -> None:
    state = tmp_path / "state"
    keys = keep(state, MINE)
    watched: set[bytes] = set()
    seen_keys = {MINE.secret}

    def lapel(point: str, *words: str) -> tuple[int, bytes]:
        command = [sys.executable, str(KILLED), point, *words, "--port", mine.port, "--state", str(state)]
        environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
        )
        while process.poll() is None:
            watched.update(command_lines())
            seen_keys.update(key.secret for key in (keys.load(), keys.begun()) if key)
        assert process.stdout
        return process.returncode, process.stdout.read()

    said = b""
    for point in ("key.sync.before", "key.folder.after", "given", "proved", "key.remove.before"):
        code, heard = lapel(point, "pair", "--rotate")
        assert code == -signal.SIGKILL, heard
        said += heard
        # nobody is there to start the app again; the watchdog would
        mine.reset()
        code, heard = lapel("", "pair")
        assert code == 0, heard
        said += heard
        found, there = now(mine)
        key = keys.load()
        assert key is not None and found.is_of(key) and there == USED and keys.begun() is None, point
        assert key.fingerprint.encode() in heard or b"already" in heard
    assert len(seen_keys) > 3
    everything = b"\n".join([said, mine.output, *watched])
    for secret in seen_keys:
        for form in forms(secret):
            assert form not in everything


def command_lines() -> Iterator[bytes]:
    """Arguments and environments of all processes that may be looked at."""
    for process in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if process.name.isdigit():
            for name in ("cmdline", "environ"):
                try:
                    yield (process / name).read_bytes()
                except OSError:
                    continue


def forms(secret: bytes) -> list[bytes]:
    """As which a key could show itself."""
    import base64

    return [secret, secret.hex().encode(), base64.b64encode(secret)[:40], repr(secret)[2:-1].encode()]
