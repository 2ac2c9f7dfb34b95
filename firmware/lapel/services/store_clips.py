"""The clips on flash: begun, kept in order until accepted, recovered after a power cut."""

import struct

from lapel.compat import const
from lapel.core import clip_layout, records
from lapel.services import clip_reader, clip_recovery, clip_writer, store_files
from lapel_wire import messages

# More would cost RAM and time at every listing; at the press it counts as full.
WAITING_MAX = 200
_READERS_MAX = const(4)


class Clips:
    """Files `NNNNNNNN` (the clip's number) in `folder`. `ids` ClipIds, `space` Space.

    How many wait, and which is the newest, stands in another folder, in the file `tally`: where bits of a folder
    rot, LittleFS goes back to what it was before, and clips are gone without a word.
    """

    def __init__(self, folder: str, tally: str, ids, space, quarantine, trace) -> None:
        self.pages = clip_reader.PageCache()
        # Clips that a power cut, or a flash that failed, had ended.
        self.cut_found = 0
        # Handles that reported an error when they were closed after another error.
        self.close_failures = 0
        self._folder = folder
        self._tally = tally
        self._ids = ids
        self._space = space
        self._quarantine = quarantine
        self._trace = trace
        self._waiting = []
        # What the tally says: (how many, the newest number); clips that mount() found broken.
        self._tallied = (-1, 0)
        self._broken = 0
        # Numbers of clips that the flash did not let us look at.
        self._unread = []
        # (first number, epoch): numbers go on over epochs, so these few say which epoch a clip is of.
        self._epochs = []
        self._writer: clip_writer.ClipWriter = None
        self._readers = []

    def mount(self) -> int:
        """Looks at every file; the highest number that was there. Raises StoreError when it cannot list."""
        store_files.make_folder(self._folder)
        self._waiting, self._epochs, self._unread = [], [], []
        self._broken = 0
        highest = 0
        for number in store_files.numbered(self._folder):
            highest = number
            self._settle(number)
        tallied = self._quarantine.load(self._tally, records.TALLY, _tally)
        if tallied is not None:
            self._tallied = tallied
        count, newest = self._tallied
        missing = count - len(self._waiting) - len(self._unread) - self._broken
        # What goes back in time brings removed clips back, too: as many may be there, and the newest is not.
        if missing > 0 or newest > highest:
            self._quarantine.count += 1
            self.report("recordings are missing, at least %d: the flash has lost them" % max(missing, 1))
        self._count()
        return highest

    def look_again(self) -> None:
        """At clips that could not be read before."""
        unread, self._unread = self._unread, []
        for number in unread:
            self._settle(number)
        self._count()

    def begin(self, meta: dict) -> clip_writer.ClipWriter:
        """A writer for a new clip. `meta`: codec, rate, boot, ms, t, re; ep and n are added.

        One clip at a time: one that was begun and never ended (its recorder died) ends here, cut.
        """
        if self._writer is not None:
            self._writer.give_up()
        number = self._ids.take()
        if not self._space.take_one():
            raise store_files.StoreFull("flash is full: no clip can begin")
        whole = dict(meta)
        whole["ep"] = self._ids.epoch
        whole["n"] = number
        self._note_epoch(number, whole["ep"])
        self._writer = clip_writer.ClipWriter(self, number, whole, self._path(number))
        return self._writer

    def fits(self, ms: int, rate: int = 16000) -> bool:
        """Whether a clip of that length fits beside what must always fit. Counts in RAM only."""
        stream = clip_layout.HEADER_MAX_BYTES + ms * clip_layout.bytes_per_second({"rate": rate}) // 1000
        return len(self._waiting) < WAITING_MAX and self._space.fits(
            clip_layout.blocks(clip_layout.file_bytes(stream))
        )

    def waiting(self):
        """Numbers of the finished clips, oldest first."""
        return list(self._waiting)

    def clip_id(self, number: int) -> str:
        """The full id of a waiting clip or of the one being recorded."""
        epoch = self._ids.epoch
        for first, begun in self._epochs:
            if number >= first:
                epoch = begun
        return messages.clip_id(self._ids.device, epoch, number)

    def open(self, number: int) -> clip_reader.ClipReader:
        """A reader of a waiting clip or of the one being recorded. Raises StoreError."""
        writer = self._writer if self._writer is not None and self._writer.number == number else None
        if writer is None and number not in self._waiting:
            raise store_files.StoreError("there is no clip %d" % number)
        if len(self._readers) >= _READERS_MAX:
            raise store_files.StoreError("%d clips are open already" % _READERS_MAX)
        reader = clip_reader.ClipReader(self, number, self._path(number), writer)
        self._readers.append(reader)
        return reader

    def remove(self, number: int) -> bool:
        """Deletes a clip, whose readers close; False when there is none. Only `accepted` may do that."""
        if number not in self._waiting:
            return False
        for reader in list(self._readers):
            if reader.number == number:
                reader.close()
        path = self._path(number)
        blocks = clip_layout.blocks(store_files.size(path))
        # First: a power cut in between leaves one more than is told, and not one that seems lost.
        self._count(number)
        store_files.remove(path)
        self._waiting.remove(number)
        self._space.give(blocks)
        return True

    @property
    def recording(self) -> bool:
        """Whether a clip is being written: no time for slow work."""
        return self._writer is not None

    def close(self) -> None:
        """Closes every handle. A clip that is being recorded ends here, cut."""
        for reader in list(self._readers):
            reader.close()
        if self._writer is not None:
            self._writer.give_up()

    # What the writer and the readers call.

    def take_block(self, writer) -> bool:
        """One more block for the clip that is being written."""
        if not self._space.take_one():
            return False
        writer.blocks += 1
        return True

    def finished(self, writer, size_bytes: int) -> None:
        """The clip is whole and durable."""
        self._writer = None
        self._space.give(writer.blocks - clip_layout.blocks(size_bytes))
        self._waiting.append(writer.number)
        self._count()

    def aborted(self, writer) -> None:
        """The clip's file is gone."""
        self._writer = None
        self._space.give(writer.blocks)

    def failed(self, writer) -> None:
        """The flash failed under the writer: what was synced becomes a cut clip."""
        self._writer = None
        self._settle(writer.number)
        self._count()

    def end_of(self, file, reader):
        """(bytes, ms, SHA-256 in hex, cut) of a reader's open file, or None. Raises OSError."""
        return clip_recovery.read_end(file, reader.header_bytes, reader.meta)

    def mend(self, reader, good_bytes=None):
        """As end_of() of a finished clip that is damaged, or has no end: it ends before the damage from now on."""
        self._trace("clip_damaged", n=reader.number, bytes=reader.size, good=good_bytes)
        return clip_recovery.mend(
            self._path(reader.number), reader.number, reader.header_bytes, reader.meta, self.pages, self.report,
            good_bytes,
        )  # fmt: skip

    def report(self, error) -> None:
        """A failure that nobody waits for."""
        self._trace("store_error", error=str(error))

    def reader_closed(self, reader) -> None:
        """The reader is of no use any more."""
        self.pages.forget()
        if reader in self._readers:
            self._readers.remove(reader)

    def _path(self, number: int) -> str:
        return store_files.name(self._folder, number)

    def _note_epoch(self, number: int, epoch: str) -> None:
        if not self._waiting:
            self._epochs = []
        if not self._epochs or self._epochs[-1][1] != epoch:
            self._epochs.append((number, epoch))
            self._epochs.sort()

    def _count(self, without: int = 0) -> None:
        left = [number for number in self._waiting + self._unread if number != without]
        tally = len(left), max(left) if left else 0
        if tally == self._tallied:
            return
        try:
            store_files.save(self._tally, records.TALLY, struct.pack("<II", *tally))
            self._tallied = tally
        except store_files.StoreError as error:
            self.report(error)

    def _settle(self, number: int) -> None:
        path = self._path(number)
        try:
            state, detail, epoch = clip_recovery.settle(path, number, self.pages, self.report)
            if state == clip_recovery.EMPTY:
                # Of that hold nothing was synced.
                store_files.remove(path)
                return
        except store_files.StoreError as error:
            # It stays where it is, until the pin is idle or starts anew.
            self._unread.append(number)
            self._quarantine.count += 1
            self.report(error)
            return
        if state == clip_recovery.BROKEN:
            self._broken += 1
            self._quarantine.take(path, detail)
            return
        if state == clip_recovery.CUT:
            self.cut_found += 1
            self._trace("clip_cut", n=number, bytes=detail)
        self._note_epoch(number, epoch)
        self._waiting.append(number)
        self._waiting.sort()


def _tally(body):
    if len(body) != 8:
        raise records.BadRecord("a tally of %d bytes" % len(body))
    return struct.unpack("<II", body)
