"""`bluetooth` in memory and in virtual time: one pin's radio, and centrals that all want to connect.

For lib/drivers/ble_gatt.py over the stand-in aioble of boards/sim/radio, neither of them changed. An advertising event
is heard by every central that waits; which one gets the pin is left to chance. As on NimBLE four links at most, writes
with their sender, notifications to one link only.
"""

import random
import sys

LINKS_MAX = 4
NOTIFY_MAX = 16
INTERVAL_MS = 30
# A radio's advertising events come up to so much later than planned.
JITTER_MS = 10
# An advertising event is missed by a central so often.
MISSED = 0.1
_GOODBYE_MS = 60


class UUID:
    """From a 16-bit number or a string; its bytes are little-endian, as on the air."""

    def __init__(self, value):
        if isinstance(value, int):
            self._raw = value.to_bytes(2, "little")
        else:
            self._raw = bytes(reversed(bytes.fromhex(value.replace("-", ""))))

    def __iter__(self):
        return iter(self._raw)

    def __len__(self):
        return len(self._raw)


class BLE:
    """The radio; `world` is set before it is switched on, `centrals` are who is near."""

    _one = None

    def __new__(cls):
        if BLE._one is None:
            BLE._one = super().__new__(cls)
            BLE._one.reset(None, 0)
        return BLE._one

    def reset(self, world, seed):
        """Another run."""
        self.world = world
        self.draw = random
        random.seed(seed)
        self.centrals = []
        self.links = {}
        self.most_links = 0
        self.values = {}
        self.advertises = 0
        self.adverts = set()
        self._event = None
        self._handle = 0
        self._active = False
        if world is None:
            self._irq = None

    # what aioble and the driver ask

    def irq(self, handler):
        self._irq = handler

    def active(self, on=None):
        if on is not None:
            self._active = on
            if not on:
                self.gap_advertise(None)
                for handle in list(self.links):
                    self._ended(handle)
        return self._active

    def config(self, *names, **values):
        return None

    def gatts_register_services(self, services):
        handles, n = [], 16
        for _, characteristics in services:
            numbers = []
            for _ in characteristics:
                n += 3
                numbers.append(n)
            handles.append(tuple(numbers))
        return tuple(handles)

    def gatts_set_buffer(self, handle, length, append):
        pass

    def gatts_write(self, handle, data, send_update=False):
        self.values[handle] = bytes(data)

    def gatts_read(self, handle):
        return self.values.get(handle, b"")

    def gatts_notify(self, handle, value_handle, data):
        if handle not in self.links:
            raise OSError(107)
        central = self.links[handle]
        if central.waiting >= NOTIFY_MAX:
            raise OSError(12)
        central.waiting += 1
        self.world.after_ms(INTERVAL_MS, self._notified, handle, central, bytes(data))

    def gap_disconnect(self, handle):
        if handle not in self.links:
            raise OSError(107)
        self.world.after_ms(_GOODBYE_MS, self._ended, handle)
        return True

    def gap_advertise(self, interval_us, adv_data=None, resp_data=None, connectable=True):
        if self._event is not None:
            self.world.cancel(self._event)
            self._event = None
        if interval_us is None:
            return
        if len(self.links) >= LINKS_MAX:
            raise OSError(12)
        self.adverts.add((bytes(adv_data or b""), bytes(resp_data or b"")))
        self._interval_ms = interval_us // 1000
        self._event = self.world.after_ms(1, self._advertise)

    # what the air does

    def _advertise(self):
        self.advertises += 1
        self._event = self.world.after_ms(self._interval_ms + self._below(JITTER_MS), self._advertise)
        wait = [one for one in self.centrals if one.handle is None and one.wants(self.world.now_ms)]
        wait = [one for one in wait if random.random() >= MISSED]
        if not wait or len(self.links) >= LINKS_MAX:
            return
        self.world.cancel(self._event)
        self._event = None
        central = wait[self._below(len(wait))]
        self._handle += 1
        self.links[self._handle] = central
        self.most_links = max(self.most_links, len(self.links))
        central.waiting = 0
        self._irq(1, (self._handle, 1, central.address))
        central.connected(self, self._handle)

    def _below(self, n):
        return int(random.random() * n)

    def _notified(self, handle, central, data):
        if self.links.get(handle) is central:
            central.waiting -= 1
            central.notified(data)

    def _ended(self, handle):
        central = self.links.pop(handle, None)
        if central is not None:
            if self._irq:
                self._irq(2, (handle, 1, central.address))
            central.gone()

    # what centrals do

    def exchange_mtu(self, handle, mtu):
        if handle in self.links:
            self._irq(21, (handle, mtu))

    def write(self, handle, value_handle, data):
        """False when the link has gone."""
        if handle not in self.links:
            return False
        self.values[value_handle] = bytes(data)
        self._irq(3, (handle, value_handle))
        return True

    def leave(self, handle):
        self._ended(handle)


def install(boards_sim):
    """Once, before anything that imports `bluetooth` or `aioble`; the path of boards/sim."""
    sys.modules["bluetooth"] = sys.modules[__name__]
    sys.path.append(boards_sim + "/radio")
