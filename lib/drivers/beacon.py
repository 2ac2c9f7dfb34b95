"""An advertisement with one thing to read: how a pin that cannot run its app is still found.

Needs `bluetooth` alone: it must work on a pin where aioble is missing.
"""

import binascii

import bluetooth
from micropython import const

_IRQ_CENTRAL_CONNECT = const(1)
_IRQ_CENTRAL_DISCONNECT = const(2)
_ADDRESS_RANDOM = const(1)
_FLAG_READ = const(0x0002)

# Types of advertising data (Bluetooth Assigned Numbers, 2.3), and its first field: general discovery, no BR/EDR.
_AD_FLAGS = b"\x02\x01\x06"
_AD_UUID128 = const(0x07)
_AD_NAME = const(0x09)
_AD_BYTES = const(31)


class Beacon:
    """Advertises `name` and one service, in which `info_uuid` reads `info`, under a new random address.

    Name and UUID must fit 31 bytes: a name of 8 at most. A radio that does not start raises OSError.
    """

    def __init__(self, name: str, service_uuid: str, info_uuid: str, info: bytes, interval_us: int = 250_000):
        self._name = name
        self._service = bluetooth.UUID(service_uuid)
        self._info_uuid = bluetooth.UUID(info_uuid)
        self._info = info
        self._interval_us = interval_us
        # On the air a UUID begins with its last byte.
        raw = bytes(reversed(binascii.unhexlify(service_uuid.replace("-", ""))))
        self._payload = _AD_FLAGS + _field(_AD_UUID128, raw) + _field(_AD_NAME, name.encode())
        if len(self._payload) > _AD_BYTES:
            raise ValueError("the name '%s' does not fit an advertisement" % name)
        self._ble = bluetooth.BLE()
        # Times at which the radio would not advertise: it holds as many links as it can.
        self.refused = 0

    def start(self) -> None:
        """Switches the radio on, whatever used it before, and advertises until stop()."""
        ble = self._ble
        ble.active(False)
        ble.active(True)
        ble.config(addr_mode=_ADDRESS_RANDOM, gap_name=self._name)
        ble.irq(self._irq)
        ((handle,),) = ble.gatts_register_services(((self._service, ((self._info_uuid, _FLAG_READ),)),))
        ble.gatts_write(handle, self._info)
        self._advertise()

    def stop(self) -> None:
        """Switches the radio off; every link ends."""
        self._ble.irq(None)
        self._ble.active(False)

    def _advertise(self) -> None:
        try:
            self._ble.gap_advertise(self._interval_us, self._payload)
        except OSError:
            self.refused += 1

    def _irq(self, event, data) -> None:
        # A connection ends the advertisement: one who stays must not keep others from reading.
        if event in (_IRQ_CENTRAL_CONNECT, _IRQ_CENTRAL_DISCONNECT):
            self._advertise()


def _field(kind: int, data: bytes) -> bytes:
    return bytes((len(data) + 1, kind)) + data
