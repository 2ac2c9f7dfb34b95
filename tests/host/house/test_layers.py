"""The import table and the house rules hold, and the check that says so can fail."""

from __future__ import annotations

import pytest

import layers


def texts(path: str, source: str, neighbours: tuple[str, ...] = ()) -> str:
    return "\n".join(str(finding) for finding in layers.check(path, source, neighbours))


def test_the_checkout_keeps_the_rules() -> None:
    findings = layers.check_tree()
    assert not findings, "\n" + "\n".join(map(str, findings))


def test_it_reads_every_folder() -> None:
    seen = {path.relative_to(layers.ROOT).parts[0] for path in layers.files()}
    assert {"firmware", "lib", "tools", "tests"} <= seen


BAD_IMPORTS = [
    ("firmware/main.py", "from lapel.services import store"),
    ("firmware/main.py", "import machine"),
    ("firmware/lapel/app.py", "import lapel_wire"),
    ("firmware/lapel/app.py", "from drivers import button"),
    ("firmware/lapel/core/ring.py", "import asyncio"),
    ("firmware/lapel/core/ring.py", "import time"),
    ("firmware/lapel/core/ring.py", "from lapel.services import store"),
    ("firmware/lapel/core/ring.py", "from ..services import store"),
    ("firmware/lapel/core/ring.py", "from lapel_wire import packets"),
    ("firmware/lapel/services/store.py", "import machine"),
    ("firmware/lapel/services/store.py", "import drivers.button"),
    ("firmware/lapel/services/store.py", "import board"),
    ("firmware/lapel/services/link.py", "import aioble"),
    ("firmware/lapel/services/link.py", "def late():\n    import bluetooth"),
    ("firmware/lapel/services/link.py", "import dataclasses"),
    ("firmware/lapel/compat.py", "from lapel.core import ring"),
    ("firmware/lapel/__init__.py", "import asyncio"),
    ("firmware/lapel/stray.py", "x = 1"),
    ("lib/lapel_wire/packets.py", "from lapel_audio import adpcm"),
    ("lib/lapel_wire/packets.py", "from lapel import compat"),
    ("lib/lapel_wire/packets.py", "import typing"),
    ("lib/lapel_wire/packets.py", "if True:\n    from typing import Any"),
    ("lib/lapel_wire/packets.py", "if TYPE_CHECKING:\n    from asyncio import Task"),
    ("lib/lapel_audio/adpcm.py", "import numpy"),
    ("lib/lapel_wire/session.py", "from noise import nnpsk0"),
    ("lib/noise/nnpsk0.py", "import cryptography"),
    ("lib/noise/nnpsk0.py", "from noise import host"),
    ("lib/noise/host.py", "import os.path\nimport socket"),
    ("firmware/lapel/services/link.py", "from noise import host"),
    ("lib/drivers/button.py", "from lapel.core import gesture"),
    ("lib/drivers/mic_i2s.py", "import bluetooth"),
    ("lib/drivers/mic_i2s.py", "from aioble import Service"),
    ("boards/sim/board.py", "from lapel.core import ring"),
    ("boards/sim/board.py", "import lapel_wire"),
    ("boards/s3/board.py", "import bluetooth"),
    ("tools/lapel_companion/link.py", "from lapel.core import ring"),
    ("tools/lapel_companion/link.py", "import simulator"),
    ("tools/lapel_companion/cli.py", "import simulator.cli"),
    ("tools/device_code/device.py", "from noise import device"),
    ("tools/device_code/cases/audio.py", "import micropython"),
    ("tools/simulator/run.py", "import drivers"),
    ("tools/simulator/run.py", "if True:\n    from lapel import compat"),
]


@pytest.mark.parametrize(("path", "source"), BAD_IMPORTS)
def test_a_forbidden_import_is_found(path: str, source: str) -> None:
    assert "must not import" in texts(path, source) or "belongs to no layer" in texts(path, source)


GOOD_IMPORTS = [
    ("firmware/main.py", "import sys\nimport board\nfrom lapel import app"),
    (
        "firmware/lapel/app.py",
        "import asyncio\nfrom lapel.core import gesture\nfrom lapel.services import store",
    ),
    (
        "firmware/lapel/core/ring.py",
        "import struct\nfrom lapel.compat import const\nfrom lapel.core import pattern",
    ),
    (
        "firmware/lapel/services/link.py",
        "import asyncio\nfrom lapel_wire import channel\nfrom lapel import compat",
    ),
    ("firmware/lapel/services/recorder.py", "import lapel_audio.adpcm\nfrom ..core import ring"),
    ("lib/lapel_wire/channel.py", "import json\nfrom lapel_wire import packets\nfrom . import session"),
    ("lib/lapel_audio/adpcm.py", "import micropython\nfrom array import array"),
    ("lib/noise/host.py", "from cryptography import exceptions\nfrom noise import suite"),
    ("firmware/lapel/services/link.py", "from noise import device, nnpsk0"),
    ("tools/lapel_companion/link/peer.py", "from noise import host, nnpsk0"),
    ("lib/drivers/button.py", "from machine import Pin\nfrom lapel.compat import ThreadSafeFlag"),
    ("lib/drivers/ble_gatt.py", "import aioble\nimport bluetooth"),
    ("boards/sim/board.py", "from drivers import button\nimport machine"),
    ("boards/sim/radio/aioble/core.py", "import bluetooth\nimport asyncio"),
    (
        "tools/lapel_companion/link.py",
        "import lapel_wire.channel\nimport aiohttp\nfrom lapel_companion import events",
    ),
    ("tools/lapel_companion/cli/sim.py", "def sim():\n    import simulator.cli"),
    ("tools/simulator/run.py", "import bumble\nfrom lapel_companion import client"),
]


@pytest.mark.parametrize(("path", "source"), GOOD_IMPORTS)
def test_an_allowed_import_is_not_found(path: str, source: str) -> None:
    assert not texts(path, source)


def test_a_board_may_import_what_lies_beside_it() -> None:
    assert texts("boards/sim/board.py", "import bus")
    assert not texts("boards/sim/board.py", "import bus", ("bus",))


@pytest.mark.parametrize(
    ("path", "source", "text"),
    [
        ("lib/drivers/led.py", "try:\n    x = 1\nexcept:\n    x = 2", "bare except"),
        ("tests/unit/test_x.py", "try:\n    x = 1\nexcept:\n    x = 2", "bare except"),
        ("lib/drivers/led.py", "print(1)", "work at import"),
        ("tools/simulator/run.py", "while True:\n    pass", "work at import"),
        (
            "lib/drivers/led.py",
            "class A:\n  def __init__(self, loop):\n    self.t = loop.create_task(f())",
            "constructor",
        ),
        ("lib/drivers/led.py", "x = 1\n" * 301, "past 300"),
        ("lib/drivers/led.py", "x = 1  # TODO: more", "TODO"),
        ("lib/drivers/led.py", "import sys\nx = sys.platform", "which Python"),
        ("firmware/lapel/core/ring.py", "import sys\nx = sys.implementation.name", "which Python"),
        ("tests/unit/test_x.py", "import time\ntime.sleep(0.2)", "await the event"),
        ("tests/host/test_x.py", "async def f(n):\n    await asyncio.sleep(n)", "await the event"),
        ("tests/host/test_x.py", "from time import sleep\nsleep(1)", "await the event"),
        (
            "tests/host/test_x.py",
            "WAIT_S = 3\nasync def f():\n    await asyncio.sleep(WAIT_S)",
            "await the event",
        ),
        ("tests/unit/test_x.py", "async def f():\n    await compat.sleep_ms(500)", "await the event"),
        ("tests/host/x/device/test_x.py", "import time\ntime.sleep_ms(500)", "await the event"),
        ("tests/unit/test_x.py", "from lapel.compat import sleep_ms\nsleep_ms(500)", "await the event"),
        ("lib/drivers/led.py", "def f(:", "is not Python"),
    ],
)
def test_a_broken_rule_is_found(path: str, source: str, text: str) -> None:
    assert text in texts(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("lib/drivers/led.py", '"""Docstring."""\ntry:\n    x = 1\nexcept ValueError:\n    x = 2'),
        ("lib/drivers/led.py", "x = 1\n" * 300),
        ("tests/unit/test_x.py", "x = 1\n" * 301),
        ("tests/unit/test_x.py", "async def f():\n    await asyncio.sleep(0)\n    await compat.sleep_ms(5)"),
        ("tests/host/x/device/board_parts.py", "import time\ntime.sleep_ms(500)"),
        ("tests/device_bench/parts.py", "import time\ntime.sleep_ms(500)"),
        ("tests/unit/helpers/fake.py", "async def f(self):\n    await self.clock.sleep_ms(500)"),
        ("tests/host/test_x.py", "async def never():\n    await asyncio.sleep(3600)"),
        ("tests/unit/test_x.py", "POLL_S = 0.01\nasync def f():\n    await asyncio.sleep(POLL_S)"),
        ("tools/simulator/run.py", "import sys\nx = sys.platform"),
        ("firmware/main.py", "run()"),
    ],
)
def test_good_habits_are_not_found(path: str, source: str) -> None:
    assert not texts(path, source)
