"""machine's pins in a world of wires: levels, interrupts, what is driven, what a pin is refused for."""

from machine import Pin, Signal, bitstream
from wires import Wires, refused

BUTTON = {"chip": "button", "pins": {"A": 2}}
LED = {"chip": "led", "pins": {"A": 4}}
PIXEL = {"chip": "ws2812", "pins": {"DIN": 5, "POWER": 6}}
TIMING = (300, 850, 800, 450)


def test_a_pull_up_holds_one_and_a_button_pulls_down():
    with Wires(BUTTON) as wires:
        pin = Pin(2, Pin.IN, Pin.PULL_UP)
        assert pin.value() == 1
        wires.world.press(0)
        assert pin() == 0
        wires.world.press(1)
        assert pin.value() == 1
        # nothing holds this one
        assert Pin(3, Pin.IN).value() == 0
        pin.init(pull=None)
        wires.world.drive(2, None)
        assert pin.value() == 0


def test_an_interrupt_comes_for_the_edges_that_were_asked_for():
    with Wires(BUTTON) as wires:
        pin = Pin(2, Pin.IN, Pin.PULL_UP)
        seen = []
        pin.irq(lambda p: seen.append((p is pin, p.value())), Pin.IRQ_FALLING)
        for level in (0, 0, 1, 0):
            wires.world.press(level)
        assert seen == [(True, 0), (True, 0)]
        pin.irq(lambda p: seen.append(p.value()))
        wires.world.press(1)
        assert seen[2:] == [1]
        pin.irq(None)
        wires.world.press(0)
        assert len(seen) == 3


def test_an_output_is_what_it_is_told_until_it_is_held():
    with Wires(LED) as wires:
        pin = Pin(4, Pin.OUT, value=1)
        assert wires.heard("led")[-1] == (255, 255, 255)
        pin.toggle()
        assert (pin.value(), wires.heard("led")[-1]) == (0, (0, 0, 0))
        pin.on()
        pin.init(hold=True)
        pin.off()
        assert pin.value() == 1
        pin.init(value=0, hold=False)
        assert pin.value() == 0
        pin.init(Pin.IN)
        pin.on()
        # an input drives nothing, but remembers what it would
        assert wires.heard("led")[-1] == (0, 0, 0)
        pin.init(Pin.OUT)
        assert wires.heard("led")[-1] == (255, 255, 255)


def test_open_drain_only_pulls_down():
    with Wires() as wires:
        pin = Pin(7, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
        assert pin.value() == 1
        wires.world.drive(7, 0)
        assert pin.value() == 0
        wires.world.drive(7, 1)
        pin.off()
        assert pin.value() == 0


def test_a_signal_may_count_the_other_way_round():
    with Wires(LED) as wires:
        light = Signal(Pin(4, Pin.OUT), invert=True)
        light.on()
        assert light.value() == 1
        assert wires.heard("led")[-1] == (0, 0, 0)
        light.off()
        assert wires.heard("led")[-1] == (255, 255, 255)


def test_pins_that_a_board_cannot_use():
    with Wires():
        for number in (-1, 22, 25, 27, 49):
            assert refused(ValueError, Pin, number) == "invalid pin"
        assert "USB" in refused(ValueError, Pin, 19)
        assert refused(TypeError, Pin, "4")
        assert "mode" in refused(ValueError, Pin, 4, 5)


def test_a_pixel_shows_what_the_bits_say_while_it_has_power():
    with Wires(PIXEL) as wires:
        data = Pin(5, Pin.OUT)
        bitstream(data, 0, TIMING, bytes((20, 10, 30)))
        assert (10, 20, 30) not in wires.heard("led")
        power = Pin(6, Pin.OUT, value=1)
        wires.pass_ms(1)
        bitstream(data, 0, TIMING, bytes((20, 10, 30)))
        assert wires.heard("led")[-1] == (10, 20, 30)
        power.off()
        assert wires.heard("led")[-1] == (0, 0, 0)
        # nobody hangs on this one
        bitstream(Pin(8, Pin.OUT), 0, TIMING, b"\0\0\0")


def test_bits_that_no_pixel_takes_are_told():
    with Wires(PIXEL) as wires:
        import chips

        assert "T0H" in refused(chips.Misuse, bitstream, Pin(5), 0, (900, 850, 800, 450), b"\0\0\0")
        assert len(wires.heard("misuse")) == 1
        assert refused(ValueError, bitstream, Pin(5), 1, TIMING, b"\0\0\0")
        assert refused(ValueError, bitstream, Pin(5), 0, (300, 850), b"\0\0\0")
