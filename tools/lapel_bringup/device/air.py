"""The radio: advertises under a name for this test, and sends as fast as it can to who connects."""

import asyncio
import time

from bench import say
from lapel.compat import wait_for_ms
from lapel_wire import gatt


async def run(board, name, seconds, wait_ms):
    """Waits for a central's first write, then sends for `seconds`; each notification begins with a running number of
    32 bits."""
    uuids = (gatt.SERVICE_UUID, gatt.UP_UUID, gatt.DOWN_UUID, gatt.INFO_UUID)
    server = board.gatt(name, *uuids, gatt.INFO, gatt.MTU_WANTED)
    server.start()
    try:
        say("advertising", name=name)
        try:
            link = await wait_for_ms(server.accept(), wait_ms)
            say("connected")
            await wait_for_ms(link.receive(), wait_ms)
        except asyncio.TimeoutError:
            say("nobody")
            return
        say("link", mtu=link.mtu, interval_ms=link.interval_ms)
        await _send(link, seconds)
        # what was sent last is still on its way
        await asyncio.sleep_ms(500)
        say("link", mtu=link.mtu, interval_ms=link.interval_ms)
        await link.disconnect()
    except server.LinkClosed:
        say("closed")
    finally:
        server.stop()


async def _send(link, seconds):
    packet = bytearray(max(20, link.mtu - gatt.ATT_HEADER_BYTES))
    sent = 0
    refused = 0
    depth = None
    begun_ms = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), begun_ms) < seconds * 1000:
        for i in range(4):
            packet[i] = sent >> 8 * i & 0xFF
        if link.send(packet):
            sent += 1
            continue
        refused += 1
        if depth is None:
            depth = sent
        await asyncio.sleep_ms(5)
    took_ms = time.ticks_diff(time.ticks_ms(), begun_ms)
    say("sent", packets=sent, bytes=sent * len(packet), refused=refused, depth=depth, ms=took_ms)
