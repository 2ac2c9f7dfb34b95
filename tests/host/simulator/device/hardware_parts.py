"""Runs on a real board's modules: says what its parts did. The host's half is test_boards.py."""

import os
import time

import machine

import board


def wait_for(ready):
    while not ready():
        time.sleep_ms(2)


def first_use(made):
    made.trace("root", names=sorted(os.listdir("/")), here=os.getcwd(), data=os.listdir(made.flash_dir))
    with open("/data/a.txt", "w") as file:
        file.write("kept")
    made.led.show(10, 20, 30)
    made.haptic.drive(200)
    time.sleep_ms(30)
    made.haptic.drive(0)
    made.led.show(0, 0, 0)
    made.trace("driven")


def press(made):
    times = []
    timer = machine.Timer(0)
    timer.init(period=5, callback=lambda t: times.append(1))
    # neither asyncio nor a poll: interrupts come while it sleeps
    wait_for(lambda: times)
    made.trace("ready")
    wait_for(lambda: made.button.poll())
    timer.deinit()
    made.trace("pressed", pressed=made.button.pressed)


def battery(made):
    before = made.battery.read_mv()
    made.trace("cell", mv=before, percent=made.battery.read_percent())
    wait_for(lambda: abs(made.battery.read_mv() - before) > 100)
    made.trace("cell", mv=made.battery.read_mv(), percent=made.battery.read_percent())


def misuse(made):
    machine.bitstream(machine.Pin(board.PINS["pixel"]), 0, (5000, 850, 800, 450), b"\0\0\0")


def ears(made, signals=("mic_sck", "mic_ws", "mic_sd")):
    sck, ws, sd = [machine.Pin(board.PINS[signal]) for signal in signals]
    i2s = machine.I2S(
        0, sck=sck, ws=ws, sd=sd, mode=machine.I2S.RX, bits=32, format=machine.I2S.MONO, rate=16000, ibuf=8192
    )
    block = bytearray(1024)
    loud = 0
    for _ in range(20):
        wait_for(lambda: i2s.readinto(block))
        loud += any(block)
    made.trace("heard", loud=loud)


def deaf(made):
    """A microphone that is looked for on other pins."""
    ears(made, ("mic_sck", "mic_sd", "mic_ws"))


def sleep(made):
    if made.reset_cause() == "power":
        machine.deepsleep(200)


def main():
    made = board.build()
    made.trace("boot", cause=made.reset_cause(), name=made.name, faults=made.faults)
    globals()[os.getenv("PART")](made)


main()
