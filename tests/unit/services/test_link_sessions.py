"""A session of the link: what makes one, what ends it, and what nobody else can do to it."""

import asyncio

import light
from linked import Companion, House, run, some
from thin_air import FakeTransport

from lapel.compat import sleep_ms, wait_for_ms
from lapel.core.vigil import Vigil
from lapel_wire.channel import REFUSED_IN_A_ROW_MAX, Channel

ALICE = b"alice!"


async def sent_away(house, transport):
    await house.until(lambda: transport.closed)
    await house.until(lambda: not house.link._guests)


def test_a_guest_touches_no_session_until_it_proves_itself():
    async def scenario(house):
        owner = Companion(house.connect())
        other = Companion(house.connect(), seed=5)
        await house.until(lambda: len(house.link._guests) == 2)
        await owner.handshake()
        await house.until(lambda: house.link.up)
        # It knows the key, is answered, and says nothing that verifies.
        other.send_raw(other.initiator.start())
        await house.until(lambda: other.transport.up)
        for _ in range(3):
            other.send_raw(b"x" * 40)
        await sleep_ms(20)
        assert house.link.up and not owner.transport.closed
        # Now it does: the new session takes the place of the old.
        other.finish(bytes(other.transport.up.pop(0)[1:]))
        other.greet()
        await house.until(lambda: owner.transport.closed)
        assert await other.take_clips(1) == {1: some(900)}

    run(scenario, {1: some(900)})


def test_a_session_that_was_never_proved_leaves_no_key():
    async def scenario(house):
        sessions, answer = [], house.keys.answer

        async def remembered(message):
            sessions.append((await answer(message))[1])
            return b"x" * 48, sessions[-1]

        house.keys.answer = remembered
        for nonsense in (b"x" * 40, None):
            house.skip_ms(60_000)
            companion = Companion(house.connect(), seed=len(sessions) + 1)
            companion.send_raw(companion.initiator.start())
            await house.until(lambda: companion.transport.up)
            if nonsense is None:
                await companion.transport.disconnect()
            else:
                for _ in range(4):
                    companion.send_raw(nonsense)
            await sent_away(house, companion.transport)
        assert len(sessions) == 2
        assert not any(cipher.key for one in sessions for cipher in (one._send, one._receive))

    run(scenario)


def test_nothing_is_said_of_clips_over_a_link_that_has_gone():
    async def scenario(house):
        # The new session's clips would wait until that is missed.
        planned = []
        house.feed.plan = lambda *_: planned.append("a clip")
        gone = FakeTransport()
        await gone.disconnect()
        await house.link._send(gone, Channel(light.sessions()[1]), Vigil(0))
        assert planned == []

    run(scenario, {1: some(900)})


def test_nobody_is_a_guest_while_a_session_lasts():
    async def scenario(house):
        owner = Companion(house.connect())
        await owner.handshake()
        await house.until(lambda: house.link.up)
        late = house.connect()
        house.link._changed.set()
        await house.until(lambda: late.closed)
        assert house.link.up and not house.link._guests[1:]

    run(scenario)


def test_records_that_fail_again_and_again_end_the_session_and_the_next_one_works():
    async def scenario(house):
        owner = Companion(house.connect(address=ALICE))
        await owner.handshake()
        await house.until(lambda: house.link.up)
        for _ in range(REFUSED_IN_A_ROW_MAX):
            assert not owner.transport.closed
            owner.send_raw(b"x" * 40)
            await sleep_ms(0)
        await house.until(lambda: owner.transport.closed)
        over = [fields for event, fields in house.traced if event == "session_over"]
        assert over[0]["bad"] == REFUSED_IN_A_ROW_MAX and over[0]["gaps"] == 0
        await house.until(lambda: house.gatt.advertising)
        again = Companion(house.connect(address=ALICE), seed=9)
        await again.handshake()
        assert await again.take_clips(1) == {1: some(900)}

    run(scenario, {1: some(900)})


def test_a_few_bad_records_change_nothing():
    async def scenario(house):
        owner = Companion(house.connect())
        await owner.handshake()
        for _ in range(20):
            owner.send_raw(b"x" * 40)
        assert await owner.take_clips(1) == {1: some(900)}
        assert house.link.up

    run(scenario, {1: some(900)})


def test_how_full_the_cell_is_is_shown_to_the_companion_alone():
    async def scenario(house):
        house.link.set_battery(42)
        await house.until(lambda: house.gatt.advertising)
        stranger = house.connect()
        await house.until(lambda: house.link._guests)
        assert house.gatt.battery == []
        companion = Companion(house.connect())
        await companion.handshake()
        await house.until(lambda: house.link.up)
        # Somebody else is still here.
        await sleep_ms(50)
        assert house.gatt.battery == []
        await stranger.disconnect()
        await house.until(lambda: house.gatt.battery == [42])
        house.link.set_battery(41)
        await house.until(lambda: house.gatt.battery == [42, 41])
        await companion.transport.disconnect()
        await house.until(lambda: house.gatt.battery == [42, 41, 100])

    run(scenario)


def test_who_came_as_a_session_began_is_gone_before_the_cell_is_shown():
    async def scenario(house):
        done, dismiss = [], house.gatt.dismiss

        async def dismissed():
            done.append("dismissed")
            await dismiss()

        house.gatt.dismiss, house.gatt.set_battery = dismissed, done.append
        house.link.set_battery(42)
        companion = Companion(house.connect())
        await companion.handshake()
        await house.until(lambda: 42 in done)
        assert done[0] == "dismissed"

    run(scenario)


def test_a_link_that_died_leaves_nothing_and_can_be_run_again():
    async def fails():
        raise OSError(5)

    async def main():
        house = House()
        dismiss, house.gatt.dismiss = house.gatt.dismiss, fails
        life = asyncio.create_task(house.link.run())
        companion = Companion(house.connect())
        await companion.handshake()
        try:
            await wait_for_ms(life, 5000)
        except OSError:
            pass
        assert companion.transport.closed and not house.link.up and not house.link._guests
        keys = house.link._keys
        assert keys.done()
        house.gatt.dismiss = dismiss
        life = asyncio.create_task(house.link.run())
        await Companion(house.connect(), seed=9).handshake()
        await house.until(lambda: house.link.up)
        assert house.link._keys is not keys
        life.cancel()
        try:
            await life
        except asyncio.CancelledError:
            pass
        await house.link.close()

    asyncio.run(main())
