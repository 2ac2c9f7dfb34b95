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
    quarantine,
    store_clips,
    store_files,
    store_ids,
    store_notices,
    store_objects,
    store_space,
)

StoreError = store_files.StoreError
StoreFull = store_files.StoreFull


class Store:
    """`root` is a mounted folder, `random(n) -> bytes` the hardware's, `trace(event, **fields)` reports.

    mount() comes first. The methods are those of the parts below, under the same names: look there
    for what they promise. Clip methods, settings.save() and add_cancel() raise StoreError with a
    sentence; those of notices answer False instead, because a message must go unanswered then.
    """

    def __init__(self, root: str, random, trace, statvfs=None) -> None:
        self.root = root
        state = root + "/state"
        self._state = state
        self._trace = trace
        self._space = store_space.Space(root, statvfs)
        self.quarantine = quarantine.Quarantine(root, trace)
        self._ids = store_ids.ClipIds(
            state + "/device", (state + "/counter", root + "/clips/counter"), random, self.quarantine, trace
        )

        clips = store_clips.Clips(root + "/clips", state + "/tally", self._ids, self._space, self.quarantine, trace)
        self._clips = clips
        self.begin = clips.begin
        self.fits = clips.fits
        self.waiting = clips.waiting
        self.clip_id = clips.clip_id
        self.open = clips.open
        self.remove = clips.remove
        self.new_epoch = self._ids.new_epoch

        notices = store_notices.Notices(root + "/notices", state + "/marks", self.quarantine, trace)
        self.notices = notices
        self.put = notices.put
        self.has_notice = notices.has_notice
        self.get_notice = notices.get_notice
        self.newest_notice = notices.newest_notice
        self.unseen = notices.unseen
        self.mark_seen = notices.mark_seen
        self.mark_all_seen = notices.mark_all_seen
        self.retract = notices.retract
        self.pending_seen = notices.pending_seen
        self.seen_answered = notices.seen_answered
        self.know_companion = notices.know_companion
        self.notice_high = notices.notice_high

        self._cancels = store_objects.Cancels(state + "/cancels", random, self.quarantine)
        self.add_cancel = self._cancels.add
        self.pending_cancels = self._cancels.pending
        self.cancel_answered = self._cancels.answered

        self.settings = store_objects.SettingsFile(state + "/settings", self.quarantine)
        self.recent = recent_clips.RecentClips()

    def mount(self) -> None:
        """Loads and recovers everything. Afterwards see quarantined and cut_found."""
        store_files.make_folder(self._state)
        self.quarantine.mount()
        highest = self._clips.mount()
        self._ids.mount(highest)
        self.notices.mount()
        self._cancels.mount()
        self.settings.mount()
        try:
            self._space.measure()
        except StoreError as error:
            # No clip can begin, but those that wait can be sent.
            self.quarantine.count += 1
            self._trace("store_error", error=str(error))

    def reconcile(self) -> None:
        """Slow work for an idle pin: reserves ids ahead, removes what is over, counts the free space."""
        if self._clips.recording:
            return
        self._clips.look_again()
        self._ids.reserve_ahead()
        self.notices.sweep()
        self._space.measure()

    def close(self) -> None:
        """Closes every file handle."""
        self._clips.close()

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
    def settings_id(self) -> int:
        """Id of the settings that were loaded or saved last, 0 for the defaults."""
        return self.settings.id

    @property
    def free_bytes(self) -> int:
        """Free space as counted in RAM."""
        return self._space.free_blocks * 4096

    @property
    def quarantined(self) -> int:
        """Files that could not be read since the start, most of them set aside: the person should know."""
        return self.quarantine.count

    @property
    def aside(self):
        """What lies in quarantine, also from earlier starts: "clip-00000007 checksum does not match", ..."""
        return self.quarantine.held

    @property
    def cut_found(self) -> int:
        """Clips that a power loss or a failing flash had ended before the person did."""
        return self._clips.cut_found
