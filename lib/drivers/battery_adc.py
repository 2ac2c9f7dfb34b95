"""A lithium cell behind a divider on an ADC pin: its voltage as if at rest.

On the ESP32-S3 take a pin of ADC1 (GPIO 1 to 10) with ATTN_11DB: read_uv() is calibrated by the chip's eFuses and
good up to 3.1 V (ESP32-S3 data sheet, ADC characteristics). A divider of 220 kOhm each draws 9 uA; it needs 100 nF
from the pin to ground, since the ADC samples faster than it could follow.
"""

import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from machine import ADC, Pin

# Less than this runs no pin: there is no cell, or nothing is wired.
_NO_CELL_MV = 2500


class BatteryAdc:
    """`adc` as machine.ADC (read_uv()); `ratio` is the cell's voltage over the pin's, 2 for equal resistors.

    A loaded cell shows less than it has, a charged one more, by `resistance_mohm` (cell, protection, wires; 100
    to 300 for small cells) times the current: `load_ma()` tells the current drawn now, None for not known;
    `charge_ma` is the charger's. `vbus` is the Pin that is high while USB power is there, or None.
    """

    def __init__(
        self, adc: "ADC", ratio: float = 2.0, resistance_mohm: int = 200, load_ma: "Callable | None" = None,
        vbus: "Pin" = None, charge_ma: int = 100, samples: int = 9,
    ) -> None:  # fmt: skip
        self._adc = adc
        self._ratio = ratio
        self._resistance_mohm = resistance_mohm
        self._load_ma = load_ma
        self._vbus = vbus
        self._charge_ma = charge_ma
        self._samples_uv = array.array("l", [0] * samples)

    @property
    def charging(self):
        """Whether USB power is there, None where no pin tells. A full cell on USB counts as charging."""
        return None if self._vbus is None else bool(self._vbus.value())

    def read_percent(self) -> None:
        """None: a voltage is all it measures."""

    def read_mv(self):
        """The cell's voltage in mV as if nothing were drawn from it or charged into it; None without a cell."""
        mv = self.terminal_mv()
        if mv is None:
            return None
        if self.charging:
            return mv - self._charge_ma * self._resistance_mohm // 1000
        if self._load_ma is not None:
            mv += self._load_ma() * self._resistance_mohm // 1000
        return mv

    def terminal_mv(self):
        """What stands at the cell's terminals in mV, with whatever is drawn; None without a cell."""
        mv = int(self._median_uv() * self._ratio) // 1000
        return mv if mv >= _NO_CELL_MV else None

    def _median_uv(self) -> int:
        """The middle of several readings: a pulse of the radio or motor falls into a few."""
        samples = self._samples_uv
        for i in range(len(samples)):
            uv = self._adc.read_uv()
            # Sorted as they come.
            at = i
            while at and samples[at - 1] > uv:
                samples[at] = samples[at - 1]
                at -= 1
            samples[at] = uv
        return samples[len(samples) // 2]
