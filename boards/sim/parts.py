"""Puts the models of chips on the pins of a world, from a list of parts.

A part is {"chip": name, "pins": {"SDA": 5, ...}}: the chip's pins, and the GPIO that each is wired to. POWER is the
GPIO that switches the part's supply, where one does; "solder", where it is given, has arguments for its model. What is
not in the list is not there.
"""

# The classic simulated board: its haptic and LED speak to the simulator themselves.
CLASSIC = (
    {"chip": "button", "pins": {"A": 1}},
    {"chip": "i2s_mic", "pins": {"SCK": 2, "WS": 3, "SD": 4}},
)


def wire(world, parts):
    """Raises ValueError for a part that there is no model of, or whose pin is missing."""
    # no microphone is heard that is not in the list
    world.mic_pins = ()
    for part in parts:
        chip = part["chip"]
        if chip not in _MODELS:
            raise ValueError("no model of %r; there are %s" % (chip, ", ".join(sorted(_MODELS))))
        try:
            _MODELS[chip](world, part["pins"], **part.get("solder", {}))
        except KeyError as error:
            raise ValueError("%s: pin %s is not wired; wired are %s" % (chip, error.args[0], sorted(part["pins"])))


def _button(world, pins):
    world.buttons.append(pins["A"])


def _microphone(world, pins):
    world.mic_pins = (pins["SCK"], pins["WS"], pins["SD"])


def _drv2605l(world, pins, **motor):
    from chips.drv2605l import Drv2605l

    chip = Drv2605l(lambda strength: world.tell("haptic", strength), world.now_ms, **motor)
    if "EN" in pins:
        world.gpio(pins["EN"]).followers.append(lambda u16: chip.enable(u16 > 0))
    world.ticking.append(chip)
    _on_i2c(world, pins, chip)


def _max17048(world, pins):
    from chips.max17048 import Max17048

    chip = Max17048(None, world.now_ms)
    world.gauges.append(chip)
    _on_i2c(world, pins, chip)


def _on_i2c(world, pins, chip):
    supply = world.gpio(pins["POWER"]) if "POWER" in pins else None
    world.on_i2c.append((pins["SDA"], pins["SCL"], chip, supply))


def _ws2812(world, pins):
    from chips.ws2812 import Ws2812

    pixel = Ws2812(lambda r, g, b: world.tell("led", (r, g, b)), world.now_us)
    world.gpio(pins["DIN"]).bits = pixel.bits
    if "POWER" in pins:
        pixel.power(0)
        world.gpio(pins["POWER"]).followers.append(pixel.power)


def _led(world, pins):
    from chips.led import Led

    led = Led(lambda level: world.tell("led", (level, level, level)))
    world.gpio(pins["A"]).followers.append(led.duty)


def _motor(world, pins):
    from chips.motor import Motor

    motor = Motor(lambda strength: world.tell("haptic", strength))
    world.gpio(pins["IN"]).followers.append(motor.duty)


def _divider(world, pins):
    from chips.divider import Divider

    world.gpio(pins["MID"]).uv = Divider(lambda: world.battery_mv).uv


_MODELS = {
    "button": _button,
    "i2s_mic": _microphone,
    "drv2605l": _drv2605l,
    "max17048": _max17048,
    "ws2812": _ws2812,
    "led": _led,
    "motor": _motor,
    "divider": _divider,
}
