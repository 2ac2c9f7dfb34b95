# Every board's module has this one function; which board it is, only the file system knows.
from collections.abc import Callable
from typing import Any

PINS: dict[str, int]

def build(trace: Callable[..., None]) -> Any: ...
