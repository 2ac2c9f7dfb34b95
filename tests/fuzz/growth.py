"""What is left of inputs that were done with: objects that hold others, and what they hold, counted.

Blocks of memory would be more, but the interpreter keeps thousands of them for itself, and takes long about it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable

_HOLDERS = (list, dict, set)


def grown(run: Callable[[bytes], object], inputs: Iterable[bytes]) -> int:
    """How many more there are after these inputs. One that is not taken counts as well."""
    before = _held()
    for data in inputs:
        try:
            run(data)
        except Exception:
            continue
    return _held() - before


def _held() -> int:
    gc.collect()
    objects = gc.get_objects()
    return len(objects) + sum(len(one) for one in objects if type(one) in _HOLDERS)
