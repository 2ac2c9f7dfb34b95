"""The I2C controller (MicroPython's ESP32 port: machine_i2c.c). Nobody at an address is OSError(ENODEV)."""

import world

import chips
from machine.pins import number

_CONTROLLERS = 2
_MAX_HZ = 1_000_000
# What the chips here take: fast mode.
_CHIP_HZ = 400_000
_FIRST = 0x08
_LAST = 0x77


class I2C:
    """`scl` and `sda` as Pins. Whoever is wired to other pins is not on this bus."""

    def __init__(self, id=-1, *, scl=None, sda=None, freq=400_000, timeout=50_000):
        self._check(id)
        if scl is None or sda is None:
            raise ValueError("the simulated I2C has no default pins: give scl and sda")
        self._world = world.attached()
        self._scl = number(scl)
        self._sda = number(sda)
        self.init(freq=freq)

    def _check(self, id):
        if not 0 <= id < _CONTROLLERS:
            raise ValueError("I2C({}) doesn't exist".format(id))

    def init(self, *, freq=400_000, timeout=50_000):
        if not 0 < freq <= _MAX_HZ:
            raise ValueError("invalid freq")
        self._freq_hz = freq

    def deinit(self):
        pass

    def scan(self):
        """Addresses that answer, from 0x08 to 0x77."""
        return sorted(chip.address for chip in self._chips() if _FIRST <= chip.address <= _LAST)

    def writeto(self, addr, buf, stop=True):
        """How many bytes were acknowledged."""
        self._world.touch(self._chip(addr).write, bytes(buf))
        return len(buf)

    def writevto(self, addr, vector, stop=True):
        """As writeto, of several buffers."""
        return self.writeto(addr, b"".join([bytes(part) for part in vector]), stop)

    def readfrom(self, addr, nbytes, stop=True):
        return bytes(self._world.touch(self._chip(addr).read, nbytes))

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = self.readfrom(addr, len(buf), stop)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.writeto(addr, _register(memaddr, addrsize) + bytes(buf))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        """A write of the register's address, a repeated start, a read."""
        self.writeto(addr, _register(memaddr, addrsize), False)
        return self.readfrom(addr, nbytes)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf), addrsize=addrsize)

    def _chips(self):
        for sda, scl, chip, supply in self._world.on_i2c:
            if (sda, scl) == (self._sda, self._scl) and (supply is None or supply.driven_u16()):
                yield chip

    def _chip(self, addr):
        for chip in self._chips():
            if chip.address == addr:
                if self._freq_hz > _CHIP_HZ:
                    self._world.touch(_too_fast, addr, self._freq_hz)
                return chip
        raise OSError(chips.ENODEV)


class SoftI2C(I2C):
    """The same by software: it has no number."""

    def __init__(self, scl, sda, *, freq=400_000, timeout=50_000):
        super().__init__(scl=scl, sda=sda, freq=freq)

    def _check(self, id):
        pass


def _too_fast(addr, freq_hz):
    raise chips.Misuse("SCL at %d Hz for the chip at 0x%02X: 400 kHz at most (its timing table)" % (freq_hz, addr))


def _register(memaddr, addrsize):
    return memaddr.to_bytes(addrsize // 8, "big")
