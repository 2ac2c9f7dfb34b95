"""The link when packets get lost, nobody listens, or one clip gets no further."""

import binascii
import random

from linked import Companion, FakeStore, House, NoRecording, Reader, run, some

from lapel.compat import sleep_ms
from lapel.services.clip_feed import ClipFeed
from lapel.services.store_files import StoreError
from lapel_wire import messages
from lapel_wire.clips import RETRY_MS, WINDOW_BYTES
from lapel_wire.packets import Joiner

# As core/vigil.py and services/clip_feed.py have them.
ASK_IDLE_MS = 30_000
LOST_MS = 10_000
NEAR_MS = 5_000
PARKED_MS = 10_000


async def linked(house, **options):
    companion = Companion(house.connect(**options))
    await companion.handshake()
    await house.until(lambda: house.link.up)
    return companion


async def until_kind(companion, *kinds):
    while True:
        kind, body = await companion.message()
        if kind in kinds:
            return kind, body


def test_a_lost_answer_to_the_opening_message_is_given_again():
    async def scenario(house):
        companion = Companion(house.connect())
        opening = companion.initiator.start()
        answers = []
        for _ in range(3):
            companion.send_raw(opening)
            answers.append(Joiner().feed(await companion.packet()))
        assert answers[0] == answers[1] == answers[2]
        companion.finish(answers[2])
        companion.greet()
        await house.until(lambda: house.link.up)
        assert house.link.strangers == 0

    run(scenario)


def test_who_goes_on_with_nonsense_is_a_stranger():
    async def scenario(house):
        transport = house.connect()
        companion = Companion(transport)
        companion.send_raw(companion.initiator.start())
        for _ in range(4):
            companion.send_raw(b"x" * 48)
        await house.until(lambda: transport.closed)
        assert house.link.strangers == 1

    run(scenario)


def test_a_link_at_which_nobody_listens_is_asked_and_given_up():
    async def scenario(house):
        companion = await linked(house)
        assert house.link.near
        house.skip_ms(NEAR_MS)
        assert house.link.up and not house.link.near
        house.skip_ms(ASK_IDLE_MS - NEAR_MS)
        await house.until(lambda: house.desk.asked)
        assert house.link.up
        house.skip_ms(LOST_MS)
        await house.until(lambda: companion.transport.closed and house.gatt.advertising)
        assert not house.link.up and ("silence", {}) in house.traced

    run(scenario)


def test_an_answer_keeps_the_link():
    async def scenario(house):
        companion = await linked(house)
        for asked in range(1, 4):
            house.skip_ms(ASK_IDLE_MS)
            await house.until(lambda: house.desk.asked == asked)
            companion.post(messages.JOBS, {"n": 0})
            await house.until(lambda: house.link.near)
        assert not companion.transport.closed

    run(scenario)


def test_what_the_companion_says_by_itself_is_no_answer():
    async def scenario(house):
        companion = await linked(house)
        house.skip_ms(NEAR_MS)
        companion.post(messages.SETTINGS, {"id": 1, "v": {}})
        await house.until(lambda: house.desk.others)
        assert not house.link.near
        companion.post(messages.JOBS, {"n": 0})
        await house.until(lambda: house.link.near)

    run(scenario)


def test_a_press_asks_at_once():
    async def scenario(house):
        await linked(house)
        house.skip_ms(NEAR_MS)
        await sleep_ms(45)
        assert not house.desk.asked
        house.recording.is_busy = True
        await house.until(lambda: house.desk.asked)

    run(scenario)


def test_a_stalled_radio_gathers_nothing_and_is_given_up():
    async def scenario(house):
        companion = await linked(house)
        await until_kind(companion, messages.CLIP)
        companion.transport.full = 10**9
        companion.post(messages.ACK, {"n": 1, "off": 0})
        while not companion.transport.closed:
            house.skip_ms(1000)
            await sleep_ms(20)
        await house.until(lambda: not house.link.up)
        assert house.link.dropped == 0

    run(scenario, {1: some(900)})


def test_a_clip_that_is_never_accepted_lets_others_pass_and_comes_again():
    async def scenario(house):
        companion = await linked(house)
        _, clip = await until_kind(companion, messages.CLIP)
        companion.post(messages.ACK, {"n": clip["n"], "off": 0})
        for _ in range(5):
            await until_kind(companion, messages.END)
            house.skip_ms(RETRY_MS)
        # The second clip has its turn, and arrives.
        assert await companion.take_clips(1) == {2: some(300)}
        await sleep_ms(45)
        assert not companion.transport.up
        house.skip_ms(PARKED_MS)
        companion.post(messages.JOBS, {"n": 0})
        assert await companion.take_clips(1, {1: some(900)}) == {1: some(900)}

    run(scenario, {1: some(900), 2: some(300)})


def test_a_clip_that_is_not_answered_at_all_lets_others_pass():
    async def scenario(house):
        companion = await linked(house)
        for _ in range(5):
            _, clip = await until_kind(companion, messages.CLIP)
            assert clip["n"] == 1
            house.skip_ms(RETRY_MS)
            companion.post(messages.JOBS, {"n": 0})
        assert await companion.take_clips(1) == {2: some(300)}

    run(scenario, {1: some(900), 2: some(300)})


def test_a_clip_that_cannot_be_opened_lets_others_pass():
    class Store(FakeStore):
        def open(self, number):
            if number == 1:
                raise StoreError("clip 1 cannot be read")
            return FakeStore.open(self, number)

    async def scenario(house):
        house.feed._store = house.store = Store(house.store.clips)
        companion = await linked(house)
        assert await companion.take_clips(1) == {2: some(300)}
        assert [event for event, _ in house.traced].count("store_error") == 1

    run(scenario, {1: some(900), 2: some(300)})


def test_a_clip_that_cannot_be_removed_lets_others_pass():
    class Store(FakeStore):
        def remove(self, number):
            if number == 1:
                raise StoreError("flash error 5")
            FakeStore.remove(self, number)

    async def scenario(house):
        house.feed._store = house.store = Store(house.store.clips)
        companion = await linked(house)
        assert await companion.take_clips(2) == {1: some(900), 2: some(300)}
        await house.until(lambda: house.store.waiting() == [1])
        assert [event for event, _ in house.traced].count("store_error") == 1

    run(scenario, {1: some(900), 2: some(300)})


def test_a_long_prefix_is_checked_in_steps():
    class Counted(Reader):
        read = 0

        def read_at(self, offset, view):
            Counted.read += len(view)
            return Reader.read_at(self, offset, view)

    class Channel:
        posted = []

        def post(self, kind, body):
            self.posted.append(kind)
            return True

    house, channel, data = House({1: some(20_000)}), Channel(), some(20_000)
    feed = ClipFeed(house.store, NoRecording(), house.trace, None)
    feed.plan(0, channel)
    feed._reader = Counted(data)
    crc = binascii.crc32(data[:15_000]) & 0xFFFFFFFF
    feed.take(messages.RESUME, {"n": 1, "off": 15_000, "crc": crc}, channel)
    for steps in range(1, 5):
        assert feed.fill(memoryview(bytearray(200))) == 0
        feed.plan(1, channel)
        assert Counted.read == min(4096 * steps, 15_000)
    assert feed.fill(memoryview(bytearray(200))) == 200 and feed._sender.position == 15_194
    # Further on only what is new is read.
    Counted.read = 0
    crc = binascii.crc32(data[:15_100]) & 0xFFFFFFFF
    feed.take(messages.RESUME, {"n": 1, "off": 15_100, "crc": crc}, channel)
    feed.plan(2, channel)
    assert Counted.read == 100 and feed._sender.position == 15_100
    assert channel.posted == [messages.CLIP]


def test_no_more_is_sent_than_the_companion_has_room_for():
    house, posted = House({1: bytes(3 * WINDOW_BYTES)}), []

    class Channel:
        def post(self, kind, body):
            posted.append(kind)
            return True

    feed, channel, view = house.feed, Channel(), memoryview(bytearray(244))

    def sent():
        while feed.fill(view):
            pass
        return feed._sender.position

    feed.plan(0, channel)
    feed.take(messages.ACK, {"n": 1, "off": 0}, channel)
    assert WINDOW_BYTES <= sent() < WINDOW_BYTES + 244
    feed.take(messages.ACK, {"n": 1, "off": 20_000}, channel)
    assert WINDOW_BYTES <= sent() - 20_000 < WINDOW_BYTES + 244
    # Its next word was lost: it is asked, and answers with what it holds.
    feed.plan(1000, channel)
    feed.plan(999 + 2 * RETRY_MS, channel)
    assert posted == [messages.CLIP]
    feed.plan(1000 + 2 * RETRY_MS, channel)
    assert posted == [messages.CLIP, messages.CLIP]
    crc = binascii.crc32(bytes(60_000)) & 0xFFFFFFFF
    feed.take(messages.RESUME, {"n": 1, "off": 60_000, "crc": crc}, channel)
    for _ in range(15):
        feed.plan(1010 + 2 * RETRY_MS, channel)
    assert WINDOW_BYTES <= sent() - 60_000 < WINDOW_BYTES + 244


def test_the_wrap_of_the_ticks_changes_nothing():
    async def scenario(house):
        companion = await linked(house)
        _, clip = await until_kind(companion, messages.CLIP)
        house.skip_ms(RETRY_MS)
        assert await until_kind(companion, messages.CLIP) == (messages.CLIP, clip)
        assert await companion.take_clips(1, {3: b""}) == {3: some(5000)}
        house.skip_ms(ASK_IDLE_MS)
        await house.until(lambda: house.desk.asked)
        assert house.link.up

    # 2**30 is where the ticks of a 32-bit port begin again; 64-bit ones do so later.
    run(scenario, {3: some(5000)}, start_ticks=(1 << 30) - 1000)


def test_lost_doubled_and_swapped_packets_lose_nothing():
    for seed in range(6):

        async def scenario(house):
            random.seed(seed)
            transport = house.connect(mtu=(247, 100)[seed % 2])
            companion = Companion(transport, mtu=transport.mtu)
            await companion.handshake()
            transport.is_bad = True
            companion.on_quiet = lambda: house.skip_ms(RETRY_MS // 2)
            assert await companion.take_clips(2) == {1: some(2000), 2: some(300)}

        run(scenario, {1: some(2000), 2: some(300)})

