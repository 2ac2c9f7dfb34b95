"""Reads a clip by offset, checking each page, also while it is still being recorded."""

import io

from lapel.core import clip_layout, records
from lapel.services import clip_header, store_files


class PageCache:
    """One page of one clip in RAM, checked against its CRC32. Shared by all readers: 4 kB once."""

    def __init__(self) -> None:
        self._buffer = bytearray(clip_layout.BLOCK_BYTES)
        self._view = memoryview(self._buffer)
        self._owner = None
        self._start = -1
        self._bytes = 0

    def forget(self) -> None:
        """Nothing is in the cache any more."""
        # The owner None is one like others.
        self._owner, self._start = None, -1

    def load(self, owner, file, start: int, payload: int):
        """A view of the `payload` bytes of the page at file offset `start`, or None when they fail their CRC32.
        Raises OSError."""
        if self._owner is owner and self._start == start and self._bytes == payload:
            return self._view[:payload]
        self.forget()
        file.seek(start)
        size = payload + clip_layout.CRC_BYTES
        if file.readinto(self._view[:size]) != size:
            return None
        wanted = int.from_bytes(self._view[payload:size], "little")
        if records.crc32(self._view[:payload]) != wanted:
            return None
        self._owner, self._start, self._bytes = owner, start, payload
        return self._view[:payload]


class ClipReader:
    """Made by Store.open(). `size` is what can be read now.

    That is all of a finished clip, and the synced part of one being recorded. `complete` says that
    the end is known; then `ms`, `sha` (hex) and `cut` are set. A page that fails its CRC32 ends the
    clip there: it becomes shorter, and `cut`.
    """

    def __init__(self, clips, number: int, path: str, writer=None) -> None:
        self.number = number
        self.size = 0
        self.complete = False
        self.cut = False
        self.ms = 0
        self.sha = None
        self.meta = writer.meta if writer else None
        self._clips = clips
        self._path = path
        self._writer = writer
        self.header_bytes = 0
        self._file: io.FileIO = None
        self._closed = False
        self.refresh()

    def refresh(self) -> None:
        """Looks how far the clip has got. Raises StoreError."""
        self._check_open()
        writer = self._writer
        if writer is not None and writer.open and writer.synced == self.size:
            return
        if writer is None and self._file is not None:
            return
        self._open()
        if writer is not None and writer.open:
            self.size = writer.synced
            return
        self._writer = None
        self._read_end()
        self.complete = True

    def read_at(self, offset: int, buffer) -> int:
        """Fills `buffer` with audio from `offset`; the count, 0 behind the end of what there is."""
        self._check_open()
        if offset + len(buffer) > self.size:
            self.refresh()
        wanted = min(len(buffer), self.size - offset)
        done = 0
        while done < wanted:
            part, at = self._page_at(offset + done)
            if part is None:
                break
            step = min(wanted - done, len(part) - at)
            buffer[done : done + step] = part[at : at + step]
            done += step
        return done

    def crc(self, offset: int, start: int = 0, value: int = 0) -> int:
        """CRC32 of the audio from `start` to `offset`, continuing from `value`.

        Long prefixes can be asked for in steps, with other work in between. Raises StoreError when
        the clip does not reach so far.
        """
        self._check_open()
        if offset > self.size:
            self.refresh()
        while start < offset:
            part, at = self._page_at(start) if offset <= self.size else (None, 0)
            if part is None:
                raise store_files.StoreError(
                    "clip %d has %d bytes, not %d" % (self.number, self.size, offset)
                )
            step = min(offset - start, len(part) - at)
            value = records.crc32(part[at : at + step], value)
            start += step
        return value

    def close(self) -> None:
        """Closes the handle. The reader is of no use afterwards."""
        self._closed = True
        self._close_file()
        self._clips.reader_closed(self)

    def _check_open(self) -> None:
        if self._closed:
            raise store_files.StoreError("the reader of clip %d is closed" % self.number)

    def _page_at(self, offset: int):
        position = self.header_bytes + offset
        parts = clip_layout.parts(self.meta)
        page = clip_layout.page_of(position, parts)
        start = clip_layout.stream_start(page, parts)
        payload = min(clip_layout.payload_bytes(page, parts), self.header_bytes + self.size - start)
        lies_at = clip_layout.page_start(page, parts)
        for _ in range(2):
            try:
                view = self._clips.pages.load(self, self._file, lies_at, payload)
            except OSError:
                view = None
            if view is not None:
                return view, position - start
            # Once more, before it counts as damaged, by a handle that has nothing in its cache and knows the file as
            # it is: a last block that was not full has been copied since, and given away.
            self._open()
        if not self.complete:
            raise store_files.StoreError("clip %d cannot be read back while it is recorded" % self.number)
        self._mend(max(0, start - self.header_bytes))
        return None, 0

    def _mend(self, good_bytes=None) -> None:
        self._close_file()
        self.size, self.ms, self.sha, self.cut = self._clips.mend(self, good_bytes)
        self._open()

    def _read_end(self) -> None:
        try:
            end = self._clips.end_of(self._file, self)
        except OSError as error:
            raise store_files.failure(error, "reading the end of clip %d" % self.number) from None
        if end is None:
            self._mend()
        else:
            self.size, self.ms, self.sha, self.cut = end

    def _open(self) -> None:
        self._close_file()
        try:
            self._file = open(self._path, "rb")
            if not self.header_bytes:
                head = self._file.read(clip_layout.HEADER_MAX_BYTES)
                self.meta, self.header_bytes = clip_header.unpack(head)
        except OSError as error:
            raise store_files.failure(error, "opening clip %d" % self.number) from None
        except records.BadRecord as bad:
            if self._writer is None or self._writer.synced:
                raise store_files.StoreError("clip %d cannot be read: %s" % (self.number, bad)) from None

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
