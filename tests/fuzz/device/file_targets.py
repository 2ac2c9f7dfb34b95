"""What lies on the pin's flash: records, and the files of the store made of them."""

import binascii
import os
import struct

import place
from clips import plenty
from draw import Draw
from flash import Random, Trace
from verdicts import crc, shown

from lapel.core import clip_layout, notice_marks, records, settings
from lapel.core.seq_ranges import SeqRanges
from lapel.services import clip_reader, clip_recovery, pairing, quarantine
from lapel.services.store import Store
from lapel_wire import schema

EPOCH = "00112233445566ff"
# The store's files: the name, and the kind of record in it.
FILES = (
    ("state/device", records.DEVICE),
    ("state/counter", records.COUNTER),
    ("clips/counter", records.COUNTER),
    ("state/tally", records.TALLY),
    ("state/cancels", records.CANCELS),
    ("state/settings", records.SETTINGS),
    ("state/marks", records.MARKS),
    ("state/key", records.KEY),
    ("notices/00000001", records.NOTICE),
    ("notices/00000002", records.NOTICE),
    ("clips/00000001", records.HEADER),
    ("clips/00000002", records.HEADER),
    ("quarantine/a", 0),
    ("notices/name", 0),
)


def record(data):
    """Bytes as a record, as they are and with a right checksum. What is taken is written again as it was."""
    kind, body = (data[0], data[1:]) if data else (0, b"")
    whole = records.pack(kind, body[: records.BODY_MAX_BYTES])
    assert records.unpack(kind, whole) == records.unpack(kind, whole + b"more", exact=False)
    try:
        found = records.unpack(kind, body)
    except records.BadRecord as bad:
        return str(bad)
    assert records.pack(kind, found) == body
    return crc(found)


def marks(data):
    """Bytes as the marks of notices. What is taken is written again as it was, and stays within its bounds."""
    try:
        found = notice_marks.Marks(data)
    except records.BadRecord as bad:
        return str(bad)
    assert found.pack() == data
    epochs = [EPOCH] + [epoch for epoch, _ in found.untold()]
    for epoch in epochs:
        found.adopt(epoch)
        found.finish(epoch, range(1, 120, 3), True)
        assert found.is_done(epoch, 4)
    assert len(found.pack()) <= notice_marks.EPOCHS_MAX * (10 + 8 * 24 + 4 * 64)
    assert notice_marks.Marks(found.pack()).pack() == found.pack()
    return crc(data)


def ranges(data):
    """Numbers in any order into a set of ranges: nothing is ever forgotten, and the ranges stay in order."""
    draw, taken, found = Draw(data), [], SeqRanges((), 4)
    while draw.left:
        number = draw.byte()
        taken.append(number)
        found.add(number)
        kept = found.ranges()
        assert len(kept) <= 4 and found.highest() == max(taken)
        assert all(before[1] + 1 < after[0] for before, after in zip(kept, kept[1:]))
    assert all(number in found for number in taken)
    return "%s %d" % (found.ranges(), found.merged)


def pin_settings(data):
    """A flat object as the wire lets it through: what the pin makes of it is itself whole and in range."""
    try:
        values = schema.read(("settings", "v", "settings"), b'{"v":' + bytes(data) + b"}")["v"]
    except ValueError:
        return "refused"
    whole = settings.salvaged(values)
    assert settings.merged({}, whole) == whole == settings.salvaged(whole)
    try:
        settings.merged(values)
        said = "taken"
    except settings.BadSettings as bad:
        # A dictionary has no order here, so which of several mistakes is named is open.
        said = str(bad) if len(values) == 1 else "wrong"
    quiet = [minute for minute in range(0, 1440, 97) if settings.is_quiet(whole, minute)]
    return "%s %s %s" % (said, [whole[name] for name in sorted(whole)], quiet)


def clip(data):
    """A clip's file: its header with any text, audio, and then bytes of it changed or cut off."""
    draw, path = Draw(data), place.empty() + "/clip"
    header = records.pack(records.HEADER, draw.block()[: records.BODY_MAX_BYTES])
    size = write_clip(path, header, draw.number(2) % 9000, draw.byte() & 1)
    if draw.byte() & 1:
        place.cut(path, draw.number(2) % size)
    with open(path, "r+b") as file:
        for _ in range(draw.byte() % 4):
            file.seek(draw.number(2) % size)
            file.write(draw.piece(1))
        file.seek(0, 2)
        file.write(draw.rest())
    return settled(path)


def write_clip(path, header, length, ended):
    """A clip as it is written: pages with their CRC32, and an end record where it was ended. The file's size."""
    stream = memoryview(header + bytes(length))
    page, at = 0, 0
    with open(path, "wb") as file:
        while at < len(stream):
            payload = stream[at : at + clip_layout.payload_bytes(page)]
            file.write(payload)
            file.write(struct.pack("<I", records.crc32(payload)))
            page, at = page + 1, at + len(payload)
        if ended:
            file.write(clip_layout.pack_end(length, length // 8, bytes(32), False))
        return file.tell()


def settled(path):
    """What a clip file is worth. Settled once, it stays what it is."""
    pages, reports = clip_reader.PageCache(), []
    state, detail, epoch = clip_recovery.settle(path, 1, pages, reports.append)
    again = clip_recovery.settle(path, 1, pages, reports.append)
    wanted = clip_recovery.WHOLE if state == clip_recovery.CUT else state
    assert again == (wanted, detail, epoch) and not reports
    # Why a text is no clip's is said in two ways, by two readers of JSON.
    return "broken" if state == clip_recovery.BROKEN else "%s %s %s" % (state, detail, epoch)


def store(data):
    """Any of the store's files with any content under a right checksum: the pin starts, and works."""
    root, draw = place.empty(), Draw(data)
    _make_folders(root)
    while draw.left:
        name, kind = draw.pick(FILES)
        body = records.pack(kind, draw.block()[: records.BODY_MAX_BYTES])
        if kind == records.HEADER:
            write_clip(root + "/" + name, body, draw.byte(), draw.byte() & 1)
        else:
            place.write(root + "/" + name, body)
    return "%s; %s" % (started(root), started(root))


def _make_folders(root):
    for name in ("state", "clips", "notices", "quarantine"):
        os.mkdir(root + "/" + name)


def started(root):
    """A start of the pin and some work on it; what it says of itself."""
    trace = Trace()
    store = Store(root, Random(1), trace, plenty)
    store.mount()
    paired = pairing.Pairing(root, quarantine.Quarantine(root, trace))
    told = [paired.is_paired, paired.generation]
    told += [store.device, store.epoch, store.highest, store.waiting(), len(store.aside), store.quarantined]
    told += [store.cut_found, store.settings.load()[0], [pending["n"] for pending in store.pending_cancels()]]
    settings.salvaged(store.settings.load()[1])
    for number in store.waiting():
        told += [store.clip_id(number), _sound(store, number)]
    for epoch, seq, _ in store.unseen():
        told += [epoch, seq, store.notice_high(epoch), store.get_notice(epoch, seq)["x"]]
    told += list(store.pending_seen())
    store.put({"ep": EPOCH, "s": 5, "k": "done", "d": "d1", "j": None, "x": "a result"})
    told.append(store.mark_all_seen())
    store.reconcile()
    number = store.begin({"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 1, "t": None, "re": None})
    number.abort()
    store.close()
    for event, fields in trace.events:
        # The one error that comes of what is written in a file.
        assert event != "store_error" or "recordings are missing" in fields["error"], fields
    return crc(shown(told).encode())


def _sound(store, number):
    reader, buffer = store.open(number), bytearray(500)
    got = reader.read_at(0, buffer)
    meta = reader.meta
    reader.close()
    return [got, binascii.crc32(buffer) & 0xFFFFFFFF, meta["ms"], meta["re"]]
