"""The newest clips of this boot: what a triple tap may still call back. In RAM on purpose.

The undo window is measured by the pin's clock since boot, so nothing older than the boot could
be judged anyway.
"""

RECENT_MAX = 8


class RecentClips:
    """Clips in the order of their press."""

    def __init__(self) -> None:
        # [epoch, number, press in ms since boot, dispatch or None], newest last.
        self._clips = []

    def captured(self, epoch: str, number: int, press_ms: int) -> None:
        """A clip was captured."""
        self._clips.append([epoch, number, press_ms, None])
        del self._clips[:-RECENT_MAX]

    def accepted(self, epoch: str, number: int, dispatch: str) -> None:
        """The companion made it a dispatch. Nothing happens when it is not one of the newest."""
        for clip in self._clips:
            if clip[0] == epoch and clip[1] == number:
                clip[3] = dispatch

    def newest(self):
        """(epoch, number, press in ms since boot, dispatch or None), or None."""
        return tuple(self._clips[-1]) if self._clips else None

    def cancelled(self, epoch: str, number: int) -> None:
        """It is called back: the one before it is the newest now."""
        self._clips = [clip for clip in self._clips if clip[0] != epoch or clip[1] != number]
