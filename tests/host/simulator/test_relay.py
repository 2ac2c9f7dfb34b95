"""What a relay does to packets, and that nothing else happens to them."""

from __future__ import annotations

from typing import Any

from simulator.relay import Relay


def relay(told: list[dict[str, Any]] | None = None) -> Relay:
    return Relay(3, True, lambda who, event, **fields: None if told is None else told.append(fields))


def carried(one: Relay, count: int, way: str = "up") -> list[int]:
    return [packet[0] for number in range(count) for packet in one.carry(way, bytes([number]))]


def test_all_is_passed_on_until_it_is_told_otherwise() -> None:
    told: list[dict[str, Any]] = []
    one = relay(told)
    assert carried(one, 100) == list(range(100))
    one.set("lose", 1.0, ["up"])
    assert carried(one, 100) == [] and carried(one, 100, "down") == list(range(100))
    one.good()
    assert carried(one, 100) == list(range(100))
    assert told == [{"fault": "lose", "percent": 100.0, "way": "up"}, {"fault": "good"}]


def test_a_share_is_lost_doubled_or_comes_late() -> None:
    for fault, least, most in (("lose", 120, 180), ("double", 220, 280), ("swap", 199, 200)):
        one = relay()
        one.set(fault, 0.25)
        got = carried(one, 200)
        assert least <= len(got) <= most
        assert (got == sorted(got)) == (fault != "swap")
        assert fault == "lose" or set(got) | {199} == set(range(200))


def test_what_was_held_back_comes_behind_the_next() -> None:
    one = relay()
    one.set("swap", 1.0, ["down"])
    assert one.carry("down", b"a") == []
    assert one.carry("down", b"b") == [b"b", b"a"]
