# What Lapel uses of aioble (micropython-lib): the peripheral's half.
from typing import Any

from bluetooth import UUID

from aioble import core as core
from aioble.device import Device as Device, DeviceConnection as DeviceConnection

class Service:
    uuid: UUID
    characteristics: list[Characteristic]
    def __init__(self, uuid: UUID) -> None: ...

class Characteristic:
    # None until register_services().
    _value_handle: int
    def __init__(
        self,
        service: Service,
        uuid: UUID,
        *,
        read: bool = False,
        write: bool = False,
        write_no_response: bool = False,
        notify: bool = False,
        indicate: bool = False,
        initial: bytes | None = None,
        capture: bool = False,
    ) -> None: ...
    def read(self) -> bytes: ...
    def write(self, data: bytes | bytearray | memoryview, send_update: bool = False) -> None: ...
    def notify(self, connection: DeviceConnection, data: bytes | bytearray | memoryview | None = None) -> None: ...
    async def written(self, timeout_ms: int | None = None) -> Any: ...

class BufferedCharacteristic(Characteristic):
    def __init__(
        self, service: Service, uuid: UUID, *, max_len: int = 20, append: bool = False,
        read: bool = False, write: bool = False, write_no_response: bool = False,
    ) -> None: ...

def register_services(*services: Service) -> None: ...
# None when it was cancelled: CancelledError does not come out of it.
async def advertise(
    interval_us: int,
    adv_data: bytes | None = None,
    resp_data: bytes | None = None,
    connectable: bool = True,
    limited_disc: bool = False,
    br_edr: bool = False,
    name: str | None = None,
    services: list[UUID] | None = None,
    appearance: int = 0,
    manufacturer: tuple[int, bytes] | None = None,
    timeout_ms: int | None = None,
) -> DeviceConnection | None: ...
def config(*parameters: str, **values: Any) -> Any: ...
def stop() -> None: ...
