"""An I2S microphone of the ICS-43434 and INMP441 class: off unless it is open.

`machine.I2S` has no start or stop: making it allocates its DMA memory and starts the clock, deinit() ends
both. It reads 256 frames a DMA block, returns short, and loses the oldest without a word (ESP32 port, 1.25).

Wiring: L/R to ground, for the left slot is the one that mono reads. SCK is 64 times the rate, 1.024 MHz at 16 kHz:
within INMP441's 0.5 to 3.2 MHz (DS-INMP441-00, table 3) and in ICS-43434's low-power mode (6.25 to 18.75 kHz:
64 dBA, 230 uA; DS-000069, table 3). 19 to 22 kHz are in none of its modes. Both give 24 bits, the highest first, in
32: -26 dBFS at 94 dB SPL. PDM microphones, as on the XIAO "Sense", cannot be used: machine.I2S has no PDM.
"""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from machine import I2S

_DMA_BLOCK_BYTES = 2048
_DMA_BLOCK_SAMPLES = 256


class MicI2S:
    """`make_i2s()` gives a receiving I2S of 32-bit mono at `rate_hz` with `ibuf_bytes` of DMA memory.

    The first `startup_ms` after open() are not good: these microphones need 2 ** 18 cycles of the bit clock,
    256 ms at 16 kHz, from power-up (data sheets).
    """

    def __init__(
        self, make_i2s: "Callable[[], I2S]", rate_hz: int = 16000, startup_ms: int = 256, ibuf_bytes: int = 40000
    ) -> None:
        self._make_i2s = make_i2s
        self._i2s: I2S = None
        self.rate_hz = rate_hz
        self.startup_ms = startup_ms
        self.ibuf_bytes = ibuf_bytes
        # asyncio.StreamReader while open: readinto() takes a multiple of 4 bytes and may return short.
        self.reader: asyncio.StreamReader = None

    @property
    def is_open(self) -> bool:
        """Whether the microphone is running."""
        return self._i2s is not None

    @property
    def ring_samples(self) -> int:
        """How many samples wait at most; more are lost, the oldest first."""
        return self.ibuf_bytes // _DMA_BLOCK_BYTES * _DMA_BLOCK_SAMPLES

    def open(self) -> None:
        """Starts the microphone; open already, nothing changes. Raises OSError."""
        if self._i2s is None:
            self._i2s = self._make_i2s()
            self.reader = asyncio.StreamReader(self._i2s)

    def close(self) -> None:
        """Stops it. No task may be reading."""
        if self._i2s is not None:
            i2s, self._i2s, self.reader = self._i2s, None, None
            i2s.deinit()
