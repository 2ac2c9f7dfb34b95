"""A recorded run of a store over the NOR flash, and what the store promised in it, and when.

Times are numbers of operations of the flash: what was promised by then must hold after a cut there.
"""

import cuts
from flash import Flash, Random, Trace

from lapel.services import store_ids
from lapel.services.store import Store

BLOCKS = 64
EPOCH = "f0f1f2f3f4f5f6f7"
META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 12345, "t": None, "re": None}


def speech(number, length):
    block = Random(number + 40)(251)
    return (block * (length // 251 + 1))[:length]


class Run:
    """The recorded run and its promises; its clips are said to be in `codec`, by which their pages are laid."""

    def __init__(self, seed, text_bytes, options, codec="ima-adpcm"):
        self.options = options
        self.meta = dict(META, codec=codec)
        # So few that this short run reserves at a press as well.
        store_ids.BATCH, store_ids.LOW = 2, 1
        self.text_bytes = text_bytes
        # number: (data, ops at begin, [(ops, synced)], ops at captured or None, ops at gone, ops at going)
        self.clips = {}
        # What happened to something, in order: [(ops before, ops after, value), ...].
        self.notices = {}
        self.settings = [(0, 0, 0)]
        self.cancels = {}
        self.device = None
        with Flash(BLOCKS, **options) as flash:
            self.nor = flash.nor
            self.recorder = cuts.Recorder(self.nor)
            self.nor.ops = 0
            self._play(flash, seed)
            self.recorder.stop()
        assert self.nor.violations == 0
        self.total = self.nor.ops

    def _play(self, flash, seed):
        self.store = store = boot(flash.root, seed)
        self.device = (self.nor.ops, store.device)
        self._clip(9000)
        self._notice(1)
        self._clip(700, read_back=True)
        self._save_settings(1)
        self._accept(min(self.clips))
        self._notice(2)
        self._seen(1)
        self._told(1)
        self._abort(5000)
        self._cancel(2)
        store.reconcile()
        flash.remount()
        self.store = store = boot(flash.root, seed + 1)
        self._notice(3)
        self._clip(17_000, read_back=True)
        self._seen(3)
        self._answer_cancel()
        self._save_settings(2)
        self._accept(2)
        store.reconcile()
        self._retract(2)
        self._notice(4)
        store.reconcile()

    def _clip(self, length, read_back=False):
        before = self.nor.ops
        writer = self.store.begin(self.meta)
        data = speech(writer.number, length)
        clip = Clip(writer.number, data, before)
        clip.begun = self.nor.ops
        self.clips[writer.number] = clip
        reader = self.store.open(writer.number)
        buffer = bytearray(300)
        for at in range(0, length, 128):
            writer.write(data[at : at + 128])
            if not clip.synced or clip.synced[-1][1] != writer.synced:
                clip.synced.append((self.nor.ops, writer.synced))
            if read_back:
                for start in (0, max(0, writer.synced - 300)):
                    n = reader.read_at(start, buffer)
                    assert n == min(300, writer.synced - start) and buffer[:n] == data[start : start + n]
        clip.finishing = self.nor.ops
        writer.finish(length // 8)
        clip.captured = self.nor.ops
        reader.close()

    def _abort(self, length):
        before = self.nor.ops
        writer = self.store.begin(self.meta)
        clip = Clip(writer.number, speech(writer.number, length), before)
        clip.begun = self.nor.ops
        self.clips[writer.number] = clip
        writer.write(clip.data)
        clip.going = self.nor.ops
        writer.abort()
        clip.gone = self.nor.ops

    def _accept(self, number):
        clip = self.clips[number]
        clip.going = self.nor.ops
        self.store.remove(number)
        clip.gone = self.nor.ops

    def _step(self, steps, value, act, *arguments):
        before = self.nor.ops
        act(*arguments)
        steps.append((before, self.nor.ops, value))

    def _notice(self, seq):
        steps = self.notices.setdefault(seq, [])
        self._step(steps, "unseen", self.store.put, self.notice(seq))

    def notice(self, seq):
        text = ("notice %d: " % seq + "x" * self.text_bytes)[: self.text_bytes]
        return {"ep": EPOCH, "s": seq, "k": "done", "d": "d%d" % seq, "j": None, "x": text}

    def _seen(self, seq):
        self._step(self.notices[seq], "seen", self.store.mark_seen, EPOCH, [seq])

    def _told(self, seq):
        self._step(self.notices[seq], "over", self.store.seen_answered, EPOCH, [seq])

    def _retract(self, seq):
        self._step(self.notices[seq], "over", self.store.retract, EPOCH, seq)

    def _save_settings(self, identity):
        self._step(self.settings, identity, self.store.settings.save, identity, {"strength": identity})

    def _cancel(self, number):
        steps = self.cancels.setdefault(number, [])
        self._step(steps, "pending", self.store.add_cancel, EPOCH, number)

    def _answer_cancel(self):
        number = self.store.pending_cancels()[0]["n"]
        identity = self.store.pending_cancels()[0]["id"]
        self._step(self.cancels[number], "answered", self.store.cancel_answered, identity)


class Clip:
    """One clip of the run: its audio, and the numbers of operations at which things happened to it."""

    def __init__(self, number, data, before):
        self.number = number
        self.data = data
        self.before = before
        self.begun = None
        self.synced = []
        self.finishing = None
        self.captured = None
        self.going = None
        self.gone = None


def boot(root, seed):
    store = Store(root, Random(seed), Trace())
    store.mount()
    return store
