"""Clip ids that are never given twice: a random epoch and a counter reserved on flash ahead of use."""

import binascii
import struct

from lapel.compat import const
from lapel.core import records
from lapel.services import store_files

BATCH = 32
# With fewer left, the next batch is reserved when the pin is idle, and not at a press.
LOW = 8
_EPOCH_BYTES = const(8)
_DEVICE_BYTES = const(4)
# Nobody says so much in a lifetime.
_HIGHEST = const(0x7FFFFFFF)


class ClipIds:
    """`random(n) -> bytes` must be the hardware's. `device` is a file, `counters` are two in different folders (epoch,
    u32 first number that is not reserved, and the device once more: no clip begins before its whole id is durable).

    Where bits of a folder rot, LittleFS goes back to what it was before: one counter may be old, or not there.
    """

    def __init__(self, device: str, counters, random, quarantine, trace) -> None:
        self._device = device
        self._counters = counters
        self._random = random
        self._quarantine = quarantine
        self._trace = trace
        self.device = ""
        self.epoch = ""
        self._next = 1
        self._reserved = 1

    @property
    def highest(self) -> int:
        """No clip of this epoch has a greater number."""
        return self._next - 1

    def mount(self, highest_waiting: int) -> None:
        """Loads what is there. Lost counters mean a new epoch, and it goes on after the waiting clips."""
        epoch, device, agree = b"", b"", True
        for path in self._counters:
            counter = self._quarantine.load(path, records.COUNTER, _counter)
            if counter is None:
                continue
            agree = agree and epoch in (b"", counter[:_EPOCH_BYTES])
            epoch = counter[:_EPOCH_BYTES]
            device = counter[_EPOCH_BYTES + 4 :]
            # What was reserved before may have been given: it is never given again.
            self._next = max(self._next, struct.unpack_from("<I", counter, _EPOCH_BYTES)[0])
        found = self._quarantine.load(self._device, records.DEVICE) or b""
        if len(found) != _DEVICE_BYTES:
            found = device or self._random(_DEVICE_BYTES)
            self._try(store_files.save, self._device, records.DEVICE, found)
        self.device = _hex(found)
        self.epoch = _hex(epoch)
        self._reserved = self._next
        if not epoch or not agree:
            self._start_over(highest_waiting + 1)
        elif self._next <= highest_waiting:
            self._trace("counter_behind", counter=self._next, waiting=highest_waiting)
            self._start_over(highest_waiting + 1)

    def take(self) -> int:
        """The next clip number of this epoch. It is durable that it will not come again."""
        if self._next >= self._reserved:
            self._reserve()
        number = self._next
        self._next = number + 1
        return number

    def reserve_ahead(self) -> None:
        """When few are left, reserves more now: no press has to wait for it."""
        if self._reserved - self._next < LOW:
            self._reserve()

    def new_epoch(self) -> str:
        """Begins an epoch, durably. Numbers go on, so that no two waiting clips share one."""
        epoch = self._random(_EPOCH_BYTES)
        self._write(epoch, self._next + BATCH)
        self.epoch = _hex(epoch)
        self._trace("epoch", epoch=self.epoch)
        return self.epoch

    def _start_over(self, number: int) -> None:
        self._next = self._reserved = number
        self.epoch = _hex(self._random(_EPOCH_BYTES))
        self._trace("epoch", epoch=self.epoch)
        # A flash that is full or failing must not keep waiting clips from being sent. The epoch
        # is durable at the latest when it is first used.
        self._try(self._reserve)

    def _try(self, write, *arguments) -> None:
        try:
            write(*arguments)
        except store_files.StoreError as error:
            self._trace("store_error", error=str(error))

    def _reserve(self) -> None:
        self._write(binascii.unhexlify(self.epoch), self._next + BATCH)

    def _write(self, epoch: bytes, reserved: int) -> None:
        body = epoch + struct.pack("<I", reserved) + binascii.unhexlify(self.device)
        for path in self._counters:
            store_files.save(path, records.COUNTER, body)
        self._reserved = reserved


def _counter(body):
    if len(body) != _EPOCH_BYTES + 4 + _DEVICE_BYTES:
        raise records.BadRecord("a counter of %d bytes" % len(body))
    if struct.unpack_from("<I", body, _EPOCH_BYTES)[0] > _HIGHEST:
        raise records.BadRecord("a counter that is too high")
    return body


def _hex(data: bytes) -> str:
    return binascii.hexlify(data).decode()
