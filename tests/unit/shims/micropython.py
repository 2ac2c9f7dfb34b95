"""The device's `micropython` module for CPython: decorators that change nothing, pointers that check borders.

Pointers behave as the device's machine code does where that is defined: loads zero-extend, stores keep the
low bits, the byte order is little-endian. An index outside the buffer, undefined there, is an error here.
"""

import builtins


def const(value):
    return value


def native(function):
    return function


def viper(function):
    return function


def mem_info(*_):
    return None


def kbd_intr(_character):
    return None


def opt_level(level=0):
    return level


class _Pointer:
    width = 1

    def __init__(self, buffer):
        self._bytes = memoryview(buffer).cast("B")

    def __getitem__(self, index):
        return int.from_bytes(self._at(index), "little")

    def __setitem__(self, index, value):
        bits = 8 * self.width
        self._at(index)[:] = (value & (1 << bits) - 1).to_bytes(self.width, "little")

    def _at(self, index):
        start = index * self.width
        if start < 0 or start + self.width > len(self._bytes):
            raise IndexError(f"pointer index {index} is outside of {len(self._bytes)} bytes")
        return self._bytes[start : start + self.width]


class ptr8(_Pointer):
    width = 1


class ptr16(_Pointer):
    width = 2


class ptr32(_Pointer):
    width = 4


# In viper code these are names of the language; here only builtins can stand for that.
for _name, _value in (("ptr8", ptr8), ("ptr16", ptr16), ("ptr32", ptr32), ("uint", int)):
    if not hasattr(builtins, _name):
        setattr(builtins, _name, _value)
