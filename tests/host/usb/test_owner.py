"""What is believed of a pin on the cable, whatever it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lapel_companion.pairing import Key
from lapel_usb import owner
from lapel_usb.errors import LinkLost, PinError, StrangeAnswer, Unfit, UsbError
from lapel_usb.link import PinLink
from lapel_wire import gatt

KEY = Key(3, bytes(range(32)))
SAID: dict[str, Any] = {
    "app": True,
    "protocol": gatt.PROTOCOL_VERSION,
    "root": owner.ROOT,
    "key": "there",
    "boots": "",
    "forgets": False,
    "clips": 0,
    "others": 0,
    "owner": "",
    "generation": 1,
    "fingerprint": "0badc0de",
    "proof": "",
}
EVIL = "\x1b]52;c;aGk=\x07"


def pin(said: dict[str, Any], fails: str = "") -> Any:
    """A pin that says this, or raises that, whatever it is asked."""

    def run(text: str, **_: Any) -> str:
        if fails and (text.startswith("take(") or "find_app()" in text):
            raise PinError(fails, "")
        return "@" + json.dumps(said)

    return SimpleNamespace(run=run, port="/dev/x", facts=SimpleNamespace(mounted=True))


def test_what_it_says_is_taken() -> None:
    seen = owner.look(pin(SAID))
    assert seen.fingerprint == "0badc0de" and seen.key == "there" and not seen.is_of(KEY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fingerprint": EVIL},
        {"fingerprint": "0badc0de" + EVIL},
        {"fingerprint": "0BADC0DE"},
        {"fingerprint": 7},
        {"proof": "no hex"},
        {"clips": "2"},
        {"forgets": 1},
        {"generation": None},
    ],
    ids=str,
)
def test_what_is_no_answer_is_not_shown(wrong: dict[str, Any]) -> None:
    with pytest.raises(StrangeAnswer) as told:
        owner.look(pin({**SAID, **wrong}))
    assert "\x1b" not in str(told.value)


def test_its_errors_do_nothing_to_a_terminal() -> None:
    with pytest.raises(Unfit, match="cannot run what pairs it") as told:
        owner.look(pin(SAID, f"ImportError: {EVIL}"))
    assert "\x1b" not in str(told.value) and "\x07" not in str(told.value)
    link = pin(SAID)
    link.run = lambda text, **_: _raise(f"OSError: 28{EVIL}") if text.startswith("take(") else ""
    with pytest.raises(UsbError, match=r"did not keep the key .OSError: 28") as refused:
        owner.give(link, KEY)
    assert "\x1b" not in str(refused.value) and KEY.secret.hex() not in str(refused.value)


def _raise(exception: str) -> str:
    raise PinError(exception, "")


def test_one_that_prints_without_an_end_is_let_go() -> None:
    """Or raises nothing that has a name."""
    link = PinLink("/dev/x", lambda _: None)
    says = b"x" * 4096

    def read_until(*_: object, data_consumer: Callable[[bytes], None] | None, **__: object) -> bytes:
        if data_consumer is None:
            return b"\r\n\x04"
        for _round in range(2000 if says else 0):
            data_consumer(says)
        return b"\x04"

    link._wire = SimpleNamespace(exec_raw_no_follow=lambda _: None, read_until=read_until)  # type: ignore[assignment]
    with pytest.raises(LinkLost, match="without an end"):
        link.run("print()")
    says = b""
    with pytest.raises(PinError) as told:
        link.run("print()")
    assert told.value.exception == "nothing"
