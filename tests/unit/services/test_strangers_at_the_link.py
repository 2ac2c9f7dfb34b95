"""Who gets into the link, and who is sent away."""

from linked import KEY, Companion, run, some

from lapel.core.strangers import FIRST_MS
from lapel_wire import gatt, messages
from noise import plain

ALICE, MALLORY = b"alice!", b"mallor"


async def sent_away(house, transport):
    await house.until(lambda: transport.closed)
    await house.until(lambda: not house.link._guests)


async def sent_away_of(house, transport):
    await house.until(lambda: transport.closed)
    await house.until(lambda: all(guest[1] is not transport for guest in house.link._guests))


def test_with_real_arithmetic_clips_arrive():
    async def scenario(house):
        companion = Companion(house.connect(), suite=plain)
        await companion.handshake()
        assert await companion.take_clips(1) == {3: some(600)}
        assert companion.session.gaps == companion.session.bad == 0

    run(scenario, {3: some(600)}, suite=plain)


def test_a_wrong_opening_ends_the_link_at_once():
    async def scenario(house):
        for wrong in (
            b"lapel in clear 1" + bytes(32),
            bytes(48),
            b"x",
            Companion(None, key=bytes(32)).initiator.start(),
            messages.encode(messages.STORED, {"ep": "f" * 16, "s": 1}),
        ):
            house.skip_ms(60_000)
            transport = house.connect()
            Companion(transport).send_raw(wrong)
            await sent_away(house, transport)
            assert not transport.up
        assert house.link.strangers == 5

    run(scenario)


def test_an_opening_that_was_recorded_is_not_answered_again():
    async def scenario(house):
        owner = Companion(house.connect(address=ALICE))
        opening = owner.initiator.start()
        await owner.handshake()
        await house.until(lambda: house.link.up)
        await owner.transport.disconnect()
        await house.until(lambda: house.gatt.advertising)
        replay = house.connect(address=MALLORY)
        Companion(replay).send_raw(opening)
        await sent_away(house, replay)
        assert not replay.up and house.keys.replayed == 1

    run(scenario)


def test_who_proved_nothing_waits_its_turn_and_the_owner_does_not():
    async def scenario(house):
        first = house.connect(address=MALLORY)
        Companion(first).send_raw(bytes(48))
        await sent_away(house, first)
        again = house.connect(address=MALLORY)
        await house.until(lambda: again.closed)
        assert (house.link.strangers, house.link.turned_away) == (1, 1)
        owner = Companion(house.connect(address=ALICE))
        await owner.handshake()
        await house.until(lambda: house.link.up)
        # Once it has proved the key it may fail as often as it likes.
        await owner.transport.disconnect()
        for _ in range(3):
            await house.until(lambda: house.gatt.advertising)
            failing = house.connect(address=ALICE)
            Companion(failing).send_raw(bytes(48))
            await sent_away(house, failing)
        await house.until(lambda: house.gatt.advertising)
        back = Companion(house.connect(address=ALICE), seed=9)
        await back.handshake()
        await house.until(lambda: house.link.up)
        assert house.link.turned_away == 1
        # And the other one's wait has an end.
        await back.transport.disconnect()
        await house.until(lambda: house.gatt.advertising)
        house.skip_ms(FIRST_MS)
        heard = house.connect(address=MALLORY)
        await house.until(lambda: house.link._guests)
        assert not heard.closed

    run(scenario)


def test_who_comes_to_a_full_house_is_sent_away_once_and_then_goes_before_who_came_later():
    async def scenario(house):
        house.skip_ms(1000)
        kept = house.connect(address=b"guest0")
        await house.until(lambda: len(house.link._guests) == 1)
        house.skip_ms(100)
        first = house.connect(address=b"guest1")
        await house.until(lambda: len(house.link._guests) == 2)
        house.skip_ms(100)
        early = house.connect(address=ALICE)
        await house.until(lambda: early.closed)
        assert house.link.turned_away == 1 and not kept.closed and not first.closed
        await first.disconnect()
        await house.until(lambda: len(house.link._guests) == 1)
        house.skip_ms(100)
        late = house.connect(address=MALLORY)
        await house.until(lambda: len(house.link._guests) == 2)
        # Mallory came after Alice, and goes; who came before both stays.
        owner = Companion(house.connect(address=ALICE))
        await owner.handshake()
        await house.until(lambda: house.link.up)
        assert late.closed and not kept.closed and house.link.turned_away == 1

    run(scenario)


def test_who_gave_its_place_to_another_has_not_failed():
    async def scenario(house):
        owner = Companion(house.connect(address=ALICE))
        await owner.handshake()
        await house.until(lambda: house.link.up)
        await owner.transport.disconnect()
        await house.until(lambda: not house.link._guests)
        house.connect(address=b"guest0")
        await house.until(lambda: len(house.link._guests) == 1)
        house.skip_ms(100)
        last = house.connect(address=MALLORY)
        await house.until(lambda: len(house.link._guests) == 2)
        back = house.connect(address=ALICE)
        await sent_away_of(house, last)
        await back.disconnect()
        await house.until(lambda: len(house.link._guests) == 1)
        # It does not wait.
        again = house.connect(address=MALLORY)
        await house.until(lambda: len(house.link._guests) == 2)
        assert not again.closed and house.link.turned_away == 0

    run(scenario)


def test_a_pin_that_is_not_paired_opens_no_session():
    async def scenario(house):
        house.pairing.info = gatt.UNPAIRED_INFO
        for key in (KEY, bytes(32)):
            house.skip_ms(60_000)
            transport = house.connect()
            Companion(transport, key=key).send_raw(Companion(transport, key=key).initiator.start())
            await sent_away(house, transport)
            assert not transport.up
        await house.until(lambda: house.gatt.advertising)

    run(scenario, key=None)
