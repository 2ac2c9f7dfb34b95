"""One LED of one colour with its resistor, on a PWM channel or a plain output pin."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import PWM, Pin


class PlainLed:
    """`output`: machine.PWM (duty_u16) dims, machine.Pin (value) is on or off.

    `active_low`: the LED lies between the supply and the pin. An S3's pin gives 40 mA at most; 330 ohms at 3.3 V
    make 4 mA.
    """

    def __init__(self, output: "PWM | Pin", active_low: bool = False) -> None:
        self._output = output
        self._active_low = active_low

    def show(self, r: int, g: int, b: int) -> None:
        """A colour, 0 to 255 each, as bright as its strongest part: by luminance blue would hardly be seen."""
        level = max(r, g, b)
        output = self._output
        if hasattr(output, "duty_u16"):
            # Squared: brightness as the eye takes it.
            duty = level * level * 65535 // 65025
            output.duty_u16(65535 - duty if self._active_low else duty)
        else:
            output.value(bool(level) != self._active_low)

    def close(self) -> None:
        """Dark."""
        self.show(0, 0, 0)
