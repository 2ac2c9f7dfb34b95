"""The device's `micropython` module for CPython: decorators that change nothing, pointers that check borders.

The pointers are those of tools/device_code/meaning.py: the device's, where its machine code is defined.
"""

import builtins

from device_code import meaning


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


# In viper code these are names of the language; here only builtins can stand for that.
for _name in ("ptr8", "ptr16", "ptr32"):
    setattr(builtins, _name, getattr(meaning, _name))
builtins.uint = meaning.unsigned
