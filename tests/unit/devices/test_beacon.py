import lone_radio
from instead import load

from lapel_wire import gatt

_CONNECT = 1
_DISCONNECT = 2
_WRITE = 3

Beacon = load("drivers.beacon", bluetooth=lone_radio).Beacon


def started(info=b"\x01\x80why"):
    ble = lone_radio.fresh()
    beacon = Beacon(gatt.NAME, gatt.SERVICE_UUID, gatt.INFO_UUID, info)
    assert ble.asked == []
    beacon.start()
    return ble, beacon


def test_it_takes_the_radio_over_and_advertises_under_a_random_address():
    ble, _ = started()
    assert ble.asked[:2] == ["off", "on"]
    assert ble.asked[2][1]["addr_mode"] == 1
    assert ble.asked[3:] == ["services", "advertise"]


def test_one_service_with_info_to_read_and_nothing_else():
    ble, _ = started(b"\x01\x80" + b"x" * 60)
    ((service, characteristics),) = ble.services
    assert service.text == gatt.SERVICE_UUID
    ((uuid, flags),) = characteristics
    assert uuid.text == gatt.INFO_UUID and flags == 2
    assert ble.values == {21: b"\x01\x80" + b"x" * 60}


def test_the_advertisement_holds_name_and_service():
    ble, _ = started()
    fields = {}
    at = 0
    while at < len(ble.payload):
        length = ble.payload[at]
        fields[ble.payload[at + 1]] = ble.payload[at + 2 : at + 1 + length]
        at += 1 + length
    assert len(ble.payload) <= 31
    assert fields[1] == b"\x06"
    assert fields[9] == b"Lapel"
    # The last byte first: 6c617065-6c00-4000-8000-000000000001
    assert fields[7] == b"\x01\0\0\0\0\0\0\x80\0\x40\0\x6cepal"


def test_a_name_that_does_not_fit_is_refused():
    try:
        Beacon("too long a name", gatt.SERVICE_UUID, gatt.INFO_UUID, b"")
        raise AssertionError("taken")
    except ValueError as error:
        assert "too long a name" in str(error)


def test_it_goes_on_advertising_while_one_is_there_and_after_it_left():
    ble, _ = started()
    del ble.asked[:]
    ble.handler(_CONNECT, (1, 0, b""))
    assert ble.asked == ["advertise"]
    ble.handler(_WRITE, (1, 21))
    assert ble.asked == ["advertise"]
    ble.handler(_DISCONNECT, (1, 0, b""))
    assert ble.asked == ["advertise", "advertise"]


def test_a_radio_with_no_room_for_more_links_is_asked_again_when_one_left():
    ble, beacon = started()
    ble.refuse = 1
    ble.handler(_CONNECT, (4, 0, b""))
    assert beacon.refused == 1
    del ble.asked[:]
    ble.handler(_DISCONNECT, (4, 0, b""))
    assert ble.asked == ["advertise"]


def test_stop():
    ble, beacon = started()
    beacon.stop()
    assert ble.handler is None and not ble.is_active
