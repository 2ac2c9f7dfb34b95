"""A `bluetooth` with one radio, for what uses it without aioble: a stand-in for the device's module."""


class UUID:
    def __init__(self, text):
        self.text = text


class BLE:
    """What was asked of it, in order, in BLE.asked; `refuse` makes advertising fail so many times."""

    asked = []
    values = {}
    handler = None
    refuse = 0
    is_active = False

    def active(self, on=None):
        if on is not None:
            BLE.is_active = on
            BLE.asked.append("on" if on else "off")
        return BLE.is_active

    def config(self, **values):
        assert BLE.is_active
        BLE.asked.append(("config", values))

    def irq(self, handler):
        BLE.handler = handler

    def gatts_register_services(self, services):
        assert BLE.is_active
        BLE.asked.append("services")
        BLE.services = services
        return ((21,),)

    def gatts_write(self, handle, data):
        BLE.values[handle] = bytes(data)

    def gap_advertise(self, interval_us, adv_data=None):
        if BLE.refuse:
            BLE.refuse -= 1
            raise OSError(12)
        assert BLE.is_active
        BLE.asked.append("advertise")
        BLE.payload = bytes(adv_data)


def fresh():
    """The class BLE, with nothing asked of it yet."""
    BLE.asked, BLE.values, BLE.handler, BLE.refuse, BLE.is_active = [], {}, None, 0, False
    return BLE
