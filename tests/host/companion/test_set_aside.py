"""What the pin found damaged on its flash: told once, in words, and shown as long as the pin keeps it."""

from __future__ import annotations

import asyncio
import io
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lapel_companion import channels, doctor, flight_words, timeline
from lapel_companion.cli import show
from lapel_companion.link import set_aside
from lapel_companion.link.desk import PinDesk
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, poll, run
from tests.host.companion.companion_pin import Pin

pytestmark = pytest.mark.usefixtures("hasty")

WHAT = "settings a length of 9 does not fit 12 bytes; clip-00000007 checksum does not match"
SENTENCE = (
    "your pin has set aside 3 damaged files: its settings (a length of 9 does not fit 12 bytes); "
    "recording 7 (checksum does not match)"
)


def status(aside: int, what: str | None) -> dict[str, Any]:
    return {"bat": 3900, "drops": 0, "over": 0, "aside": aside, "what": what}


def told(desk: PinDesk) -> bool:
    return "aside" in desk.status


def test_the_words() -> None:
    assert set_aside.sentence(status(0, None)) is None and set_aside.sentence({}) is None
    assert set_aside.sentence(status(3, WHAT)) == SENTENCE
    one = set_aside.sentence(status(1, "notice-00000012 it is not what was written"))
    assert one == "your pin has set aside a damaged file: notice 12 (it is not what was written)"
    assert set_aside.sentence(status(2, "something\n\x1b[2Jelse")) is not None
    assert "\x1b" not in str(set_aside.sentence(status(2, "something\n\x1b[2Jelse")))


def test_it_is_told_once_over_links_and_starts(tmp_path: Path) -> None:
    async def test() -> None:
        pin = Pin()
        pin.status = status(3, WHAT)
        for _ in range(2):
            rig = Rig(tmp_path)
            await rig.start()
            desk = rig.desk
            for _ in range(2):
                desk.status = {}
                await rig.connect(FakeClient(pin, Faults()), until=partial(told, desk))
            assert set_aside.sentence(rig.desk.status) == SENTENCE
            assert len(rig.log.read(kinds=["set_aside"])) == 1
            await rig.stop()
        pin.status = status(4, "clip-00000009 checksum does not match")
        rig = Rig(tmp_path)
        await rig.start()
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(rig.log.read(kinds=["set_aside"])) == 2)
        await rig.stop()

    run(test)


def test_the_readable_channel_says_it_with_the_way_on(tmp_path: Path) -> None:
    async def test() -> None:
        rig, out = Rig(tmp_path), io.StringIO()
        reader = channels.Reader(rig.log, rig.outbox, channels.make("terminal", out))
        running = asyncio.create_task(reader.run())
        await asyncio.sleep(0)
        rig.log.append("set_aside", {"aside": 3, "what": WHAT}, principal="pin")
        await poll(lambda: "make backup" in out.getvalue())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert out.getvalue().splitlines()[0] == f"Lapel: Damaged on the pin: {SENTENCE}"
        line = timeline.line(rig.log.read(kinds=["set_aside"])[0])
        assert line is not None and line.endswith(SENTENCE)
        rig.die()

    run(test)


class Daemon:
    """A client of a daemon whose pin has set something aside."""

    def __init__(self, link: dict[str, Any]) -> None:
        self.link = link

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, path: str, **_: Any) -> dict[str, Any]:
        if path == "/v1/dispatches":
            return {"dispatches": []}
        engine = {"running": [], "open": 0}
        return {
            "version": "1", "started": 0.0, "state": "/s", "link": self.link, "engine": engine, "unseen": 0,
            "trouble": None,
        }  # fmt: skip


def test_status_and_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link = {"dev": "0badcafe", "mtu": 247, "interval_ms": 30, "since": 0.0, "state": "linked", "set_aside": SENTENCE}
    monkeypatch.setattr(show, "daemon", lambda _: Daemon(link))
    shown = CliRunner().invoke(show.status, ["--state", str(tmp_path)])
    assert shown.exit_code == 0 and SENTENCE in shown.output and "make backup" in shown.output
    findings = {finding.subject: finding for finding in doctor.pin(tmp_path, {"link": link})}
    assert findings["pin's flash"].level == doctor.WARN
    assert findings["pin's flash"].text.startswith(SENTENCE) and findings["pin's flash"].type == "make backup"


@pytest.mark.parametrize("text", ["set aside: clip-00000007 checksum does not match", "damaged: clip 7"])
def test_the_flight_recorder_says_what_to_do(text: str) -> None:
    event = {"boot": 1, "ms": 5, "event": "error", "text": text[:24]}
    found = flight_words.last_trouble({"events": [event], "last_error": text, "boots": 1, "written_ms": 9000})
    assert found is not None and found.what == text and found.do
