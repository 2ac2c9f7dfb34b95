# Every board's module has these two functions; which board it is, only the file system knows.
from collections.abc import Callable
from typing import Any

def essentials() -> Any: ...
PINS: dict[str, int]

def build(trace: Callable[..., None] | None = None) -> Any: ...
