"""`bluetooth` on the simulator: the GATT server half of MicroPython's module, over the bus.

The radio itself, its pace and its faults are in tools/simulator/pin_radio.py. What a real NimBLE does to its
user is done here: 16 notifications may wait and the next raises ENOMEM at once; so does advertising for a fifth
connection; nobody is told when they are sent; a plain value keeps 20 B of a longer write; handlers run as interrupts
do.
"""

import json

import bus

_ACTIVE = 1
_REGISTER = 2
_ADVERTISE = 3
_ADVERTISE_STOP = 4
_VALUE = 5
_NOTIFY = 6
_INDICATE = 7
_DISCONNECT = 8
_EXCHANGE_MTU = 9
_WRITTEN = 10

_EV_CONNECT = 0x41
_EV_DISCONNECT = 0x42
_EV_WRITE = 0x43
_EV_MTU = 0x44
_EV_SENT = 0x45
_EV_UPDATE = 0x46
_EV_INDICATED = 0x47

_IRQ_CENTRAL_CONNECT = 1
_IRQ_CENTRAL_DISCONNECT = 2
_IRQ_GATTS_WRITE = 3
_IRQ_GATTS_INDICATE_DONE = 20
_IRQ_MTU_EXCHANGED = 21
_IRQ_CONNECTION_UPDATE = 27

_EINVAL = 22
_ENODEV = 19
_ENOMEM = 12
_ENOTCONN = 107

_NOTIFY_MAX = 16
_LINKS_MAX = 4
_VALUE_BYTES = 20
_ADV_BYTES = 31

FLAG_READ = 0x0002
FLAG_WRITE_NO_RESPONSE = 0x0004
FLAG_WRITE = 0x0008
FLAG_NOTIFY = 0x0010
FLAG_INDICATE = 0x0020


class UUID:
    """From a 16-bit number or a string; `bytes(uuid)` is little-endian, as on the air."""

    def __init__(self, value):
        if isinstance(value, int):
            self._raw = value.to_bytes(2, "little")
        elif isinstance(value, str):
            raw = bytes.fromhex(value.replace("-", ""))
            if len(raw) != 16:
                raise ValueError("invalid UUID")
            self._raw = bytes(reversed(raw))
        else:
            self._raw = bytes(value)

    def __iter__(self):
        return iter(self._raw)

    def __len__(self):
        return len(self._raw)

    def __eq__(self, other):
        return isinstance(other, UUID) and self._raw == other._raw

    def __hash__(self):
        return hash(self._raw)

    def __repr__(self):
        text = bytes(reversed(self._raw)).hex()
        if len(text) == 4:
            return "UUID(0x{})".format(text)
        parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
        return "UUID('{}')".format("-".join(parts))


class BLE:
    """One radio, whoever makes the object, as on the chip."""

    _one = None

    def __new__(cls):
        if BLE._one is None:
            BLE._one = super().__new__(cls)
            BLE._one._reset()
        return BLE._one

    def _reset(self):
        self._irq = None
        self._bus = None
        self._config = {"addr_mode": 0, "mtu": 256, "gap_name": b"MPY BTSTACK", "rxbuf": 256}
        self._address = (0, b"\0\0\0\0\0\0")
        self._values = {}
        self._limits = {}
        self._links = set()
        self._waiting = 0

    def irq(self, handler):
        self._irq = handler

    def active(self, on=None):
        if on is None:
            return self._bus is not None
        if on and self._bus is None:
            self._bus = bus.attached()
            self._bus.handle(bus.RADIO, self._event)
            self._configure()
        elif not on and self._bus is not None:
            self._bus.call(bus.RADIO, _ACTIVE, b'{"on": false}')
            self._bus.handle(bus.RADIO, None)
            self._bus = None
            self._values = {}
            self._limits = {}
            self._links = set()
            self._waiting = 0
        return self._bus is not None

    def _configure(self):
        told = {"on": True, "addr_mode": self._config["addr_mode"], "mtu": self._config["mtu"]}
        name = self._config["gap_name"]
        told["name"] = name if isinstance(name, str) else bytes(name).decode()
        if self._bus.call(bus.RADIO, _ACTIVE, json.dumps(told).encode()) != 7:
            raise OSError(_ENODEV)
        self._address = (self._bus.answer[0], bytes(memoryview(self._bus.answer)[1:7]))

    def config(self, *names, **values):
        if names:
            if names[0] == "mac":
                return self._address
            return self._config[names[0]]
        for name, value in values.items():
            self._config[name] = value
        if self._bus and values:
            self._configure()

    def _radio(self):
        if self._bus is None:
            raise OSError(_ENODEV)
        return self._bus

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        link = self._radio()
        if interval_us is None:
            link.send(bus.RADIO, _ADVERTISE_STOP)
            return
        adv = bytes(adv_data or b"")
        resp = bytes(resp_data or b"")
        if len(adv) > _ADV_BYTES or len(resp) > _ADV_BYTES:
            raise OSError(_EINVAL)
        if connectable and len(self._links) >= _LINKS_MAX:
            raise OSError(_ENOMEM)
        head = bytes((int(bool(connectable)), len(adv)))
        link.send(bus.RADIO, _ADVERTISE, head + adv + resp, 2, interval_us & 0xFFFF, interval_us >> 16)

    def gap_disconnect(self, conn_handle):
        link = self._radio()
        if conn_handle not in self._links:
            return False
        link.send(bus.RADIO, _DISCONNECT, None, 1, conn_handle)
        return True

    def gatts_register_services(self, services):
        """Nested tuples of value handles (and descriptor handles), in the order given."""
        link = self._radio()
        told = []
        for uuid, characteristics in services:
            listed = []
            for item in characteristics:
                descriptors = [[bytes(d[0]).hex(), d[1]] for d in (item[2] if len(item) > 2 else ())]
                listed.append([bytes(item[0]).hex(), item[1], descriptors])
            told.append([bytes(uuid).hex(), listed])
        n = link.call(bus.RADIO, _REGISTER, json.dumps(told).encode())
        if not n:
            raise OSError(_EINVAL)
        handles = json.loads(bytes(memoryview(link.answer)[:n]))
        for service in handles:
            for handle in service:
                self._values[handle] = b""
        return tuple(tuple(service) for service in handles)

    def gatts_set_buffer(self, handle, length, append=False):
        self._limits[handle] = (length, bool(append))

    def gatts_read(self, handle):
        value = self._values[handle]
        if handle in self._limits and self._limits[handle][1]:
            self._values[handle] = b""
        return value

    def gatts_write(self, handle, data, send_update=False):
        link = self._radio()
        self._values[handle] = bytes(data)
        link.send(bus.RADIO, _VALUE, data, 2, handle, int(send_update))

    def gatts_notify(self, conn_handle, handle, data=None):
        link = self._radio()
        if not isinstance(conn_handle, int):
            raise TypeError("can't convert NoneType to int")
        if conn_handle not in self._links:
            raise OSError(_ENOTCONN)
        # buffers come back while the caller works
        link.poll()
        if self._waiting >= _NOTIFY_MAX:
            raise OSError(_ENOMEM)
        if conn_handle not in self._links:
            raise OSError(_ENOTCONN)
        self._waiting += 1
        value = self._values[handle] if data is None else data
        link.send(bus.RADIO, _NOTIFY, value, 2, conn_handle, handle)

    def gatts_indicate(self, conn_handle, handle, data=None):
        link = self._radio()
        if conn_handle not in self._links:
            raise OSError(_ENOTCONN)
        value = self._values[handle] if data is None else data
        link.send(bus.RADIO, _INDICATE, value, 2, conn_handle, handle)

    def gattc_exchange_mtu(self, conn_handle):
        self._radio().send(bus.RADIO, _EXCHANGE_MTU, None, 1, conn_handle)

    def _event(self, op, body, n):
        conn = body[0] | body[1] << 8
        if op == _EV_SENT:
            self._waiting -= conn
        elif op == _EV_WRITE:
            self._write(conn, body, n)
        elif op == _EV_CONNECT:
            self._links.add(conn)
            self._tell(_IRQ_CENTRAL_CONNECT, (conn, body[2], memoryview(bytes(body[3:9]))))
        elif op == _EV_DISCONNECT:
            self._links.discard(conn)
            self._tell(_IRQ_CENTRAL_DISCONNECT, (conn, body[2], memoryview(bytes(body[3:9]))))
        elif op == _EV_MTU:
            self._tell(_IRQ_MTU_EXCHANGED, (conn, _u16(body, 2)))
        elif op == _EV_UPDATE:
            self._tell(_IRQ_CONNECTION_UPDATE, (conn, _u16(body, 2), _u16(body, 4), _u16(body, 6), 0))
        elif op == _EV_INDICATED:
            self._tell(_IRQ_GATTS_INDICATE_DONE, (conn, _u16(body, 2), body[4]))

    def _write(self, conn, body, n):
        # handle u16, token u16, the bytes written; the central's answer waits for the token to come back
        handle = _u16(body, 2)
        token = _u16(body, 4)
        limit, append = self._limits.get(handle, (_VALUE_BYTES, False))
        data = bytes(memoryview(body)[6:n])
        if append:
            data = self._values.get(handle, b"") + data
        self._values[handle] = data[:limit]
        try:
            self._tell(_IRQ_GATTS_WRITE, (conn, handle))
        finally:
            if self._bus:
                self._bus.send(bus.RADIO, _WRITTEN, None, 1, token)

    def _tell(self, event, data):
        if self._irq:
            self._irq(event, data)


def _u16(body, at):
    return body[at] | body[at + 1] << 8
