"""Clip ids that are never given twice: a random epoch and a counter reserved on flash ahead of use."""

import binascii
import struct

from lapel.core import records
from lapel.services import store_files

BATCH = 32
# With fewer left, the next batch is reserved when the pin is idle, and not at a press.
LOW = 8
EPOCH_BYTES = 8
DEVICE_BYTES = 4


class ClipIds:
    """`random(n) -> bytes` must be the hardware's. Files in `folder`: `device`, and `counter` (epoch, u32 first
    number that is not reserved, and the device once more: no clip begins before its whole id is durable)."""

    def __init__(self, folder: str, random, quarantine, trace) -> None:
        self._folder = folder
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
        """Loads what is there. A lost counter means a new epoch, and goes on after the waiting clips."""
        counter = self._load("counter", records.COUNTER, EPOCH_BYTES + 4) or b""
        device = self._load("device", records.DEVICE, DEVICE_BYTES)
        if device is None:
            device = counter[EPOCH_BYTES + 4 :] or self._random(DEVICE_BYTES)
            self._try(self._save, "device", records.DEVICE, device)
        self.device = _hex(device)
        if not counter:
            self._start_over(highest_waiting + 1)
            return
        self.epoch = _hex(counter[:EPOCH_BYTES])
        # What was reserved before may have been given: it is never given again.
        self._next = self._reserved = struct.unpack_from("<I", counter, EPOCH_BYTES)[0]
        if self._next <= highest_waiting:
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
        epoch = self._random(EPOCH_BYTES)
        self._write(epoch, self._next + BATCH)
        self.epoch = _hex(epoch)
        self._trace("epoch", epoch=self.epoch)
        return self.epoch

    def _start_over(self, number: int) -> None:
        self._next = self._reserved = number
        self.epoch = _hex(self._random(EPOCH_BYTES))
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
        device = binascii.unhexlify(self.device)
        self._save("counter", records.COUNTER, epoch + struct.pack("<I", reserved) + device)
        self._reserved = reserved

    def _save(self, name: str, kind: int, body: bytes) -> None:
        store_files.save(self._folder + "/" + name, kind, body)

    def _load(self, name: str, kind: int, length: int):
        body = self._quarantine.load(self._folder + "/" + name, kind)
        return None if body is None or len(body) < length else body


def _hex(data: bytes) -> str:
    return binascii.hexlify(data).decode()
