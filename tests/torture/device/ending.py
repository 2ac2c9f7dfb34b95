"""The end of a case: what the person does then, and when everything is at rest."""

NOTICES = ("done", "failed", "question", "reminder", "held", "cancelled", "unheard")
_TAPS_MAX = 70
_GAP_MS = 500
_ANSWER_MS = 8000
# So long nothing happens before it counts as rest.
_REST_MS = 600


class Ending:
    """What the person does when a case is over: waits until all is at rest, counts the notices by tapping, and waits
    again. `step()` is true when it is over; life.run takes it as `until`."""

    def __init__(self, life):
        self._life = life
        self._acts = self._play()
        # When there is nothing more to come, but for the taps.
        self.began_ms = max(life.world.now_ms, life.person.script_ms)
        self.rest_ms = None
        # How many notices the pin said are unseen; whether it answered every tap.
        self.unseen = 0
        self.is_answered = True
        # How many the companion holds for unseen, once all is at rest.
        self.known_unseen = 0

    def step(self) -> bool:
        """To be called again and again."""
        try:
            next(self._acts)
        except StopIteration:
            return True
        return False

    def _play(self):
        life = self._life
        yield from self._until_rest()
        self.rest_ms = life.world.now_ms
        self.known_unseen = life.carrier.companion.witness.unseen
        answered = 1
        # A question may have waited until the one before it was seen.
        while answered:
            answered = 0
            while (yield from self._tap()) in NOTICES:
                answered += 1
                if answered > _TAPS_MAX:
                    raise AssertionError("notices never end")
                # One that was held back until this one was seen is felt now.
                yield from self._until_rest()
            self.unseen += answered
            yield from self._until_rest()

    def _until_rest(self):
        since_ms = None
        while since_ms is None or self._life.world.now_ms - since_ms < _REST_MS:
            if not at_rest(self._life):
                since_ms = None
            elif since_ms is None:
                since_ms = self._life.world.now_ms
            yield

    def _tap(self):
        # One tap; the pattern that answers it, None for none.
        life, felt = self._life, self._life.touch.felt
        before, began_ms = len(felt), life.world.now_ms
        life.person.tap(0)
        while len(felt) == before:
            if life.world.now_ms - began_ms > _ANSWER_MS:
                self.is_answered = False
                return None
            yield
        until_ms = life.world.now_ms + _GAP_MS
        while life.world.now_ms < until_ms:
            yield
        return felt[before][1]


def at_rest(life) -> bool:
    """Nothing is left to be done on either side. Only when to look is asked of the product, never what is true."""
    app = life.app
    if app is None or life.world.now_ms < max(life.person.script_ms, life.carrier.troubles.ended_ms):
        return False
    if not life.carrier.companion.is_idle or not app._link.up:
        return False
    store, feedback = app._store, app._feedback
    if store.waiting() or store.pending_seen()[1] or store.pending_cancels():
        return False
    if app._recorder.is_busy or feedback._current is not None or feedback._queue:
        return False
    return app._announcer._coalescer.deadline is None
