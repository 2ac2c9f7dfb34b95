"""A driver loaded with stand-ins for the device's modules, leaving nothing behind for other tests."""

import sys


def load(name, **stand_ins):
    """The module `name` (dotted), made anew, for which `import X` gives stand_ins["X"]."""
    before = {}
    for one in [name] + list(stand_ins):
        before[one] = sys.modules.pop(one, None)
    for one in stand_ins:
        sys.modules[one] = stand_ins[one]
    try:
        __import__(name)
        return sys.modules[name]
    finally:
        for one, module in before.items():
            sys.modules.pop(one, None)
            if module is not None:
                sys.modules[one] = module
        package, _, last = name.rpartition(".")
        if before[name] is None and hasattr(sys.modules.get(package), last):
            delattr(sys.modules[package], last)
