"""Ends in one way or another and leaves a timer and the radio behind. The host's half is test_prompt.py."""

import json
import os

import bluetooth
import machine

import bus

_CENTRAL_CONNECT = 1
_CENTRAL_DISCONNECT = 2


def say(event, **fields):
    fields["event"] = event
    bus.attached().send(bus.TRACE, 1, json.dumps(fields).encode())


class Ticks:
    def __init__(self):
        self.count = 0
        machine.Timer(0, mode=machine.Timer.PERIODIC, period=20, callback=self.tick)

    def tick(self, timer):
        self.count += 1
        say("tick", count=self.count)


def radio():
    ble = bluetooth.BLE()
    ble.active(True)
    names = {_CENTRAL_CONNECT: "came", _CENTRAL_DISCONNECT: "went"}
    ble.irq(lambda event, data: say(names.get(event, "other")))
    ble.gap_advertise(100_000, b"\x02\x01\x06")


def main():
    say("boot")
    Ticks()
    radio()
    end = os.getenv("PART")
    if end == "interrupted":
        raise KeyboardInterrupt
    if end == "raised":
        raise ValueError("no way on")


main()
