"""Stand-in for aioble's peripheral half: its names and its measured behaviour, written anew over `bluetooth`.

The real library works in its place. What a driver has to live with is kept: a cancelled `advertise` returns
None, `mtu` is None until it was exchanged, `notify` after a disconnect raises TypeError, a captured write
shares one queue of ten with all others and is dropped in silence when that is full.
"""

from aioble import core
from aioble.core import GattError, config, log_error, log_info, log_warn, register_irq_handler, stop
from aioble.device import Device, DeviceConnection, DeviceDisconnectedError
from aioble.peripheral import advertise
from aioble.server import BufferedCharacteristic, Characteristic, Descriptor, Service, register_services

ADDR_PUBLIC = 0
ADDR_RANDOM = 1
