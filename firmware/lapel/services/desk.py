"""Everything said over the link that is not audio: greetings, notices, seen, settings, cancels.

Messages are answered when what they ask for is durable, and our own objects are repeated until
they are answered.
"""

import binascii

from lapel.compat import const
from lapel.services.store_files import StoreError
from lapel_wire import gatt, messages
from lapel_wire.clips import RETRY_MS

_DATA_BYTES = const(160)
# Notices that were felt but could not be stored come again; they are felt once.
_FELT_MAX = const(16)


class Desk:
    """`boot` is this boot's id (8 hex digits); `drops() -> {queue: count}`.

    `announcer` makes notices felt; `on_jobs(count)` and `on_settings(id, values) -> error or None`
    act on what was said.
    """

    def __init__(self, store, clock, boot, flight, battery_mv, drops, announcer, on_jobs, on_settings, trace):
        self._store = store
        self._clock = clock
        self._boot = boot
        self._flight = flight
        self._battery_mv = battery_mv
        self._drops = drops
        self._announcer = announcer
        self._on_jobs = on_jobs
        self._on_settings = on_settings
        self._trace = trace
        self._repeat_ms = 0
        self._felt = []

    def greet(self, channel, hello: dict) -> None:
        """The companion said hello: set the clock, compare high-water marks, say hello. It says it again
        when our answer was lost."""
        store, clock = self._store, self._clock
        clock.set_wall(hello["t"], hello["tz"])
        try:
            # Behind what the companion knows of our own epoch: our counter was lost.
            if hello["ce"] == store.epoch and hello["ch"] > store.highest:
                store.new_epoch()
        except StoreError as e:
            self._trace("store_error", error=str(e))
        store.know_companion(hello["ep"])
        channel.post(
            messages.HELLO_PIN,
            {
                "v": gatt.PROTOCOL_VERSION,
                "dev": store.device,
                "ep": store.epoch,
                "hw": store.highest,
                "q": len(store.waiting()),
                "ne": hello["ep"],
                "nh": store.notice_high(hello["ep"]),
                "boot": self._boot,
                "ms": clock.ms(),
                "bat": self._battery_mv(),
                "set": store.settings_id,
            },
        )
        self._repeat_ms = clock.ms()
        self.ask(channel)

    def ask(self, channel) -> None:
        """How the pin is, and a question: the companion answers it with JOBS."""
        drops = self._drops()
        overruns = drops.get("mic", 0)
        aside = self._store.aside
        channel.post(
            messages.STATUS,
            {
                "bat": self._battery_mv(),
                "drops": sum(drops.values()) - overruns,
                "over": overruns,
                "aside": len(aside),
                "what": "; ".join(aside[-2:]) or None,
            },
        )

    def plan(self, now_ms: int, channel) -> None:
        """Queues what is to be repeated."""
        if now_ms >= self._repeat_ms:
            self._repeat_ms = now_ms + RETRY_MS
            epoch, seqs = self._store.pending_seen()
            if seqs:
                channel.post(messages.SEEN, {"ep": epoch, "s": seqs, "a": False})
            for cancel in self._store.pending_cancels():
                channel.post(messages.CANCEL, cancel)

    def hurry(self) -> None:
        """Something durable was added: say it with the next packet."""
        self._repeat_ms = 0

    def take(self, kind: int, body, channel) -> None:
        """Deals with one message. What the flash refused is not answered, so it comes again."""
        try:
            self._take(kind, body, channel)
        except StoreError as e:
            self._trace("store_error", error=str(e))

    def _take(self, kind: int, body, channel) -> None:
        store = self._store
        if kind == messages.NOTICE:
            self._notice(body, channel)
        elif kind == messages.SEEN:
            if body["a"]:
                store.seen_answered(body["ep"], body["s"])
            elif store.mark_seen(body["ep"], body["s"], pending=False):
                channel.post(messages.SEEN, {"ep": body["ep"], "s": body["s"], "a": True})
        elif kind == messages.RETRACT:
            self._announcer.withdrawn(body["ep"], body["s"])
            if store.retract(body["ep"], body["s"]):
                channel.post(messages.SEEN, {"ep": body["ep"], "s": [body["s"]], "a": True})
        elif kind == messages.CANCELLED:
            store.cancel_answered(body["id"])
        elif kind == messages.JOBS:
            self._on_jobs(body["n"])
        elif kind == messages.SETTINGS:
            error = self._on_settings(body["id"], body["v"])
            channel.post(messages.SETTINGS_OK, {"id": body["id"], "err": error})
        elif kind == messages.READ:
            self._read(body, channel)
        elif kind == messages.HELLO_HOST:
            self.greet(channel, body)
        else:
            self._trace("ignored", message=messages.TABLE.get(kind, "?")[0])

    def _notice(self, body, channel) -> None:
        key = (body["ep"], body["s"])
        # Felt first (an erase may take 200 ms), promised only when it is durable.
        if not self._store.has_notice(*key) and key not in self._felt:
            self._felt.append(key)
            del self._felt[:-_FELT_MAX]
            self._announcer.announce(body)
        if self._store.put(body):
            channel.post(messages.STORED, {"ep": body["ep"], "s": body["s"]})

    def _read(self, body, channel) -> None:
        data = self._flight.read(body["off"], _DATA_BYTES) if body["w"] == "flight" else b""
        channel.post(
            messages.DATA,
            {
                "w": body["w"],
                "off": body["off"],
                "n": self._flight.size,
                "b": binascii.hexlify(data).decode(),
            },
        )
