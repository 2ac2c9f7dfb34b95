"""What is there, what is missing, and what to type. Each check is a function that never raises."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import __version__, config, flight_words, paths, retention, service, socket_path
from lapel_companion.client import ApiError, Client, NoDaemon
from lapel_companion.keys import Keys
from lapel_companion.link import safe_mode, set_aside

GOOD, INFO, WARN, BAD = "ok", "info", "warn", "bad"
_SCAN_LIMIT_S = 5.0
_LOW_DISK_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """`level` is ok, info, warn (it works, but) or bad (it does not work); `type` is what to type, or ""."""

    level: str
    subject: str
    text: str
    type: str = ""


def examine(state: Path, config_file: Path | None, radio: str) -> Iterator[Finding]:
    """Every check, as it is done."""
    yield Finding(
        GOOD, "lapel", f"{__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    )
    found, settings = configuration(config_file)
    yield found
    yield state_folder(state)
    yield pairing(state)
    status, found = daemon(state)
    yield found
    yield from pin(state, status) if status else ()
    if status is None or status["link"]["state"] in ("no radio", "off"):
        yield bluetooth(radio)
    if settings is not None:
        yield from speech(settings)
        yield notices(settings)
    yield microphone()
    yield runs_by_itself()


def configuration(given: Path | None) -> tuple[Finding, config.Config | None]:
    """The configuration file."""
    try:
        settings = config.load(given)
    except config.ConfigError as error:
        return Finding(BAD, "configuration", str(error)), None
    if settings.source is None:
        text = f"none at {paths.config_file()}: the built-in example is used"
        return Finding(INFO, "configuration", text, "lapel setup"), settings
    return Finding(GOOD, "configuration", f"{settings.source}, {len(settings.phrases)} phrases"), settings


def state_folder(state: Path) -> Finding:
    """The state folder and its disk."""
    where = state
    while not where.exists() and where != where.parent:
        where = where.parent
    if not os.access(where, os.W_OK | os.X_OK):
        return Finding(
            BAD, "state", f"{state} cannot be written by you", f"lapel run --state {Path.home() / 'lapel'}"
        )
    free = shutil.disk_usage(where).free
    if free < _LOW_DISK_BYTES:
        text = (
            f"{state}: only {free // 1_000_000} MB are free; recordings wait on the pin when the disk is full"
        )
        return Finding(WARN, "state", text)
    held = retention.sizes(state)
    shown = ", ".join(f"{what} {size / 1e6:.1f} MB" for what, size in held.items() if size)
    return Finding(GOOD, "state", f"{state}, {free / 1e9:.0f} GB free{'; ' + shown if shown else ''}")


def pairing(state: Path) -> Finding:
    """The key that this computer shares with its pin."""
    told = Keys(state).told()
    if told["trouble"]:
        return Finding(BAD, "pairing", told["trouble"])
    if told["begun"]:
        text = "a pairing broke off: a pin may have a key that this computer does not use yet"
        return Finding(WARN, "pairing", text, "lapel pair")
    if told["fingerprint"] is None:
        return Finding(WARN, "pairing", "no pin is paired with this computer: plug yours in", "lapel pair")
    return Finding(GOOD, "pairing", f"a pin is paired: key {told['fingerprint']}, kept in {told['where']}")


def daemon(state: Path) -> tuple[dict[str, Any] | None, Finding]:
    """Whether the companion runs."""
    try:
        status = Client(state).get("/v1/status")
    except NoDaemon:
        return None, Finding(
            WARN, "companion", f"does not run (nobody answers at {socket_path.find(state)})", "lapel run"
        )
    except ApiError as error:
        return None, Finding(BAD, "companion", str(error))
    trouble = f"; {status['trouble']}" if status["trouble"] else ""
    return status, Finding(
        WARN if trouble else GOOD, "companion", f"runs, version {status['version']}{trouble}"
    )


def pin(state: Path, status: dict[str, Any]) -> Iterator[Finding]:
    """The link, and what the pin wrote down of its last boots."""
    link = status["link"]
    if link.get("safe_mode"):
        # Its app does not run: what it wrote down can be read over USB only.
        yield Finding(BAD, "pin", safe_mode.sentence(link["safe_mode"]), "lapel doctor --usb\nmake flash BOARD=...")
        return
    if "dev" not in link and link.get("advice"):
        yield Finding(WARN, "pin", f"not linked ({link['state']}): {link['advice']}")
        return
    if "dev" not in link:
        text = f"not linked ({link['state']}); is it charged and near? What it wrote down can be read over USB"
        yield Finding(WARN, "pin", text, "lapel doctor --usb")
        return
    yield Finding(GOOD, "pin", f"{link['dev']} is linked, MTU {link['mtu']}")
    if link.get("set_aside"):
        yield Finding(WARN, "pin's flash", f"{link['set_aside']}; {set_aside.WAY_ON}", "make backup")
    try:
        flight = Client(state).get("/v1/flight")
    except (NoDaemon, ApiError) as error:
        yield Finding(WARN, "flight recorder", str(error))
        return
    if flight["log"] is None:
        yield Finding(WARN, "flight recorder", flight["wrong"])
    else:
        yield flight_recorder(flight["log"])
        if why := flight_words.no_opus(flight["log"]):
            yield Finding(INFO, "recordings", f"the pin takes ADPCM: {why}")


def flight_recorder(log: dict[str, Any]) -> Finding:
    """What went wrong last on the pin, in words."""
    text = "\n".join([flight_words.headline(log), *flight_words.lines(log)])
    return Finding(INFO if flight_words.last_trouble(log) is None else WARN, "flight recorder", text)


def bluetooth(radio: str) -> Finding:
    """Whether the radio can scan."""
    from lapel_companion.link.peer import EXPECTED
    from lapel_companion.link.radio import Radio, RadioError, radio_of, radio_sentence

    async def scan(one: Radio) -> None:
        async with asyncio.timeout(_SCAN_LIMIT_S):
            await one.start()
            try:
                scanner = one.scanner(lambda _device, _heard: None)
                await scanner.start()
                await scanner.stop()
            finally:
                await one.stop()

    try:
        asyncio.run(scan(radio_of(radio)))
    except (RadioError, *EXPECTED) as error:
        fix = "sudo systemctl start bluetooth" if sys.platform == "linux" and radio == "bleak" else ""
        return Finding(
            BAD, "Bluetooth", radio_sentence(radio, error).removesuffix(" Lapel keeps trying."), fix
        )
    return Finding(GOOD, "Bluetooth", f"{radio} can scan")


def speech(settings: config.Config) -> Iterator[Finding]:
    """The recogniser, and whether it can hear the phrases."""
    from lapel_companion import speech as recognisers
    from lapel_companion.speech.base import SpeechError

    try:
        recogniser = recognisers.make(settings.speech)
        recogniser.warm_up()
    except SpeechError as error:
        yield Finding(BAD, "speech", str(error))
        return
    if recogniser.trusted:
        yield Finding(GOOD, "speech", f"{recogniser.name}, trusted to act on free speech")
    else:
        text = f"{recogniser.name} hears badly: it acts only on phrases marked harmless, and holds the rest"
        yield Finding(INFO, "speech", text, ".venv/bin/pip install -e '.[whisper]', then engine = \"faster-whisper\"")
    for phrase in settings.phrases:
        trouble = recogniser.check_phrase(phrase.say)
        if trouble is not None:
            yield Finding(WARN, "phrase", f'"{phrase.say}" (line {phrase.line}): {trouble}')


def notices(settings: config.Config) -> Finding:
    """Where results can be read."""
    if settings.channel == "terminal":
        return Finding(GOOD, "notices", "on the terminal where the companion runs")
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    session = os.environ.get("DBUS_SESSION_BUS_ADDRESS") or (runtime and Path(runtime, "bus").exists())
    if sys.platform == "linux" and not session:
        level = WARN if settings.channel == "desktop" else INFO
        return Finding(
            level, "notices", "no desktop session here: they go to the terminal, and to: lapel notices"
        )
    titles = ", titles only" if settings.texts == "nowhere" else ""
    return Finding(GOOD, "notices", f"as notifications of the desktop{titles}")


def microphone() -> Finding:
    """The computer's own, for `lapel sim --mic`."""
    try:
        import sounddevice
    except OSError:
        fix = "sudo apt install libportaudio2" if sys.platform == "linux" else ""
        return Finding(INFO, "microphone", "no sound library; lapel sim --wav FILE works without", fix)
    try:
        device = sounddevice.query_devices(kind="input")
    except (sounddevice.PortAudioError, ValueError):
        return Finding(INFO, "microphone", "none on this computer; lapel sim --wav FILE works without")
    return Finding(GOOD, "microphone", str(device["name"]))


def runs_by_itself() -> Finding:
    """The service."""
    try:
        found = service.here().status()
    except service.ServiceError as error:
        return Finding(INFO, "service", str(error))
    if not found.installed:
        return Finding(INFO, "service", "not installed", "lapel service install")
    if found.running is False:
        return Finding(
            WARN, "service", f"installed, but it does not run; its log: {found.log}", "lapel service install"
        )
    return Finding(GOOD, "service", f"installed; its log: {found.log}")
