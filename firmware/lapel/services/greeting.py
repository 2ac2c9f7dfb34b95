"""The first words with a guest: its opening message, our answer, and the first record, which proves who it is."""

from lapel.compat import const, sleep_ms
from lapel_wire import messages
from lapel_wire.channel import Channel
from lapel_wire.packets import Cutter, Joiner

_FULL_MS = const(40)
# A guest of whom more records are refused than this is no companion.
_REFUSED_MAX = const(3)


class Stranger(Exception):
    """A guest that proved nothing."""


async def greet(link, handshakes):
    """(channel, hello) of a guest that is the companion. Raises Stranger, and what the link raises: then no key of a
    session is left. It has no limit of time."""
    joiner = Joiner()
    opening = bytes(await _record(link, joiner))
    answered = await handshakes.answer(opening)
    if answered is None:
        raise Stranger
    reply, session = answered
    channel, hello = Channel(session, link.mtu), None
    try:
        cutter = Cutter(link.mtu)
        await _say(link, cutter, reply)
        while hello is None:
            record = await _record(link, joiner)
            if bytes(record) == opening:
                # Our answer was lost.
                await _say(link, cutter, reply)
                continue
            kind, hello = channel.take(record) or (messages.HELLO_HOST, None)
            if kind != messages.HELLO_HOST or channel.refused > _REFUSED_MAX:
                hello = None
                raise Stranger
    finally:
        if hello is None:
            session.wipe()
    return channel, hello


async def _say(link, cutter, reply) -> None:
    cutter.load(reply, len(reply))
    while cutter.busy:
        if link.send(cutter.packet()):
            cutter.advance()
        else:
            await sleep_ms(_FULL_MS)


async def _record(link, joiner):
    while True:
        record = joiner.feed(await link.receive())
        if record is not None:
            return record
