"""Radio: this computer connects to the pin and counts what it sends."""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError

from lapel_bringup.desk import Desk, Step
from lapel_bringup.pin import StepFailed, Told
from lapel_bringup.result import Result
from lapel_companion.link.radio import Radio, RadioError, radio_of, radio_sentence
from lapel_wire import gatt

_FIND_S = 20.0
_GO = b"go"
_PIECE_MS = 100
# Live speech as ADPCM with its headers; below this nothing would ever catch up.
_NEEDED_KBIT_S = 70
_GOOD_KBIT_S = 130
_WEAK_DBM = -80
_LONG_INTERVAL_MS = 60


@dataclass
class _Counted:
    """What arrived: per piece of 100 ms, numbers that were left out, first and last moment."""

    begun_s: float = 0.0
    last_s: float = 0.0
    packets: int = 0
    octets: int = 0
    missing: int = 0
    expected: int = 0
    pieces: list[int] = field(default_factory=list)
    rssi_dbm: int | None = None
    mtu: int = 0
    interval_ms: int = 0
    trouble: str = ""
    # whether it was this computer that could not
    has_radio: bool = True
    found_s: float = 0.0
    connected_s: float = 0.0

    def take(self, packet: bytes) -> None:
        """One notification; it begins with its running number."""
        now = time.monotonic()
        self.begun_s = self.begun_s or now
        self.last_s = now
        number = struct.unpack_from("<I", packet)[0]
        self.missing += max(0, number - self.expected)
        self.expected = number + 1
        self.packets += 1
        self.octets += len(packet)
        piece = int((now - self.begun_s) * 1000) // _PIECE_MS
        self.pieces += [0] * (piece + 1 - len(self.pieces))
        self.pieces[piece] += len(packet)


def run(desk: Desk) -> Result:
    """Raises StepFailed where this computer's radio cannot be used."""
    result = Result()
    if not desk.radio:
        result.cannot_know("everything about the radio: --radio none left it out")
        return result
    try:
        radio = radio_of(desk.radio)
    except RadioError as error:
        raise StepFailed(str(error), "Use --radio bleak, bumble:TRANSPORT or none.") from error
    name = "Lpl" + secrets.token_hex(2)
    told, counted = asyncio.run(_measure(desk, radio, name))
    _figures(result, told, counted)
    _judge(result, told, counted)
    return result


async def _measure(desk: Desk, radio: Radio, name: str) -> tuple[Told, _Counted]:
    loop = asyncio.get_running_loop()
    advertising = asyncio.Event()

    def heard(event: dict[str, Any]) -> None:
        if event["event"] == "advertising":
            loop.call_soon_threadsafe(advertising.set)

    seconds = desk.plan.radio_s
    counted = _Counted()
    pin = asyncio.ensure_future(
        asyncio.to_thread(
            desk.bench.run, "air", name=name, seconds=seconds, wait_ms=int(_FIND_S * 1000),
            timeout_s=2 * _FIND_S + seconds + 20, on_event=heard,
        )
    )  # fmt: skip
    await _either(pin, advertising)
    if not pin.done():
        try:
            await radio.start()
            await _central(radio, name, counted, pin)
        except (RadioError, BleakBluetoothNotAvailableError, BleakDBusError, FileNotFoundError) as error:
            # what the companion says while it waits for a radio; nobody waits here
            sentence = radio_sentence(desk.radio, error).removeprefix("no link to the pin: ")
            counted.trouble = sentence.removesuffix(" Lapel keeps trying.")
            counted.has_radio = False
        except (BleakError, OSError, TimeoutError, EOFError) as error:
            counted.trouble = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        finally:
            await radio.stop()
    return await pin, counted


async def _central(radio: Radio, name: str, counted: _Counted, pin: asyncio.Future[Told]) -> None:
    begun_s = time.monotonic()
    found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

    def heard(device: BLEDevice, adv: AdvertisementData) -> None:
        if adv.local_name == name:
            counted.rssi_dbm = adv.rssi
            if not found.done():
                found.set_result(device)

    scanner = radio.scanner(heard)
    await scanner.start()
    try:
        async with asyncio.timeout(_FIND_S):
            device = await found
    except TimeoutError:
        counted.trouble = f"this computer did not see the pin's advertisement ({name}) within {_FIND_S:.0f} s"
        return
    finally:
        await scanner.stop()
    counted.found_s = time.monotonic() - begun_s
    gone = asyncio.Event()
    client = radio.client(device, lambda _: gone.set())
    async with asyncio.timeout(_FIND_S):
        await client.connect()
    try:
        counted.connected_s = time.monotonic() - begun_s - counted.found_s
        counted.mtu = client.mtu_size
        await client.start_notify(gatt.UP_UUID, lambda _, packet: counted.take(bytes(packet)))
        counted.interval_ms = radio.interval_ms(client)
        await client.write_gatt_char(gatt.DOWN_UUID, _GO, response=True)
        await _either(pin, gone)
    finally:
        await _quietly(client)


async def _either(pin: asyncio.Future[Told], event: asyncio.Event) -> None:
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait((pin, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _quietly(client: BleakClient) -> None:
    # what is gone cannot be closed
    try:
        await client.disconnect()
    except (BleakError, OSError, EOFError):
        pass


def _figures(result: Result, told: Told, counted: _Counted) -> None:
    links = told.all("link")
    sent = told.all("sent")
    took_s = counted.last_s - counted.begun_s
    interval_ms = next((link["interval_ms"] for link in reversed(links) if link["interval_ms"]), counted.interval_ms)
    result.figures.update(
        found_s=round(counted.found_s, 2),
        connected_s=round(counted.connected_s, 2),
        rssi_dbm=counted.rssi_dbm,
        mtu_bytes=links[-1]["mtu"] if links else counted.mtu or None,
        interval_ms=interval_ms or None,
        kbit_s=round(counted.octets * 8 / took_s / 1000, 1) if took_s > 0 else 0.0,
        packets=counted.packets,
        missing_packets=counted.missing,
        queue_packets=sent[-1]["depth"] if sent else None,
        refused=sent[-1]["refused"] if sent else None,
    )
    result.series["bytes_each_100_ms"] = counted.pieces
    result.cannot_know(
        "the radio through your body and your clothes: wear the pin and repeat this step where you use it"
    )
    if not interval_ms:
        result.cannot_know("the connection interval: neither this computer's radio nor the pin was told it")
    if counted.rssi_dbm is None or counted.rssi_dbm == 127:
        result.figures["rssi_dbm"] = None
        result.cannot_know("the strength of the signal: this computer's radio does not tell it")


def _judge(result: Result, told: Told, counted: _Counted) -> None:
    figures = result.figures
    if counted.trouble and not counted.packets:
        says = f"The pin advertised, but no connection came about: {counted.trouble}"
        advice = "Is this computer's Bluetooth on, and may this program use it? --radio names another one."
        (result.bad if counted.has_radio else result.look)(says.rstrip(".") + ".", advice)
        return
    if not counted.packets:
        result.bad(
            "Nothing arrived over the radio.", "Come closer; restart this computer's Bluetooth; repeat the step."
        )
        return
    rate = figures["kbit_s"]
    interval = f", interval {figures['interval_ms']} ms" if figures["interval_ms"] else ""
    says = f"{rate:.0f} kbit/s at MTU {figures['mtu_bytes']}{interval}"
    if rate < _NEEDED_KBIT_S:
        result.bad(
            f"{says}: less than live speech needs ({_NEEDED_KBIT_S}).",
            "Another Bluetooth adapter, closer, no 2.4 GHz WiFi dongle beside it.",
        )
    elif rate < _GOOD_KBIT_S:
        result.look(
            f"{says}: enough for live speech, but recordings catch up slowly.",
            "The interval is this computer's choice: another adapter may grant less.",
        )
    else:
        result.good(f"{says}: recordings go {rate / _NEEDED_KBIT_S:.1f} times as fast as they are spoken.")
    if figures["interval_ms"] and figures["interval_ms"] > _LONG_INTERVAL_MS:
        result.look(
            f"The connection interval is {figures['interval_ms']} ms.",
            "An energy-saving setting of this computer's Bluetooth.",
        )
    if counted.missing:
        result.bad(
            f"{counted.missing} of {counted.expected} packets never arrived.",
            "This computer's Bluetooth drops notifications: update it, or another adapter.",
        )
    if figures["rssi_dbm"] is not None and figures["rssi_dbm"] < _WEAK_DBM:
        result.look(
            f"The signal is weak ({figures['rssi_dbm']} dBm).",
            "Is the antenna plugged in (XIAO: it is a separate part), and free of metal?",
        )
    for event in told.all("closed"):
        result.look("The connection was lost before the end.", f"{event['event']}: come closer and repeat the step.")


STEP = Step(
    "radio",
    "Radio",
    "Connects this computer to the pin over Bluetooth and measures how much gets through.",
    run,
)
