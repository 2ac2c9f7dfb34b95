"""What is still to be said to the pin, as tools/lapel_companion/link/wishes.py orders it."""

from lapel_wire import messages

MAX_WISHES = 128
_ORDER = (
    (messages.HELLO_HOST,),
    (messages.ACCEPTED, messages.CANCELLED),
    (messages.RESUME, messages.ACK),
    (messages.NOTICE, messages.RETRACT, messages.SEEN),
    (messages.SETTINGS, messages.READ, messages.JOBS),
)
_RANK = {}


class Wishes:
    """The newest message of each key, the urgent ones first."""

    def __init__(self):
        if not _RANK:
            for rank, kinds in enumerate(_ORDER):
                for kind in kinds:
                    _RANK[kind] = rank
        # A dictionary of this interpreter keeps no order: [(key, kind, body)] does.
        self._ranks = [[] for _ in _ORDER]
        self.dropped = 0

    def __len__(self):
        return sum([len(rank) for rank in self._ranks])

    def put(self, kind, body, key):
        """Wish a message; it takes the place of an unsent one with the same key."""
        rank = self._ranks[_RANK[kind]]
        for i in range(len(rank)):
            if rank[i][0] == key:
                rank[i] = (key, kind, body)
                return
        if len(self) >= MAX_WISHES:
            self.dropped += 1
        else:
            rank.append((key, kind, body))

    def take(self):
        """(kind, body) of the next message, or None."""
        for rank in self._ranks:
            if rank:
                return rank.pop(0)[1:]
        return None

    def clear(self):
        """The pin is gone, and will be told anew."""
        for rank in self._ranks:
            rank.clear()
