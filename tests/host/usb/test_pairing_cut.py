"""A pairing that breaks off: the computer's program killed at every durable step, the pin's power cut at every
operation of its flash, the cable pulled at a piece. The same command again makes each of them good."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from keyring.backends import fail

from lapel_companion import durable
from lapel_companion.keys import Keys
from lapel_companion.pairing import Key
from lapel_usb import owner, pairing, waking, wipe
from lapel_usb.errors import LinkLost
from lapel_usb.link import open_pin
from lapel_usb.owner import Seen
from lapel_usb.pairing import Wanted
from lapel_usb.wire import Buffered
from simulator.serial_flash import read_log
from simulator.serial_pin import SerialPin
from tests.host.usb.desks import Written
from tests.host.usb.owners import BLOCKS, CLIP, MINE, THEIRS, USED, Sitting, keep, now, use

KILLED = Path(__file__).parent / "killed.py"


class Killed(BaseException):
    """The program ends here."""


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)


# --- every step of the computer, with a pin that is a model


@dataclass
class ModelPin:
    """What a pin is between two commands. `reached` is called before and after all that changes it."""

    key: Key | None
    clips: bool
    forgets: bool = False
    reached: Callable[[str], None] = lambda point: None
    facts: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(unique_id="7c2c", mounted=True))

    def look(self) -> Seen:
        nonce = os.urandom(8)
        if self.key is None:
            return Seen("none", clips=2 * self.clips, forgets=self.forgets)
        told = Seen("there", self.key.generation, self.key.fingerprint, 2 * self.clips, forgets=self.forgets)
        return replace(told, nonce=nonce, proof=self.key.proof(nonce))

    def give(self, key: Key) -> None:
        self.reached("give.before")
        self.key = key
        self.reached("give.after")

    def erase(self) -> None:
        self.reached("erase.before")
        self.forgets = True
        self.reached("erase.begun")
        self.key, self.clips = None, False
        self.reached("erase.erased")
        self.forgets = False
        self.reached("erase.after")


@pytest.fixture
def modelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "look", lambda pin: pin.look())
    monkeypatch.setattr(owner, "give", lambda pin, key: pin.give(key))
    monkeypatch.setattr(wipe, "erase", lambda pin, progress=None: pin.erase())


@dataclass(frozen=True)
class Case:
    """Who has which key before it, and what is typed."""

    name: str
    on_pin: Key | None
    on_computer: Key | None
    clips: bool
    rotate: bool = False
    unpair: bool = False

    def run(self, pin: ModelPin, keys: Keys, person: Sitting) -> None:
        wanted = Wanted(self.rotate, unsent=True)
        with keys.alone():
            (pairing.unpair if self.unpair else pairing.pair)(pin, keys, wanted, person)  # type: ignore[arg-type]


CASES = [
    Case("new", None, None, False),
    Case("rotate", MINE, MINE, True, rotate=True),
    Case("of another", THEIRS, None, True),
    Case("of another, in place of mine", THEIRS, MINE, True),
    Case("of nobody", None, MINE, True),
    Case("unpair", MINE, MINE, True, unpair=True),
]


def at(point: int, names: list[str]) -> Callable[[str], None]:
    """Kills at that point, counted."""
    left = itertools.count(point, -1)

    def reached(name: str) -> None:
        names.append(name)
        if next(left) == 0:
            raise Killed

    return reached


@pytest.mark.usefixtures("modelled")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_killed_at_every_step_the_same_command_again_makes_it_good(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for point in itertools.count():
        state = tmp_path / str(point)
        keys = keep(state, case.on_computer)
        names: list[str] = []
        reached = at(point, names)
        pin = ModelPin(case.on_pin, case.clips, reached=reached)
        observers = [reached]
        monkeypatch.setattr(durable, "_observers", observers)
        try:
            case.run(pin, keys, Sitting())
            ended = True
        except Killed:
            ended = False
        observers.clear()
        pin.reached = lambda point: None
        there = [key for key in (keys.load(), keys.begun()) if key]
        mine = case.on_pin == MINE and not case.unpair
        # Whatever the pin has, this computer can prove, or it is as it was; a new key never stands beside old clips.
        assert pin.key in (None, case.on_pin, *there), names
        if pin.key not in (None, case.on_pin):
            assert pin.clips == mine, names
        if mine:
            assert pin.clips and pin.key in there, names
        person = Sitting()
        again = case if pin.key == case.on_pin or case.unpair else replace(case, rotate=False)
        again.run(pin, keys, person)
        if case.unpair:
            assert pin.key is None and keys.load() is None and not pin.clips, names
        else:
            assert pin.key is not None and pin.key == keys.load() and pin.key != case.on_pin, names
            assert pin.clips == mine, names
        assert keys.begun() is None and not pin.forgets
        assert not (mine and person.asked), names
        if ended:
            # no point is left
            assert point > (5 if case.unpair else 20), names
            return


@pytest.mark.usefixtures("modelled")
def test_a_pairing_that_broke_off_with_another_pin_is_not_given_up_in_silence(tmp_path: Path) -> None:
    keys = keep(tmp_path, MINE)
    with keys.alone():
        stranded = keys.begin("other pin", [7])
    mine, other = ModelPin(MINE, True), ModelPin(stranded, True)
    other.facts.unique_id = "other pin"
    Case("again", MINE, MINE, True).run(mine, keys, Sitting())
    assert keys.begun() == stranded and keys.load() == MINE
    no = Sitting(yes=0)
    Case("rotate", MINE, MINE, True, rotate=True).run(mine, keys, no)
    assert "broken off" in no.said[0] and keys.begun() == stranded and mine.key == MINE
    Case("other", None, None, True).run(other, keys, Sitting())
    assert keys.load() == stranded and other.clips


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
