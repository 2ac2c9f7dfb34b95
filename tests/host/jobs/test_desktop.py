"""Notifications of the desktop: a real bus where there is one, a Mac's script, and what hangs."""

import asyncio
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import desktop_notifier
import pytest
from dbus_fast.aio import MessageBus
from dbus_fast.message import Message

from lapel_companion import channels
from lapel_companion.channels import Desktop


def test_no_session_bus_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    trouble = asyncio.run(Desktop().show("t", "x", urgent=False))
    assert trouble == "there is no desktop session (no D-Bus session bus)"


@pytest.mark.skipif(platform.system() != "Linux", reason="the D-Bus of Linux")
@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "nonsense", "tcp:host=127.0.0.1,port=1"])
def test_a_bus_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    trouble = asyncio.run(Desktop().show("t", "x", urgent=False))
    assert trouble == "no notification service answers on this desktop"


@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")
def test_a_real_bus_with_a_notification_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:path={tmp_path}/bus"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert bus.stdout is not None
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.stdout.readline().strip())

        async def main() -> list[tuple[str, str]]:
            desktop = Desktop()
            # The service comes later than the first notice: as when a session has only begun.
            assert await desktop.show("t", "x", urgent=False) is not None
            connection = await MessageBus().connect()
            taken: list[tuple[str, str]] = []
            capabilities = ["body"]
            connection.add_message_handler(notification_service(taken, capabilities))
            await connection.request_name("org.freedesktop.Notifications")
            for text in ("one", "2 < 3 & 4"):
                assert await desktop.show("Lapel: Done", text, urgent=False) is None
            # Markup is a link, or a picture from somewhere; what a program printed is letters.
            capabilities.append("body-markup")
            assert await desktop.show("Lapel: Done", EVIL, urgent=False) is None
            connection.disconnect()
            return taken

        assert asyncio.run(main()) == [
            ("Lapel: Done", "one"),
            ("Lapel: Done", "2 < 3 & 4"),
            ("Lapel: Done", "&lt;img src='http://x/?'&gt;&lt;a href=\"x\"&gt;2 &amp;lt; 3"),
        ]
    finally:
        bus.kill()
        bus.wait()
        if bus.stdout:
            bus.stdout.close()


EVIL = "<img src='http://x/?'><a href=\"x\">2 &lt; 3"
INTERFACE = """<node><interface name="org.freedesktop.Notifications">
<method name="GetCapabilities"><arg direction="out" type="as"/></method>
<method name="GetServerInformation">{out}{out}{out}{out}</method>
<method name="CloseNotification"><arg direction="in" type="u"/></method>
<method name="Notify">
<arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
<arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
<arg direction="in" type="a{{sv}}"/><arg direction="in" type="i"/><arg direction="out" type="u"/></method>
</interface></node>""".format(out='<arg direction="out" type="s"/>')


def notification_service(
    taken: list[tuple[str, str]], capabilities: list[str]
) -> Callable[[Message], Message | None]:
    """As the freedesktop specification has it, as far as a sender uses it."""

    def serve(message: Message) -> Message | None:
        if message.member == "Introspect":
            return Message.new_method_return(message, "s", [INTERFACE])
        if message.member == "GetCapabilities":
            return Message.new_method_return(message, "as", [capabilities])
        if message.member == "GetServerInformation":
            return Message.new_method_return(message, "ssss", ["test", "test", "1", "1.2"])
        if message.member == "Notify":
            taken.append((message.body[3], message.body[4]))
            return Message.new_method_return(message, "u", [len(taken)])
        return None

    return serve


class Notifier:
    """Stands for the library: takes a notification, or does so too late."""

    slow = False
    sent: list[tuple[Any, ...]] = []

    def __init__(self, app_name: str) -> None:
        self.app_name = app_name

    async def send(self, title: str, message: str, *, urgency: Any, on_dispatched: Callable[[], None]) -> str:
        if self.slow:
            await asyncio.Event().wait()
        self.sent.append((self.app_name, title, message, urgency))
        on_dispatched()
        return "1"


def test_a_desktop_that_takes_it_and_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/somewhere")
    monkeypatch.setattr(desktop_notifier, "DesktopNotifier", Notifier)
    monkeypatch.setattr(channels, "_SEND_LIMIT_S", 0.05)
    assert asyncio.run(Desktop().show("t", "x", urgent=True)) is None
    assert Notifier.sent == [("Lapel", "t", "x", desktop_notifier.Urgency.Critical)]
    monkeypatch.setattr(Notifier, "slow", True)
    trouble = asyncio.run(Desktop().show("t", "x", urgent=False))
    assert trouble == "the desktop did not take a notification in time"


def test_on_a_mac_the_words_are_a_text_of_the_script_and_no_argument(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "osascript"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n/bin/cat > {tmp_path}/script\n')
    program.chmod(0o755)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LAPEL_TOKEN", "secret")
    evil = '" & (do shell script "id") & "\\" & x\\'
    assert asyncio.run(Desktop().show("Lapel: Done", evil, urgent=False)) is None
    assert (tmp_path / "arguments").read_text() == "-\n"
    assert (tmp_path / "script").read_text() == (
        'display notification "\\" & (do shell script \\"id\\") & \\"\\\\\\" & x\\\\" with title "Lapel: Done"\n'
    )
    program.write_text("#!/bin/sh\n/bin/cat > /dev/null\nexit 1\n")
    assert asyncio.run(Desktop().show("t", "x", urgent=False)) == "macOS did not take the notification"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert "has no osascript" in str(asyncio.run(Desktop().show("t", "x", urgent=False)))
