from collections.abc import Callable
from typing import Any

from bluetooth import BLE

log_level: int
ble: BLE

class GattError(Exception):
    def __init__(self, status: int) -> None: ...

def ensure_active() -> None: ...
def register_irq_handler(irq: Callable[[int, Any], Any], shutdown: Callable[[], None] | None) -> None: ...
def stop() -> None: ...
