"""machine.I2C over chip models, for tests of drivers without a machine module."""

ENODEV = 19


class Clock:
    """A clock moved by hand; `sleep_ms` moves it."""

    def __init__(self):
        self.now = 0

    def now_ms(self):
        return self.now

    def sleep_ms(self, ms):
        self.now += ms


class Bus:
    """The methods of machine.I2C as the ESP32 port has them; nobody at an address is ENODEV.

    `fail_next` makes so many transfers fail, `gone_after` all that come after so many; `sent` holds what was written.
    """

    def __init__(self, *chips):
        self._chips = {chip.address: chip for chip in chips}
        self.fail_next = 0
        self.gone_after = None
        self.transfers = 0
        self.sent = []

    def _at(self, address):
        self.transfers += 1
        if self.fail_next:
            self.fail_next -= 1
            raise OSError(5)
        if self.gone_after is not None:
            self.gone_after -= 1
            if self.gone_after < 0:
                raise OSError(ENODEV)
        if address not in self._chips:
            raise OSError(ENODEV)
        return self._chips[address]

    def scan(self):
        return sorted(self._chips)

    def writeto(self, address, data):
        chip = self._at(address)
        self.sent.append(bytes(data))
        chip.write(bytes(data))
        return len(data) + 1

    def readfrom_mem(self, address, register, n):
        chip = self._at(address)
        chip.write(bytes((register,)))
        return chip.read(n)

    def readfrom_mem_into(self, address, register, buffer):
        buffer[:] = self.readfrom_mem(address, register, len(buffer))


class Pin:
    """machine.Pin as an output that a chip listens to."""

    def __init__(self, told, level=0):
        self.level = level
        self._told = told
        told(level)

    def value(self, level=None):
        if level is not None:
            self.level = level
            self._told(level)
        return self.level
