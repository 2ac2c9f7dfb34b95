"""What every step is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lapel_bringup.person import Person
from lapel_bringup.pin import Bench
from lapel_bringup.result import Result


@dataclass(frozen=True)
class Plan:
    """How much of each: the usual plan takes ten minutes with a person, `quick` is for those who try it out."""

    quiet_pieces: int = 4
    speech_pieces: int = 8
    piece_bytes: int = 32768
    presses: int = 10
    press_limit_s: int = 45
    erases: int = 200
    erase_blocks: int = 16
    encode_rounds: int = 100
    plain_rounds: int = 5
    clock_s: int = 30
    radio_s: int = 10
    load_ms: int = 2000
    log_every_s: int = 30
    # by their names on the pin; none stands for all
    patterns: tuple[str, ...] = ()


QUICK = Plan(
    speech_pieces=4,
    presses=5,
    erases=100,
    erase_blocks=8,
    encode_rounds=20,
    plain_rounds=2,
    clock_s=6,
    radio_s=3,
    load_ms=600,
    log_every_s=1,
    patterns=("listening", "captured", "accepted", "failed", "done"),
)


@dataclass
class Desk:
    """`radio` is a spec as the companion takes it; "" leaves the radio out."""

    bench: Bench
    person: Person
    plan: Plan = field(default_factory=Plan)
    radio: str = ""


@dataclass(frozen=True)
class Step:
    """One part of the test. `does` says beforehand, in plain words, what will happen and what to do."""

    name: str
    title: str
    does: str
    run: Callable[[Desk], Result]
