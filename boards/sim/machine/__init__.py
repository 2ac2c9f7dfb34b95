"""`machine` as far as drivers and boards use it, with the names, the arguments and the manners of the ESP32 port on
an ESP32-S3. What hangs on its pins is in the attached world."""

from machine.analog import ADC, PWM
from machine.i2c import I2C, SoftI2C
from machine.i2s import I2S, reserve_dma
from machine.pins import Pin, Signal, bitstream
from machine.system import (
    DEEPSLEEP,
    DEEPSLEEP_RESET,
    EXT0_WAKE,
    EXT1_WAKE,
    HARD_RESET,
    PIN_WAKE,
    PWRON_RESET,
    RTC,
    SLEEP,
    SOFT_RESET,
    TIMER_WAKE,
    WDT,
    WDT_RESET,
    deepsleep,
    disable_irq,
    enable_irq,
    freq,
    idle,
    lightsleep,
    reset,
    reset_cause,
    soft_reset,
    unique_id,
    wake_reason,
)
from machine.timer import Timer
