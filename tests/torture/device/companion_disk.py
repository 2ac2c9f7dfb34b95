"""What the model of a companion has made durable, and what an outside witness saw of it.

The disk may be copied, lost back to an older copy, or be all that is left after a crash. The witness is
never restored: agents write their ledger themselves, and the truth knows every notice that was recorded.
"""

import gc
import hashlib

from sound import ADPCM

from lapel_audio.adpcm import Decoder
from lapel_audio.frames import packets

# States of a dispatch.
ACCEPTED, ATTEMPTED, OVER = 0, 1, 2
# Flags of a notice.
SENT, STORED, SEEN, TOLD, RETRACTED, MOVED = 1, 2, 4, 8, 16, 32

# What became of a notice, for the witness.
UNSEEN, SEEN_BY_PIN, SEEN_HERE, WITHDRAWN = 0, 1, 2, 3

_DECODE_BYTES = 2048
# Packets of the longest clip, and more.
_PACKETS_MAX = 4000


class Ears:
    """Digests what was said in clips; the same clip is heard once."""

    def __init__(self):
        self._heard = {}

    def digest(self, data, codec):
        """SHA-256 in hex of what is heard in these bytes: of 16-bit PCM, or of the whole packets of Opus, which no
        decoder hears otherwise."""
        key = (codec, hashlib.sha256(data).digest())
        if key not in self._heard:
            if len(self._heard) > 256:
                self._heard.clear()
            sha = hashlib.sha256()
            for piece in _decoded(data) if codec == ADPCM else packets(data, _PACKETS_MAX):
                sha.update(piece)
            self._heard[key] = sha.digest().hex()
        return self._heard[key]


def _decoded(data):
    decoder, view = Decoder(), memoryview(data)
    for at in range(0, len(data), _DECODE_BYTES):
        yield decoder.decode(view[at : at + _DECODE_BYTES])


class Witness:
    """What happened for good: the agents' ledger, and every notice by its text.

    A digest is Ears'. ledger: [(ms, digest, bytes of the clip)]; a run of an agent is written down by the agent
    itself, when it starts. clips: {digest: (bytes, cut, codec)} of all that was accepted. recorded: {text: [ms,
    kind, digest of the dispatch or "", UNSEEN or what became of it]}.
    """

    def __init__(self, ears):
        self.ears = ears
        self.ledger = []
        self.clips = {}
        self.recorded = {}
        # Texts that an older copy of the disk, put back, does not know.
        self.forgotten = []
        self.restores = 0

    def accepted(self, digest, data, cut, codec):
        """A clip was made a dispatch."""
        self.clips[digest] = (data, cut, codec)

    def ran(self, now_ms, digest, length):
        """An agent began to work on what was said."""
        self.ledger.append((now_ms, digest, length))

    def noted(self, now_ms, text, kind, digest):
        """A notice was recorded; again, with another number, it is the same."""
        if text not in self.recorded:
            self.recorded[text] = [now_ms, kind, digest, UNSEEN]

    @property
    def unseen(self):
        """How many the companion holds for unseen."""
        return sum([1 for entry in self.recorded.values() if entry[3] == UNSEEN])

    def settled(self, text, how):
        """The companion knows that a notice is SEEN_BY_PIN, SEEN_HERE or WITHDRAWN."""
        entry = self.recorded[text]
        if entry[3] == UNSEEN:
            entry[3] = how


class Disk:
    """epoch: of the state. parts: {clip id: (meta, pieces, how many of them)}; a list of pieces only grows behind that
    many. dispatches: {clip id: (number, boot, press ms, SHA, cut, state, digest, audio)}. notices: {seq: (epoch,
    kind, dispatch number, text, flags)}, every change a new tuple. cancels: {cancel id: clip id}.
    """

    def __init__(self, epoch):
        self.epoch = epoch
        self.parts = {}
        self.dispatches = {}
        # The clip that was accepted last.
        self.newest_clip = None
        self.notices = {}
        self.cancels = {}

    def copy(self):
        """As cheap as its tables are short: what they hold is never changed in place."""
        other = Disk(self.epoch)
        other.parts = dict(self.parts)
        other.dispatches = dict(self.dispatches)
        other.notices = dict(self.notices)
        other.cancels = dict(self.cancels)
        other.newest_clip = self.newest_clip
        return other

    def append(self, clip_id, data):
        """Bytes behind the durable ones of a part."""
        meta, pieces, count = self.parts[clip_id]
        if len(pieces) != count:
            # A copy of this disk went on by itself: what it appended is not ours.
            pieces = pieces[:count]
        pieces.append(bytes(data))
        self.parts[clip_id] = (meta, pieces, count + 1)

    def part(self, clip_id):
        """The durable bytes of a part."""
        _, pieces, count = self.parts[clip_id]
        # A minute needs half a megabyte in one piece.
        gc.collect()
        return b"".join(pieces[:count])

    def part_bytes(self, clip_id):
        """How many there are."""
        _, pieces, count = self.parts[clip_id]
        return sum([len(piece) for piece in pieces[:count]])

    def dispatch_state(self, clip_id, state):
        """A dispatch goes on."""
        entry = self.dispatches[clip_id]
        self.dispatches[clip_id] = entry[:5] + (state,) + entry[6:]

    @property
    def highest_notice(self):
        """The greatest number given, 0 for none."""
        return max(self.notices) if self.notices else 0

    def note(self, epoch, kind, dispatch, text, flags=0):
        """Records a notice; its number."""
        seq = self.highest_notice + 1
        self.notices[seq] = (epoch, kind, dispatch, text, flags)
        return seq

    def flag(self, seq, flags):
        """Adds flags to a notice; whether that changed it."""
        entry = self.notices.get(seq)
        if entry is None or entry[4] & flags == flags:
            return False
        self.notices[seq] = entry[:4] + (entry[4] | flags,)
        return True

    def live(self):
        """[(seq, entry)] of notices about which something is left to be done, by their numbers."""
        return [(seq, self.notices[seq]) for seq in sorted(self.notices) if not _settled(self.notices[seq][4])]


def _settled(flags):
    reached = flags & (SENT | STORED)
    return bool(flags & (SEEN | RETRACTED) and (flags & TOLD or not reached))
