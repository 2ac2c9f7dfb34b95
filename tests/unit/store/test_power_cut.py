"""The power goes at every operation of the flash: what was promised is there, and nothing else is.

One run of clips, notices, seen, cancels and settings is recorded; every promise that the store
gives in it is noted with the number of operations done by then. Then the pin boots from the
image of each cut, its last operation untorn or torn, and what it finds is held against that.
"""

import binascii
import gc
import hashlib

import cuts
from flash import Flash, Random
from nor import Nor, PowerCut
from store_run import BLOCKS, EPOCH, Run, boot, speech

from lapel.services.store import StoreError

ONLY_MICROPYTHON = (
    "test_every_cut_with_the_last_operation_untorn",
    "test_every_cut_with_a_prefix_of_the_last_operation",
    "test_every_cut_with_random_bits_of_the_last_operation",
    "test_cuts_during_the_recovery_from_a_cut",
    "test_cuts_with_small_caches_and_long_notices",
    "test_cuts_of_clips_whose_pages_are_parts_of_blocks",
)
MICROPYTHON_HEAP = "16m"


def possible(steps, at, first):
    """The states that a thing may be in after a cut at operation `at`."""
    states = [first]
    for before, after, value in steps:
        if after <= at:
            states = [value]
        elif before <= at:
            states.append(value)
    return states


def read_all(store, number):
    reader = store.open(number)
    data = bytearray(reader.size)
    assert reader.read_at(0, data) == reader.size and reader.complete
    assert reader.sha == binascii.hexlify(hashlib.sha256(data).digest()).decode()
    cut, meta = reader.cut, reader.meta
    reader.close()
    return bytes(data), cut, meta


def check(run, store, at):
    """Holds what the store says after a cut at operation `at` against what was promised before."""
    assert store.quarantined == 0
    if run.device[0] <= at:
        assert store.device == run.device[1]
    check_clips(run, store, at)
    check_notices(run, store, at)
    assert store.settings_id in possible(run.settings, at, 0)
    for number, steps in run.cancels.items():
        pending = [cancel["n"] for cancel in store.pending_cancels()]
        assert ("pending" if number in pending else "answered") in possible(steps, at, "answered")


def check_clips(run, store, at):
    waiting = store.waiting()
    assert waiting == sorted(waiting)
    for number in waiting:
        clip = run.clips[number]
        assert clip.before <= at and (clip.gone is None or clip.gone > at)
        data, cut, meta = read_all(store, number)
        assert meta["n"] == number and data == clip.data[: len(data)]
        synced = max([0] + [size for ops, size in clip.synced if ops <= at])
        assert len(data) >= synced
        if not cut:
            assert data == clip.data and clip.finishing <= at
    for number, clip in run.clips.items():
        if clip.captured is not None and clip.captured <= at and (clip.going is None or clip.going > at):
            assert number in waiting and not read_all(store, number)[1]
        synced = max([0] + [size for ops, size in clip.synced if ops <= at])
        if synced and (clip.going is None or clip.going > at):
            assert number in waiting


def check_notices(run, store, at):
    unseen = [seq for _, seq, _ in store.unseen()]
    epoch, untold = store.pending_seen()
    assert epoch in (None, EPOCH)
    for seq, steps in run.notices.items():
        if seq in unseen:
            state = "unseen"
            assert store.get_notice(EPOCH, seq) == run.notice(seq)
        elif seq in untold:
            state = "seen"
        elif store.has_notice(EPOCH, seq):
            state = "over"
        else:
            state = "none"
        assert state in possible(steps, at, "none"), (seq, state)
    # It comes again from a companion that heard no `stored`: counted once all the same.
    for seq in run.notices:
        assert store.put(run.notice(seq))
    again = [seq for _, seq, _ in store.unseen()]
    assert len(set(again)) == len(again)
    assert all(seq in again for seq in unseen) and not any(seq in again for seq in untold)


def go_on(run, store, root, at, seed):
    """The pin is used on after the cut: no id comes twice, and what is recorded now is whole."""
    issued = [number for number, clip in run.clips.items() if clip.begun <= at]
    data = speech(99, 5000)
    writer = store.begin(run.meta)
    assert writer.number not in issued and writer.number not in store.waiting()
    writer.write(data)
    writer.finish(625)
    store.reconcile()
    waiting, unseen = store.waiting(), store.unseen()
    store = boot(root, seed)
    assert store.waiting() == waiting and store.unseen() == unseen
    assert read_all(store, writer.number)[:2] == (data, False)


def every_cut(run, how, seed, stride=1, also=None):
    replay = cuts.Replay(run.recorder, Random(seed))
    tried = 0
    for at in range(seed % stride, run.total + 1, stride):
        image = replay.cut(at, how)
        try:
            boot_and_check(run, image, at, seed)
            if also:
                also(run, replay.cut(at, how), at)
        except Exception:
            print("cut at operation", at, "of", run.total, how)
            raise
        tried += 1
    return tried


def boot_and_check(run, image, at, seed):
    nor = Nor(BLOCKS, image)
    with Flash(image=image, nor=nor, **run.options) as flash:
        store = boot(flash.root, seed + 100)
        check(run, store, at)
        go_on(run, store, flash.root, at, seed + 200)
        store.close()
    assert nor.violations == 0
    gc.collect()


def wide(seed=3):
    return Run(seed, 150, {"readsize": 128})


def test_every_cut_with_the_last_operation_untorn():
    run = wide()
    assert every_cut(run, cuts.UNTORN, 1) == run.total + 1 > 100


def test_every_cut_with_a_prefix_of_the_last_operation():
    for seed in (2, 3):
        run = wide(seed)
        assert every_cut(run, cuts.PREFIX, seed) == run.total + 1


def test_every_cut_with_random_bits_of_the_last_operation():
    for seed in (4, 5, 6):
        run = wide(seed)
        assert every_cut(run, cuts.BITS, seed) == run.total + 1


def test_cuts_during_the_recovery_from_a_cut():
    nested = []

    def cut_again(run, image, at):
        random = Random(at + 1)
        nor = Nor(BLOCKS, image)
        nor.cut_at = random.below(6)
        try:
            with Flash(image=image, nor=nor, **run.options) as flash:
                boot(flash.root, at).reconcile()
        except (PowerCut, StoreError):
            # The error of a handle that is closed without power may hide the cut itself.
            assert nor.dead
            nested.append(at)
        gc.collect()
        boot_and_check(run, image, at, at + 7)

    run = wide(7)
    assert every_cut(run, cuts.BITS, 8, 1, cut_again) == run.total + 1
    assert len(nested) > 50


def test_cuts_with_small_caches_and_long_notices():
    # The mount of a stock board: nothing above 128 bytes lies in a directory, programs are 128 bytes.
    run = Run(9, 220, {})
    assert run.total > 200
    assert every_cut(run, cuts.BITS, 9) == run.total + 1
    assert every_cut(run, cuts.UNTORN, 10) == run.total + 1


def test_cuts_of_clips_whose_pages_are_parts_of_blocks():
    # A page that ends within a block is synced there, and the block copied when it goes on.
    run = Run(11, 150, {"readsize": 128}, "opus")
    assert run.total > wide().total
    for how in (cuts.UNTORN, cuts.PREFIX, cuts.BITS):
        assert every_cut(run, how, 11) == run.total + 1
