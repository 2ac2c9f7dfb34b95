from chip_bus import Clock, Pin

from chips import Misuse
from chips.ws2812 import Ws2812
from drivers.pixel import Pixel


class Desk:
    def __init__(self, power=False, kind="ws2812"):
        self.clock = Clock()
        self.seen = []
        self.model = Ws2812(lambda r, g, b: self.seen.append((r, g, b)), lambda: self.clock.now * 1000, kind)
        self.power = Pin(self.model.power) if power else None
        self.seen.clear()
        self.frames = 0
        self.pixel = Pixel(self.bitstream, "pin", self.power, lambda: self.clock.sleep_ms(1))

    def bitstream(self, pin, encoding, timing, buffer):
        assert pin == "pin" and encoding == 0
        self.frames += 1
        self.model.bits(timing, buffer)


def refused(call, *arguments):
    try:
        call(*arguments)
    except Misuse as e:
        return str(e)
    raise AssertionError("not refused")


def test_colours_in_their_order():
    for kind in ("ws2812", "sk6812"):
        desk = Desk(kind=kind)
        desk.pixel.show(255, 110, 3)
        desk.pixel.show(1, 2, 4)
        assert desk.seen == [(255, 110, 3), (1, 2, 4)]
        desk.pixel.close()
        assert desk.seen[-1] == (0, 0, 0)


def test_dark_is_said_once_to_a_pixel_that_may_show_anything():
    desk = Desk()
    desk.pixel.show(0, 0, 0)
    desk.pixel.show(0, 0, 0)
    assert desk.seen == [(0, 0, 0)] and desk.frames == 1
    desk.pixel.show(1, 1, 1)
    desk.pixel.show(1, 1, 1)
    assert desk.frames == 2


def test_one_colour_right_after_the_other_is_seen():
    desk = Desk()
    desk.pixel.show(9, 0, 0)
    desk.pixel.show(0, 9, 0)
    assert desk.seen == [(9, 0, 0), (0, 9, 0)]


def test_its_power_is_off_while_it_is_dark():
    desk = Desk(power=True)
    desk.pixel.show(0, 0, 0)
    assert desk.power.level == 0
    desk.pixel.show(5, 6, 7)
    assert desk.power.level == 1 and desk.seen[-1] == (5, 6, 7)
    desk.pixel.show(0, 0, 0)
    assert desk.power.level == 0 and desk.seen[-1] == (0, 0, 0)


def test_model_refuses():
    now = [0]
    seen = []
    model = Ws2812(lambda *rgb: seen.append(rgb), lambda: now[0])
    good = (320, 850, 700, 600)
    # Each of the four out of its limits, both ways.
    for i in range(4):
        for wrong in (100, 1500):
            timing = list(good)
            timing[i] = wrong
            assert "data transfer time" in refused(model.bits, timing, b"\x01\x02\x03")
    for data in (b"", b"\x01", b"\x01\x02", b"\x01\x02\x03\x04"):
        assert "24 bit" in refused(model.bits, good, data)
    model.bits(good, b"\x01\x02\x03")
    # 30 us the frame, then 280 us of rest.
    now[0] = 309
    assert "280" in refused(model.bits, good, b"\x04\x05\x06")
    now[0] = 310
    model.bits(good, b"\x04\x05\x06")
    assert seen == [(2, 1, 3), (5, 4, 6)]


def test_model_without_power_shows_nothing():
    desk = Desk(power=True)
    desk.model.bits((320, 850, 700, 600), b"\x01\x02\x03")
    assert desk.seen == []


def test_without_the_rest_between_frames_the_model_complains():
    desk = Desk()
    driver = Pixel(desk.bitstream, "pin", None, lambda: None)
    driver.show(9, 0, 0)
    assert "last frame" in refused(driver.show, 0, 9, 0)
