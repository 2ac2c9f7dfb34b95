"""The link against a companion made of lapel_wire, over packets in memory."""

from linked import Companion, run, some

from lapel_wire import messages


def test_waiting_clips_arrive_in_order_and_are_forgotten():
    clips = {3: some(5000), 4: some(1), 70_000: some(3000, 5)}

    async def scenario(house):
        companion = Companion(house.connect())
        await companion.handshake()
        done = await companion.take_clips(3)
        assert done == {3: some(5000), 4: some(1), 70_000: some(3000, 5)}
        await house.until(lambda: not house.store.clips)
        assert [a[1] for a in house.accepted] == [3, 4, 70_000]

    run(scenario, clips)


def test_a_small_mtu_and_a_full_radio_lose_nothing():
    async def scenario(house):
        transport = house.connect(mtu=23)
        companion = Companion(transport, mtu=23)
        await companion.handshake()
        transport.full = 3
        assert await companion.take_clips(1) == {1: some(600)}

    run(scenario, {1: some(600)})


def test_a_lost_record_is_asked_for_again():
    async def scenario(house):
        companion = Companion(house.connect())
        await companion.handshake()
        assert await companion.take_clips(1, lose_at=1200) == {2: some(4000)}

    run(scenario, {2: some(4000)})


def test_a_prefix_is_resumed_and_a_foreign_prefix_is_a_conflict():
    for held, conflicts in ((some(1500), 0), (b"x" * 1500, 1), (some(9000), 1)):

        async def scenario(house):
            companion = Companion(house.connect())
            await companion.handshake()
            assert await companion.take_clips(1, {2: held}) == {2: some(4000)}
            assert house.feed.conflicts == conflicts

        run(scenario, {2: some(4000)})


def test_strangers_are_sent_away_and_the_owner_comes_in():
    async def scenario(house):
        garbage = house.connect()
        Companion(garbage).send_raw(b"x" * 48)
        await house.until(lambda: garbage.closed)
        silent = house.connect()
        companion = Companion(house.connect())
        await companion.handshake()
        await house.until(lambda: house.link.up)
        assert not house.gatt.advertising
        await house.until(lambda: silent.closed)
        assert house.link.strangers == 2
        assert await companion.take_clips(1) == {1: some(900)}

    run(scenario, {1: some(900)})


def test_a_link_that_breaks_is_followed_by_another():
    async def scenario(house):
        first = house.connect()
        companion = Companion(first)
        await companion.handshake()
        kind, _ = await companion.message()
        assert kind == messages.STATUS
        await first.disconnect()
        await house.until(lambda: house.gatt.advertising)
        assert not house.link.up
        again = Companion(house.connect(), seed=9)
        await again.handshake()
        assert await again.take_clips(1) == {1: some(900)}

    run(scenario, {1: some(900)})


def test_other_messages_reach_the_desk():
    async def scenario(house):
        companion = Companion(house.connect())
        await companion.handshake()
        await house.until(lambda: house.desk.hellos)
        body = {"ep": "f" * 16, "s": 3, "k": "done", "d": "d1", "j": "d1.1", "x": "ok"}
        companion.post(messages.NOTICE, body)
        await house.until(lambda: house.desk.others)
        assert house.desk.others == [(messages.NOTICE, body)]

    run(scenario)
