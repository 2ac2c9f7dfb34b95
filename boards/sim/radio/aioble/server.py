"""Services, characteristics, and what centrals write to them."""

import asyncio

from aioble.core import GattError, ble, ensure_active, register_irq_handler
from aioble.device import DeviceConnection, DeviceTimeout

_IRQ_GATTS_WRITE = 3
_IRQ_GATTS_INDICATE_DONE = 20

_READ = 0x0002
_WRITE_NO_RESPONSE = 0x0004
_WRITE = 0x0008
_NOTIFY = 0x0010
_INDICATE = 0x0020

_CAPTURED_MAX = 10

# by value handle
_registered = {}
# (characteristic, connection, bytes): one short queue for every captured write
_captured = []


class Service:
    def __init__(self, uuid):
        self.uuid = uuid
        self.characteristics = []

    def _tuple(self):
        return (self.uuid, tuple(c._tuple() for c in self.characteristics))


class BaseCharacteristic:
    def __init__(self, uuid, flags, initial):
        self.uuid = uuid
        self.flags = flags
        self._initial = initial
        self._value_handle = None
        self._capture = False
        self._writer = None
        self._wrote = asyncio.ThreadSafeFlag()

    def _register(self, handle):
        self._value_handle = handle
        _registered[handle] = self
        if self._initial is not None:
            self.write(self._initial)
            self._initial = None

    def read(self):
        if self._value_handle is None:
            return self._initial or b""
        return ble.gatts_read(self._value_handle)

    def write(self, data, send_update=False):
        """Set the value; an update goes out when it can, and only the last of several."""
        if self._value_handle is None:
            self._initial = data
        else:
            ble.gatts_write(self._value_handle, data, send_update)

    async def written(self, timeout_ms=None):
        """The connection that wrote; with capture (connection, bytes). None if nobody can write."""
        if not self.flags & (_WRITE | _WRITE_NO_RESPONSE):
            return None
        while True:
            taken = self._take()
            if taken is not None:
                return taken
            with DeviceTimeout(None, timeout_ms):
                await self._wrote.wait()

    def _take(self):
        if not self._capture:
            writer, self._writer = self._writer, None
            return writer
        for i in range(len(_captured)):
            if _captured[i][0] is self:
                return _captured.pop(i)[1:]
        return None

    def _remote_write(self, connection):
        if not self._capture:
            self._writer = connection
        elif len(_captured) < _CAPTURED_MAX:
            _captured.append((self, connection, self.read()))
        self._wrote.set()


class Characteristic(BaseCharacteristic):
    def __init__(
        self,
        service,
        uuid,
        read=False,
        write=False,
        write_no_response=False,
        notify=False,
        indicate=False,
        initial=None,
        capture=False,
    ):
        asked = ((read, _READ), (write, _WRITE), (write_no_response, _WRITE_NO_RESPONSE))
        asked += ((notify, _NOTIFY), (indicate, _INDICATE))
        flags = sum(flag for wanted, flag in asked if wanted)
        super().__init__(uuid, flags, initial)
        self._capture = capture
        self.descriptors = []
        self._indicated = asyncio.ThreadSafeFlag()
        self._indicating = None
        self._status = None
        service.characteristics.append(self)

    def _tuple(self):
        if self.descriptors:
            return (self.uuid, self.flags, tuple(d._tuple() for d in self.descriptors))
        return (self.uuid, self.flags)

    def notify(self, connection, data=None):
        """Raises OSError(ENOMEM) when 16 wait already, TypeError when the connection has gone."""
        if not self.flags & _NOTIFY:
            raise ValueError("Not supported")
        ble.gatts_notify(connection._conn_handle, self._value_handle, data)

    async def indicate(self, connection, data=None, timeout_ms=1000):
        """Returns when the central confirmed. Raises GattError, asyncio.TimeoutError, ValueError."""
        if not self.flags & _INDICATE:
            raise ValueError("Not supported")
        if self._indicating is not None:
            raise ValueError("In progress")
        if not connection.is_connected():
            raise ValueError("Not connected")
        self._indicating = connection
        try:
            with connection.timeout(timeout_ms):
                ble.gatts_indicate(connection._conn_handle, self._value_handle, data)
                await self._indicated.wait()
            if self._status:
                raise GattError(self._status)
        finally:
            self._indicating = None


class BufferedCharacteristic(Characteristic):
    def __init__(self, *args, max_len=20, append=False, **kwargs):
        super().__init__(*args, **kwargs)
        self._max_len = max_len
        self._append = append

    def _register(self, handle):
        super()._register(handle)
        ble.gatts_set_buffer(handle, self._max_len, self._append)


class Descriptor(BaseCharacteristic):
    def __init__(self, characteristic, uuid, read=False, write=False, initial=None):
        super().__init__(uuid, (_READ if read else 0) | (_WRITE if write else 0), initial)
        characteristic.descriptors.append(self)

    def _tuple(self):
        return (self.uuid, self.flags)


def register_services(*services):
    ensure_active()
    _registered.clear()
    handles = ble.gatts_register_services(tuple(s._tuple() for s in services))
    for service, numbers in zip(services, handles):
        n = 0
        for characteristic in service.characteristics:
            for attribute in [characteristic] + characteristic.descriptors:
                attribute._register(numbers[n])
                n += 1


def _irq(event, data):
    characteristic = _registered.get(data[1]) if len(data) > 1 else None
    if event == _IRQ_GATTS_WRITE and characteristic:
        characteristic._remote_write(DeviceConnection._connected.get(data[0]))
    elif event == _IRQ_GATTS_INDICATE_DONE and characteristic and characteristic._indicating:
        characteristic._status = data[2]
        characteristic._indicated.set()


def _shutdown():
    _registered.clear()
    _captured.clear()


def _listen():
    register_irq_handler(_irq, _shutdown)
    return True


_listening = _listen()
