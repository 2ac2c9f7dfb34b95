"""What a request brings along: JSON by name, bounded, and read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapel_companion import api_json, api_server
from lapel_companion.api_request import MAX_BODY_BYTES, Refused
from tests.host.api.raw import post, talk
from tests.host.companion.companion_api import serving
from tests.host.companion.companion_fakes import run

BODIES = {
    "no JSON": b"{",
    "an array": b"[]",
    "a text": b'"x"',
    "two values": b'{"text": "x"} {}',
    "a key twice": b'{"text": "x", "text": "y"}',
    "NaN": b'{"text": NaN}',
    "Infinity": b'{"text": -Infinity}',
    "a huge number": b'{"text": ' + b"9" * 5000 + b"}",
    "a huge fraction": b'{"text": 1e999}',
    "deep": b"[" * 8000 + b"]" * 8000,
    "deep and open": b"[" * 16000,
    "deep objects": b'{"a":' * 3000,
    "no UTF-8": b'{"text": "\xff"}',
    "UTF-16": '{"text": "x"}'.encode("utf-16"),
    "a mark before it": b"\xef\xbb\xbf" + b'{"text": "x"}',
    "half a pair": b'{"text": "\\ud83d"}',
    "a zero": b'{"text": "a\\u0000b"}',
    "an escape": b'{"text": "\\u001b[2J"}',
    "a number": b'{"text": 1}',
    "a list": b'{"text": ["x"]}',
    "null": b'{"text": null}',
    "more": b'{"text": "x", "principal": "pin"}',
    "less": b"{}",
    "many quotes": b'{"text": "' + b'\\"' * 8000,
}


@pytest.mark.parametrize("name", BODIES)
def test_odd_bodies_are_refused_by_a_sentence(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who waited for more would do so longer than the test.
    monkeypatch.setattr(api_server, "BODY_S", 600.0)

    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            reply = await talk(rig.state, post("/v1/say", BODIES[name]))
            assert reply.status == 400 and reply.refused(), reply.raw
            assert not rig.engine.asked and not rig.said

    run(test)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a": NaN}', "NaN and Infinity"),
        (b'{"a": -Infinity}', "NaN and Infinity"),
        (b'{"a": 12345678901234567}', "more than 16 digits"),
        (b'{"a": -1e400}', "too large"),
        (b'{"a": 1, "\\u0061": 2}', "stands twice"),
        (b'{"a": {"b": 1, "b": 2}}', "stands twice"),
        (b"[[[[[]]]]]", "more than 4 deep"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_json_is_read_strictly(data: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says):
        api_json.read(data)


def test_what_looks_deep_in_a_text_is_not() -> None:
    assert api_json.read(b'["[[[[[[[", "\\"[[[[[[[", 1, 2.5, true, null]')[2:] == [1, 2.5, True, None]


def test_bodies_are_json_by_name_and_bounded(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path / "s") as rig:
            body = b'{"text": "make a note"}'
            for good in ("application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'):
                assert (await talk(rig.state, post("/v1/say", body, media=good))).status == 200, good
            for bad in (
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
                "application/json-patch+json",
                "application/json; charset=latin-1",
                "text/plain; application/json",
                "application/json, text/plain",
                "",
            ):
                reply = await talk(rig.state, post("/v1/say", body, media=bad))
                assert reply.status == 415 and reply.refused(), bad
            most = b'{"text": "' + b"x" * (MAX_BODY_BYTES - 12) + b'"}'
            assert len(most) == MAX_BODY_BYTES and (await talk(rig.state, post("/v1/say", most))).status == 200
            for many in (1, 100_000, 3_000_000):
                reply = await talk(rig.state, post("/v1/say", most + b" " * many))
                assert reply.status == 413 and reply.refused(), many

    run(test)
