"""Runs on the simulated board: a GATT server over aioble that does what PART says, for test_radio.py."""

import asyncio
import json
import os
import time

import aioble
import bluetooth

import bus

SERVICE = bluetooth.UUID("6c617065-6c00-4000-8000-000000000001")
UP = bluetooth.UUID("6c617065-6c00-4000-8000-000000000002")
DOWN = bluetooth.UUID("6c617065-6c00-4000-8000-000000000003")
PLAIN = bluetooth.UUID(0x2A29)

RETRY_MS = 5


def say(event, **fields):
    fields["event"] = event
    bus.attached().send(bus.TRACE, 1, json.dumps(fields).encode())


class Server:
    def __init__(self):
        service = aioble.Service(SERVICE)
        self.up = aioble.Characteristic(service, UP, notify=True)
        self.down = aioble.BufferedCharacteristic(service, DOWN, write=True, write_no_response=True, max_len=247)
        self.plain = aioble.Characteristic(service, PLAIN, read=True, write=True, capture=True, initial=b"first")
        aioble.register_services(service)
        self.got = []
        self.tasks = []
        aioble.core.register_irq_handler(self.irq, None)

    def irq(self, event, data):
        if event == 3 and data[1] == self.down._value_handle:
            value = aioble.core.ble.gatts_read(data[1])
            self.got.append(value)
            say("written", conn=data[0], n=len(value), first=value[0] if value else None)
        elif event == 27:
            say("updated", conn=data[0], interval=data[1], status=data[4])
        elif event in (1, 2, 21):
            say("irq", number=event, conn=data[0], last=data[1])

    async def accept(self):
        connection = await aioble.advertise(100_000, name="Lapel", services=[SERVICE])
        say("accepted", mtu=connection.mtu)
        return connection


async def blast(server):
    """As much as the radio takes, `COUNT` notifications of `SIZE` bytes."""
    connection = await server.accept()
    while connection.mtu is None or not server.got:
        await asyncio.sleep_ms(5)
    n = full = 0
    in_a_row = 0
    data = bytearray(int(os.getenv("SIZE", "244")))
    begun = time.ticks_ms()
    while n < int(os.getenv("COUNT", "200")) and connection.is_connected():
        data[0] = n & 0xFF
        try:
            server.up.notify(connection, data)
            n += 1
        except OSError as error:
            if error.errno != 12:
                say("refused", errno=error.errno)
                break
            full += 1
            if not in_a_row:
                in_a_row = n
                say("first_full", after=n)
            await asyncio.sleep_ms(RETRY_MS)
    say("sent", n=n, full=full, ms=time.ticks_diff(time.ticks_ms(), begun))
    await connection.disconnected()
    try:
        server.up.notify(connection, b"x")
    except TypeError:
        say("after_the_end", error="TypeError")
    except OSError as error:
        say("after_the_end", error=error.errno)


async def echo(server):
    """Answers each write with a notification; disconnects when told to."""
    while True:
        connection = await server.accept()
        server.tasks.append(asyncio.create_task(echo_one(server, connection)))


async def echo_one(server, connection):
    while connection.is_connected():
        while server.got and connection.is_connected():
            value = server.got.pop(0)
            if value == b"bye":
                await connection.disconnect()
                say("said_bye")
                return
            server.up.notify(connection, value)
        await asyncio.sleep_ms(2)


async def captured(server):
    """What aioble's own queue of captured writes keeps of a burst."""
    connection = await server.accept()
    while not server.got:
        await asyncio.sleep_ms(5)
    n = 0
    cut = 0
    try:
        while True:
            _, data = await server.plain.written(timeout_ms=500)
            n += 1
            cut = len(data)
    except asyncio.TimeoutError:
        say("captured", n=n, cut=cut)
    await connection.disconnected()


async def cancelled(server):
    async def advertise():
        say("advertise_gave", value=await aioble.advertise(100_000, name="Lapel", services=[SERVICE]))

    task = asyncio.create_task(advertise())
    await asyncio.sleep_ms(100)
    task.cancel()
    await asyncio.sleep_ms(50)
    aioble.stop()
    say("stopped", active=aioble.core.ble.active())
    server = start()
    connection = await server.accept()
    say("again", connected=connection.is_connected())
    await connection.disconnected()


async def crowded(server):
    """As many connections as there are, one more that is not to be had, and one when another has gone."""
    connections = []
    for _ in range(4):
        connections.append(await server.accept())
    try:
        await server.accept()
    except OSError as error:
        say("full", errno=error.errno)
    while all(connection.is_connected() for connection in connections):
        await asyncio.sleep_ms(5)
    connection = await server.accept()
    say("again", connected=connection.is_connected())


def start():
    aioble.config(addr_mode=1, mtu=int(os.getenv("MTU", "247")), gap_name="Lapel")
    return Server()


async def run():
    server = start()
    parts = {"blast": blast, "echo": echo, "captured": captured, "cancelled": cancelled, "crowded": crowded}
    await parts[os.getenv("PART")](server)
    say("over")


def main():
    say("boot")
    asyncio.run(run())


main()
