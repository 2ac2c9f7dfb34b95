"""Values as short texts that are the same on both Pythons."""

import binascii


def crc(data):
    """Stands for bytes."""
    return "%08x" % (binascii.crc32(data) & 0xFFFFFFFF)


def shown(value):
    """Lists of numbers and texts; repr() would show some characters in two ways."""
    if type(value) is list or type(value) is tuple:
        return "[" + " ".join([shown(item) for item in value]) + "]"
    return str(value)
