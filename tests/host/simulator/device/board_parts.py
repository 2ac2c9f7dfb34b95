"""Runs on the simulated board: says what its parts did, one trace each. The host's half is test_board.py."""

import asyncio
import json
import os
import time

import ffi
import machine
import vfs
import world

import bus

_ALL = 1024


def say(event, **fields):
    fields["event"] = event
    bus.attached().send(bus.TRACE, 1, json.dumps(fields).encode())


def files():
    flash = world.attached().flash
    try:
        vfs.mount(vfs.VfsLfs2(flash), "/flash")
        made = False
    except OSError:
        vfs.VfsLfs2.mkfs(flash)
        vfs.mount(vfs.VfsLfs2(flash), "/flash")
        made = True
    say("mounted", made=made, names=sorted(os.listdir("/flash")), blocks=flash.blocks)


def write():
    begun = time.ticks_ms()
    with open("/flash/a.txt", "wb") as file:
        file.write(b"x" * 20000)
    say("wrote", ms=time.ticks_diff(time.ticks_ms(), begun), size=os.stat("/flash/a.txt")[6])


def write_for_ever():
    n = 0
    while True:
        with open("/flash/b.txt", "wb") as file:
            file.write(str(n) * 500)
        n += 1
        say("round", n=n)


async def button():
    seen = []
    flag = asyncio.ThreadSafeFlag()

    def edge(pin):
        seen.append(pin.value())
        flag.set()

    both = machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING
    machine.Pin(1, machine.Pin.IN, machine.Pin.PULL_UP).irq(edge, both)
    say("ready")
    while not seen or not seen[-1]:
        await flag.wait()
        # the contacts are quiet after this
        await asyncio.sleep_ms(20)
    say("edges", levels=seen)


async def mic():
    i2s = machine.I2S(
        0, sck=machine.Pin(2), ws=machine.Pin(3), sd=machine.Pin(4), mode=machine.I2S.RX, bits=32,
        format=machine.I2S.MONO, rate=16000, ibuf=40000,
    )  # fmt: skip
    reader = asyncio.StreamReader(i2s)
    got = []
    for size in (1024, 400, 4096):
        got.append(await reader.readinto(bytearray(size)))
    try:
        i2s.readinto(bytearray(6))
        got.append("no error")
    except ValueError as error:
        got.append(str(error))
    # nobody reads for longer than the ring holds
    time.sleep_ms(450)
    bus.attached().poll()
    total = 0
    big = bytearray(4096)
    n = i2s.readinto(big)
    while n:
        total += n
        n = i2s.readinto(big)
    say("mic", got=got, after_pause=total)
    i2s.deinit()


async def sound():
    """Samples after the start-up, as the firmware would see them."""
    i2s = machine.I2S(
        0, sck=machine.Pin(2), ws=machine.Pin(3), sd=machine.Pin(4), mode=machine.I2S.RX, bits=32,
        format=machine.I2S.MONO, rate=16000, ibuf=40000,
    )  # fmt: skip
    reader = asyncio.StreamReader(i2s)
    block = bytearray(1024)
    for i in range(36):
        await reader.readinto(block)
        say("block", number=i, low=block[0], value=int.from_bytes(block[:4], "little"))
    i2s.deinit()
    say("closed")


def soft_reset():
    rtc = machine.RTC()
    boots = len(rtc.memory())
    say("soft", boots=boots, first=not boots)
    rtc.memory(bytes(boots + 1))
    if not boots:
        machine.WDT(timeout=1500)
        print("it cannot go on")
    if boots < 2:
        raise SystemExit
    # the prompt, where nobody feeds what the first of them started


def main():
    link = bus.attached()
    link.poll()
    what = os.getenv("PART")
    say("boot", cause=machine.reset_cause(), uid=machine.unique_id().hex())
    if what in ("write", "write_for_ever", "files"):
        files()
    if what == "write":
        write()
    elif what == "write_for_ever":
        write_for_ever()
    elif what == "overwrite":
        flash = world.attached().flash
        flash.writeblocks(5, bytes(32), 0)
        flash.writeblocks(5, b"\xff" * 32, 0)
        say("overwritten")
    elif what == "button":
        asyncio.run(button())
    elif what == "mic":
        asyncio.run(mic())
    elif what == "sound":
        asyncio.run(sound())
    elif what == "rtc":
        rtc = machine.RTC()
        kept = rtc.memory()
        say("rtc", n=len(kept), same=kept == bytes(range(256)) * 8)
        rtc.memory(bytes(range(256)) * 8)
        machine.reset()
    elif what == "watchdog":
        wdt = machine.WDT(timeout=150)
        for _ in range(3):
            time.sleep_ms(70)
            wdt.feed()
        say("starving")
        while True:
            time.sleep_ms(1000)
    elif what == "crash":
        raise RuntimeError("it broke")
    elif what == "gone":
        print("the last word")
        ffi.open(None).func("v", "_exit", "i")(7)
    elif what == "soft_reset":
        soft_reset()
    elif what == "levels":
        # the simulator tells it right after the greeting
        while machine.Pin(1).value():
            link.poll()
        say("levels", pressed=machine.Pin(1).value() == 0)


main()
