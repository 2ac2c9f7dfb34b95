"""Writes one clip to flash while it is spoken. Layout: core/clip_layout.py."""

import binascii
import hashlib
import io
import struct

from lapel.compat import const
from lapel.core import clip_layout
from lapel.services import clip_header, store_files

# Big pieces cost the file system fewer calls; small ones leave little to write when the person lets go.
_PIECE_BYTES = const(512)


class ClipWriter:
    """One clip being recorded, made by Store.begin(); finish() or abort() ends it.

    `synced` counts the bytes of audio that no power cut can take any more. `write` allocates
    nothing but at a page's end (and, each 512 bytes, a CRC32 above 2^30 on a 32-bit port). After
    StoreFull, finish() keeps what went in before; after any other StoreError the clip is closed,
    and what was synced waits as a cut clip.
    """

    def __init__(self, clips, number: int, meta: dict, path: str) -> None:
        self._header = clip_header.pack(meta)
        self.number = number
        self.meta = meta
        self.synced = 0
        self.open = True
        self.cut = False
        # Blocks of flash taken so far.
        self.blocks = 1
        self._clips = clips
        self._path = path
        self._sha = hashlib.sha256()
        self._written = 0
        self._page = 0
        self._parts = clip_layout.parts(meta)
        # Bytes of the stream that the page still takes; 0 when there is no block for another page.
        self._room = clip_layout.payload_bytes(0, self._parts)
        self._crc = 0
        self._crc_bytes = bytearray(clip_layout.CRC_BYTES)
        # Gathers a piece: unlike a slice assignment, its write() and readinto() allocate nothing,
        # once the first write has given it a buffer of its own.
        self._gathered = io.BytesIO(bytes(_PIECE_BYTES))
        self._gathered.write(bytes(_PIECE_BYTES))
        self._gathered.seek(0)
        self._fill = 0
        self._piece = memoryview(bytearray(_PIECE_BYTES))
        try:
            self._file = open(path, "wb")
        except OSError as error:
            raise store_files.failure(error, "beginning clip %d" % number) from None
        try:
            self._put(self._header)
        except OSError as error:
            raise self._failed(error) from None

    @property
    def size(self) -> int:
        """Bytes of audio taken so far."""
        return self._written + self._fill

    def write(self, data) -> None:
        """Appends audio: bytes or a memoryview of any length. Raises StoreError, StoreFull."""
        self._check_open()
        length = len(data)
        if length <= _PIECE_BYTES - self._fill:
            self._gather(data)
            return
        at = 0
        while at < length:
            step = min(length - at, _PIECE_BYTES - self._fill)
            self._gather(data[at : at + step])
            at += step

    def finish(self, ms: int, cut: bool = False):
        """Makes the clip whole and durable: (bytes, SHA-256 in hex). `cut`: something said is missing."""
        self._check_open()
        self._drain_what_fits()
        digest = self._sha.digest()
        self.cut = self.cut or cut
        try:
            if self._room and self._room != clip_layout.payload_bytes(self._page, self._parts):
                self._put_crc()
            self._file.write(clip_layout.pack_end(self.size, ms, digest, self.cut))
            self._file.flush()
            self._close()
        except OSError as error:
            raise self._failed(error) from None
        self.synced = self.size
        self._clips.finished(self, clip_layout.file_bytes(len(self._header) + self.size, self._parts))
        return self.size, binascii.hexlify(digest).decode()

    def abort(self) -> None:
        """Forgets the clip. A second call, or one after finish(), does nothing."""
        if not self.open:
            return
        # Removed first, then closed: LittleFS does not commit the content of a removed file.
        try:
            store_files.remove(self._path)
        finally:
            self._close_quietly()
            self._clips.aborted(self)

    def give_up(self) -> None:
        """Nobody will end it any more: what went in waits as a cut clip, and nothing as no clip."""
        if not self.open:
            return
        try:
            if self.size:
                self.finish(clip_layout.duration_ms(self.meta, self.size), True)
            else:
                self.abort()
        except store_files.StoreError as error:
            self._clips.report(error)

    def _check_open(self) -> None:
        if not self.open:
            raise store_files.StoreError("clip %d is closed" % self.number)

    def _gather(self, data) -> None:
        self._gathered.write(data)
        self._fill += len(data)
        if self._fill == _PIECE_BYTES:
            self._drain()

    def _drain(self) -> None:
        fill, self._fill = self._fill, 0
        if not fill:
            return
        self._gathered.seek(0)
        self._gathered.readinto(self._piece)
        self._gathered.seek(0)
        try:
            if fill == _PIECE_BYTES and fill < self._room:
                self._sha.update(self._piece)
                self._put(self._piece)
                self._written += _PIECE_BYTES
            else:
                self._put_across(fill)
        except OSError as error:
            raise self._failed(error) from None

    def _put_across(self, fill: int) -> None:
        at = 0
        while at < fill:
            if not self._room:
                self.cut = True
                raise store_files.StoreFull(
                    "flash is full: clip %d ends after %d bytes" % (self.number, self.size)
                )
            part = self._piece[at : at + min(fill - at, self._room)]
            self._sha.update(part)
            self._put(part)
            self._written += len(part)
            at += len(part)
            if not self._room:
                self._end_page()

    def _drain_what_fits(self) -> None:
        try:
            self._drain()
        except store_files.StoreFull:
            # The clip ends where the room ended; closed, it was the flash itself that gave up.
            if not self.open:
                raise

    def _put(self, part) -> None:
        self._crc = binascii.crc32(part, self._crc)
        self._file.write(part)
        self._room -= len(part)

    def _end_page(self) -> None:
        self._put_crc()
        page = self._page = self._page + 1
        has_block = page % self._parts or self._clips.take_block(self)
        self._room = clip_layout.payload_bytes(page, self._parts) if has_block else 0
        self._crc = 0
        self._file.flush()
        self.synced = clip_layout.stream_start(page, self._parts) - len(self._header)

    def _put_crc(self) -> None:
        struct.pack_into("<I", self._crc_bytes, 0, self._crc)
        self._file.write(self._crc_bytes)

    def _failed(self, error: OSError):
        self._close_quietly()
        failure = store_files.failure(error, "writing clip %d" % self.number)
        self._clips.failed(self)
        return failure

    def _close(self) -> None:
        self.open = False
        self._file.close()

    def _close_quietly(self) -> None:
        try:
            self._close()
        except OSError:
            # The handle is freed all the same; what matters was reported or is being removed.
            self._clips.close_failures += 1
