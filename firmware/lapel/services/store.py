"""Everything on the pin that must survive a power cut, under one folder of a LittleFS.

    clips/NNNNNNNN    clips (core/clip_layout.py)     notices/NNNNNNNN  notices
    state/...         device, counter, marks, cancels, settings (core/records.py)
    quarantine/...    what could not be understood

The file system survives a cut at any operation; what is built on it here adds: nothing is said
to be stored before it is, an id is never given twice, and what is half there is made whole or
set aside. Runs on a plain folder of CPython as well.
"""

from lapel.core import recent_clips
from lapel.services import (
    clip_recovery,
    store_clips,
    store_files,
    store_ids,
    store_notices,
    store_objects,
    store_space,
)

StoreError = store_files.StoreError
StoreFull = store_files.StoreFull
NoticeFull = store_notices.NoticeFull


class Store:
    """`root` is a mounted folder, `random(n) -> bytes` the hardware's, `trace(event, **fields)` reports.

    mount() comes first. Parts: notices (store_notices.Notices), cancels, settings (store_objects),
    recent (core/recent_clips.RecentClips). Every method that touches the flash may raise
    StoreError, with a sentence.
    """

    def __init__(self, root: str, random, trace, statvfs=None) -> None:
        state = root + "/state"
        self._state = state
        self._space = store_space.Space(root, statvfs)
        self._ids = store_ids.ClipIds(state, random, trace)
        self._quarantine = clip_recovery.Quarantine(root + "/quarantine", trace)
        self._clips = store_clips.Clips(root + "/clips", self._ids, self._space, self._quarantine, trace)
        self.notices = store_notices.Notices(root + "/notices", state + "/marks", self._quarantine, trace)
        self.cancels = store_objects.Cancels(state + "/cancels", random, trace)
        self.settings = store_objects.SettingsFile(state + "/settings", trace)
        self.recent = recent_clips.RecentClips()
        # One store for its users, in modules of one subject each: see store_clips.Clips for these five.
        self.begin = self._clips.begin
        self.fits = self._clips.fits
        self.waiting = self._clips.waiting
        self.open = self._clips.open
        self.remove = self._clips.remove

    def mount(self) -> None:
        """Loads and recovers everything. Afterwards see quarantined and cut_found."""
        store_files.make_folder(self._state)
        highest = self._clips.mount()
        self._ids.mount(highest)
        self.notices.mount()
        self.cancels.mount()
        self._space.measure()

    def reconcile(self) -> None:
        """Slow work for an idle pin: reserves ids ahead, removes what is over, counts the free space."""
        if self._clips.recording:
            return
        self._ids.reserve_ahead()
        self.notices.sweep()
        self._space.measure()

    def close(self) -> None:
        """Closes every file handle."""
        self._clips.close()

    def new_epoch(self) -> str:
        """Begins a new clip epoch: the companion knows of clips that we do not."""
        return self._ids.new_epoch()

    @property
    def device(self) -> str:
        """Device id, 8 hex digits, made at the first mount."""
        return self._ids.device

    @property
    def epoch(self) -> str:
        """Epoch of the clips that begin now, 16 hex digits. Waiting clips carry their own."""
        return self._ids.epoch

    @property
    def highest(self) -> int:
        """No clip with a greater number was begun in this epoch."""
        return self._ids.highest

    @property
    def free_bytes(self) -> int:
        """Free space as counted in RAM."""
        return self._space.free_blocks * 4096

    @property
    def quarantined(self) -> int:
        """Files set aside since the start: something was lost, and the person should know."""
        return self._quarantine.count

    @property
    def cut_found(self) -> int:
        """Clips that a power loss or a failing flash had ended before the person did."""
        return self._clips.cut_found
