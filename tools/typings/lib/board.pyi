# Every board's module has this one function; which board it is, only the file system knows.
from collections.abc import Callable
from typing import Any

def build(trace: Callable[..., None]) -> Any: ...
