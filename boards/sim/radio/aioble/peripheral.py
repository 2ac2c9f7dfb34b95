"""Advertising until a central connects."""

import asyncio
import struct

from aioble.core import ble, ensure_active, register_irq_handler
from aioble.device import Device, DeviceConnection, DeviceTimeout

_IRQ_CENTRAL_CONNECT = 1

_PAYLOAD_BYTES = 31
_FLAGS = 0x01
_UUIDS = {2: 0x03, 4: 0x05, 16: 0x07}
_NAME = 0x09
_APPEARANCE = 0x19
_MANUFACTURER = 0xFF


class _Incoming:
    connection = None
    flag = None


def _irq(event, data):
    if event == _IRQ_CENTRAL_CONNECT and _Incoming.flag:
        handle, addr_type, addr = data
        _Incoming.connection = DeviceConnection(Device(addr_type, bytes(addr)), handle)
        _Incoming.flag.set()


def _shutdown():
    _Incoming.connection = None
    _Incoming.flag = None


def _listen():
    register_irq_handler(_irq, _shutdown)
    return True


_listening = _listen()


class _Payload:
    """Fields go into the advertisement while they fit, then into the scan response."""

    def __init__(self):
        self.adv = b""
        self.resp = b""

    def add(self, kind, value):
        field = bytes((len(value) + 1, kind)) + value
        # strictly less: the library leaves the last byte unused
        if len(self.adv) + len(field) < _PAYLOAD_BYTES:
            self.adv += field
        elif len(self.resp) + len(field) < _PAYLOAD_BYTES:
            self.resp += field
        else:
            raise ValueError("Advertising payload too long")


def _payload(name, services, appearance, manufacturer, limited_disc, br_edr):
    made = _Payload()
    made.add(_FLAGS, bytes(((1 if limited_disc else 2) + (0x18 if br_edr else 4),)))
    raw = [bytes(uuid) for uuid in services or ()]
    for size in (2, 4, 16):
        uuids = b"".join(uuid for uuid in raw if len(uuid) == size)
        if uuids:
            made.add(_UUIDS[size], uuids)
    if name:
        made.add(_NAME, name if isinstance(name, bytes) else name.encode())
    if appearance:
        made.add(_APPEARANCE, struct.pack("<H", appearance))
    if manufacturer:
        made.add(_MANUFACTURER, struct.pack("<H", manufacturer[0]) + manufacturer[1])
    return made


async def advertise(
    interval_us,
    adv_data=None,
    resp_data=None,
    connectable=True,
    limited_disc=False,
    br_edr=False,
    name=None,
    services=None,
    appearance=0,
    manufacturer=None,
    timeout_ms=None,
):
    """The connection of the next central; None when cancelled. Raises asyncio.TimeoutError, ValueError (too
    long)."""
    ensure_active()
    if not adv_data and not resp_data:
        made = _payload(name, services, appearance, manufacturer, limited_disc, br_edr)
        adv_data, resp_data = made.adv, made.resp
    _Incoming.flag = _Incoming.flag or asyncio.ThreadSafeFlag()
    ble.gap_advertise(interval_us, adv_data=adv_data, resp_data=resp_data, connectable=connectable)
    try:
        with DeviceTimeout(None, timeout_ms):
            await _Incoming.flag.wait()
        connection = _Incoming.connection
        _Incoming.connection = None
        connection._run_task()
        return connection
    except asyncio.CancelledError:
        # swallowed, as the library does; `advertise` then gives None
        ble.gap_advertise(None)
    except asyncio.TimeoutError:
        ble.gap_advertise(None)
        raise
