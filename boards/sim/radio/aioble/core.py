"""The one BLE object, and who hears its events."""

import bluetooth

log_level = 1


class GattError(Exception):
    """An ATT error; its number is in `_status`."""

    def __init__(self, status):
        super().__init__(status)
        self._status = status


def _log(level, letter, words):
    if log_level >= level:
        print("[aioble]", letter, *words)


def log_error(*words):
    _log(1, "E:", words)


def log_warn(*words):
    _log(2, "W:", words)


def log_info(*words):
    _log(3, "I:", words)


def ensure_active():
    if not ble.active():
        ble.active(True)


def config(*names, **values):
    ensure_active()
    return ble.config(*names, **values)


_handlers = []
_enders = []


def register_irq_handler(handler, shutdown):
    """`handler(event, data)` sees every event at interrupt time; one that answers not None ends the round."""
    if handler:
        _handlers.append(handler)
    if shutdown:
        _enders.append(shutdown)


def stop():
    """Radio off. Handlers stay registered."""
    ble.active(False)
    for ender in _enders:
        ender()


def ble_irq(event, data):
    for handler in _handlers:
        answer = handler(event, data)
        if answer is not None:
            return answer


def _make():
    radio = bluetooth.BLE()
    radio.irq(ble_irq)
    return radio


ble = _make()
