"""The files of clips: partial while they come in, whole once accepted, set aside when they contradict.

    <id>.meta.json    what the pin said of the clip; durable before its first byte is acknowledged
    <id>.part         the bytes so far
    <id>.adpcm        the clip, once the events table knows it as accepted; .packets when it is Opus
    <id>.wav          the same for people's players; .opus when it is Opus
    <id>.K.conflict   bytes that contradicted the pin's; kept for a person to look at, never merged

Everything here blocks on the disk: call it from a thread, one call at a time for each clip.
"""

from __future__ import annotations

import binascii
import contextlib
import errno
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from lapel_companion import audio, durable, opus

# 60 s at 8000 B/s, the kept tail, and room to spare.
MAX_CLIP_BYTES = 520_000
MAX_PARTIALS = 64
MAX_CONFLICTS = 8

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{16}-\d{1,10}")


class NoSuchClip(FileNotFoundError):
    """There is no clip of that id."""


@dataclass(frozen=True)
class ClipMeta:
    """What CLIP said. `press_unix_ms` is the press by the wall clock, None where nobody knew it."""

    id: str
    device: str
    epoch: str
    number: int
    codec: str
    rate_hz: int
    boot: str
    press_ms: int
    press_unix_ms: int | None
    reply_to: str | None


class Partial:
    """A clip that is coming in. `durable_bytes` never counts a byte that is not synced."""

    def __init__(self, folder: Path, meta: ClipMeta) -> None:
        self.meta = meta
        self.durable_bytes = 0
        self.crc = 0
        self._folder = folder
        self._handle = -1
        # A sync failed: what the system shows of the files may not be on the disk.
        self._doubtful = False
        self._opened = False

    @property
    def path(self) -> Path:
        return self._folder / f"{self.meta.id}.part"

    def open(self) -> None:
        """Create or reopen the files; what is there already becomes durable. Raises OSError.

        It is written once more: after a sync that failed the system may hold for clean what never reached
        the disk, and a second sync would only repeat its mistake.
        """
        if self._handle >= 0 and not self._doubtful:
            return
        doubtful, self._doubtful = self._doubtful, True
        meta_path = self._folder / f"{self.meta.id}.meta.json"
        if doubtful or not meta_path.exists():
            durable.write_atomic(meta_path, json.dumps(asdict(self.meta)).encode(), "clip.meta")
        if self._handle < 0:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        data = self._read()
        if self._opened:
            # What came behind the durable bytes was never promised.
            data = data[: self.durable_bytes]
            os.ftruncate(self._handle, len(data))
        if data:
            os.lseek(self._handle, 0, os.SEEK_SET)
            durable.write_all(self._handle, data)
        durable.sync_file(self._handle, "clip.open")
        durable.sync_dir(self._folder, "clip.open")
        self.durable_bytes, self.crc = len(data), binascii.crc32(data)
        self._doubtful, self._opened = False, True

    def append(self, data: bytes) -> int:
        """Add bytes behind the durable ones and sync them; the new durable length. Raises OSError.

        After an error (a full disk) the file is as it was, and the call can be repeated.
        """
        self.open()
        self._still_there()
        try:
            os.lseek(self._handle, self.durable_bytes, os.SEEK_SET)
            durable.write_all(self._handle, data)
            durable.sync_file(self._handle, "clip.part")
        except OSError:
            self._doubtful = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, self.durable_bytes)
            raise
        self.durable_bytes += len(data)
        self.crc = binascii.crc32(data, self.crc)
        return self.durable_bytes

    def sha256(self) -> str:
        """The digest of what the file holds, read back from it. Raises OSError."""
        self.open()
        self._still_there()
        return hashlib.sha256(self._read()).hexdigest()

    def set_aside(self, *, keep: bool = True) -> Path | None:
        """Keep the bytes as a conflict (or not) and begin again with none. Raises OSError."""
        self.close()
        target = self._conflict_name() if keep else None
        if target is None:
            durable.remove(self.path, "clip.conflict")
        else:
            durable.rename(self.path, target, "clip.conflict")
        self.durable_bytes = self.crc = 0
        self.open()
        return target

    def discard(self) -> None:
        """Forget the bytes: whoever has the clip sends it again. Raises OSError."""
        self.close()
        durable.remove(self.path, "clip.orphan")
        durable.remove(self._folder / f"{self.meta.id}.meta.json", "clip.orphan")

    def _still_there(self) -> None:
        """Raises OSError when the folder was moved or removed: what is written now, nobody would find."""
        if not os.path.samestat(os.stat(self.path), os.fstat(self._handle)):
            raise FileNotFoundError(errno.ENOENT, "The clip's file was replaced", str(self.path))

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _read(self) -> bytes:
        size = min(os.fstat(self._handle).st_size, MAX_CLIP_BYTES)
        return os.pread(self._handle, size, 0)

    def _conflict_name(self) -> Path | None:
        for number in range(1, MAX_CONFLICTS + 1):
            target = self._folder / f"{self.meta.id}.{number}.conflict"
            if not target.exists():
                return target
        # Enough evidence is kept; more of it would only fill the disk.
        return None


class ClipFiles:
    """The clips under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decoding = threading.Lock()

    def begin(self, meta: ClipMeta) -> Partial:
        """A partial of that clip; nothing touches the disk before `Partial.open`."""
        if not _ID.fullmatch(meta.id):
            raise NoSuchClip(f"{meta.id} is no clip")
        return Partial(self._folder, meta)

    def recover(self, accepted: Callable[[str], bool]) -> list[Partial]:
        """Partials that an earlier run left, by age. Clips that were accepted meanwhile are finished."""
        found: list[Partial] = []
        for path in sorted(self._folder.glob("*.part"), key=lambda p: p.stat().st_mtime):
            clip_id = path.name.removesuffix(".part")
            meta = _read_meta(self._folder / f"{clip_id}.meta.json")
            if meta is None or meta.id != clip_id:
                # Without its description a partial is only bytes: the pin still has the clip.
                durable.remove(path, "clip.orphan")
            elif accepted(clip_id):
                self.finish(clip_id)
            elif len(found) < MAX_PARTIALS:
                found.append(Partial(self._folder, meta))
        return found

    def whole(self) -> list[str]:
        """The ids of all accepted clips whose recording is here, the oldest first."""
        found = (path for suffix in audio.SUFFIXES.values() for path in self._folder.glob(f"*.{suffix}"))
        files = sorted(found, key=lambda path: path.stat().st_mtime)
        return [path.stem for path in files if _ID.fullmatch(path.stem)]

    def described(self, clip_id: str) -> tuple[ClipMeta, bytes] | None:
        """What the pin said of a clip, and its bytes; None when one of the two is not here."""
        meta = _read_meta(self._folder / f"{clip_id}.meta.json")
        try:
            return (meta, self._coded(clip_id)[1]) if meta is not None else None
        except OSError:
            return None

    def finish(self, clip_id: str) -> None:
        """Give an accepted clip its name, and people a file to play. May be repeated. Raises OSError."""
        part = self._folder / f"{clip_id}.part"
        suffix = audio.SUFFIXES.get(self._codec(clip_id))
        if suffix and part.exists():
            durable.rename(part, self._folder / f"{clip_id}.{suffix}", "clip")
        # Who wants its words is told that they cannot be had.
        with contextlib.suppress(audio.AudioError):
            self.pcm(clip_id)

    def pcm(self, clip_id: str) -> bytes:
        """16-bit little-endian mono PCM of an accepted clip; a file to play is written if it can be.

        Raises NoSuchClip, OSError, audio.AudioError.
        """
        wav = self._named(clip_id, "wav")
        with self._decoding:
            with contextlib.suppress(FileNotFoundError, audio.AudioError):
                return audio.read_wav(wav)
            codec, data = self._coded(clip_id)
            pcm = audio.decode(data, codec)
            # A full disk takes the file from people's players, not the clip from the work.
            with contextlib.suppress(OSError):
                if codec != audio.OPUS:
                    meta = _read_meta(self._folder / f"{clip_id}.meta.json")
                    audio.write_wav(wav, pcm, meta.rate_hz if meta else audio.RATE_HZ)
                elif not (played := self._named(clip_id, "opus")).exists():
                    opus.write_ogg(played, data)
            return pcm

    def _named(self, clip_id: str, suffix: str) -> Path:
        if not _ID.fullmatch(clip_id):
            raise NoSuchClip(f"{clip_id} is no clip")
        return self._folder / f"{clip_id}.{suffix}"

    def _coded(self, clip_id: str) -> tuple[str, bytes]:
        """Codec and bytes."""
        for codec, suffix in audio.SUFFIXES.items():
            with contextlib.suppress(FileNotFoundError):
                return codec, self._named(clip_id, suffix).read_bytes()
        with contextlib.suppress(FileNotFoundError):
            return self._codec(clip_id), self._named(clip_id, "part").read_bytes()
        raise NoSuchClip(f"there is no clip {clip_id}")

    def _codec(self, clip_id: str) -> str:
        meta = _read_meta(self._folder / f"{clip_id}.meta.json")
        return meta.codec if meta else audio.ADPCM


def clip_of(name: str) -> str | None:
    """The id of the clip to which a file of that name belongs, None for any other file."""
    clip_id = name.partition(".")[0]
    return clip_id if _ID.fullmatch(clip_id) else None


def _read_meta(path: Path) -> ClipMeta | None:
    try:
        body = json.loads(path.read_bytes())
        meta = ClipMeta(**body)
    except (OSError, ValueError, TypeError):
        return None
    return meta if _ID.fullmatch(str(meta.id)) else None
