"""A pairing whose program is killed at every step of its disk, with a pin that is a model. The same command again makes
each of them good."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from lapel_companion import durable
from lapel_companion.keys import Keys
from lapel_companion.pairing import Key
from lapel_usb import owner, pairing, wipe
from lapel_usb.owner import Seen
from lapel_usb.pairing import Wanted
from tests.host.usb.owners import MINE, THEIRS, Sitting, keep


class Killed(BaseException):
    """The program ends here."""


pytestmark = pytest.mark.usefixtures("no_keyring")


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
