"""Was anything lost, doubled or changed? By what the person felt, what agents wrote down, and the sound itself.

Nothing here asks the product: a press is known by its recording, what came of it by the companion's witness, and
how many notices are unseen by tapping until the pin says that there is none.
"""

# What a cut may take of a hold: 1.2 s of ADPCM.
LOST_MAX_BYTES = 9600
NOTICES = ("done", "failed", "question", "reminder", "held", "cancelled", "unheard")
# What tells the person that a press came to nothing, or perhaps to nothing.
TELLING = ("failed", "held", "cancelled", "unheard")
_TAPS_MAX = 70
_GAP_MS = 500
_ANSWER_MS = 8000
# So long nothing happens before it counts as rest.
_REST_MS = 600
# From a tap to the end of what it plays again.
_REPLAY_MS = 3000


class Ending:
    """What the person does when a case is over: waits until all is at rest, counts the notices by tapping, and waits
    again. `step()` is true when it is over; life.run takes it as `until`."""

    def __init__(self, life):
        self._life = life
        self._acts = self._play()
        self.began_ms = life.world.now_ms
        self.rest_ms = None
        self.seen_before = 0
        self.unseen = None

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
        self.unseen = 0
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
                return None
            yield
        until_ms = life.world.now_ms + _GAP_MS
        while life.world.now_ms < until_ms:
            yield
        return felt[before][1]


def at_rest(life) -> bool:
    """Nothing is left to be done on either side. Only when to look is asked of the product, never what is true."""
    app = life.app
    if app is None or life.world.now_ms < life.person.script_ms:
        return False
    if not life.carrier.companion.is_idle or not app._link.up:
        return False
    store, feedback = app._store, app._feedback
    if store.waiting() or store.pending_seen()[1] or store.pending_cancels():
        return False
    if app._recorder.is_busy or feedback._current is not None or feedback._queue:
        return False
    return app._announcer._coalescer.deadline is None


class Verdict:
    """Counts as of verdict.py, and the sentences behind them."""

    def __init__(self):
        self.counts = {"clips_lost": 0, "run_twice": 0, "notices_lost": 0, "notices_doubled": 0, "wrong_data": 0}
        self.words = []

    def add(self, what: str, sentence: str) -> None:
        self.counts[what] += 1
        self.words.append(sentence)


def judge(life, ending: Ending) -> Verdict:
    """Of a life whose Ending is over; `life.cuts` has the times of each loss of power."""
    verdict = Verdict()
    witness = life.carrier.companion.witness
    left = dict(witness.clips)
    for press in life.person.holds():
        _judge_press(life, press, witness, left, verdict)
    for data, _ in left.values():
        verdict.add("wrong_data", "a clip of %d bytes was accepted that nobody said" % len(data))
    _judge_notices(life, ending, witness, verdict)
    return verdict


def promises(life):
    """{number of the press: what was felt of it}. A pattern belongs to the newest press that was over."""
    found = {}
    for at_ms, name, _ in life.touch.felt:
        if name in ("captured", "kept"):
            over = [press.number for press in life.person.holds() if press.released_ms and press.released_ms < at_ms]
            free = [number for number in over if number not in found]
            if free:
                found[free[-1]] = name
    return found


def _seen(life, ending, witness):
    # Notices that the person saw by tapping: at least, and at most; a tap that a cut met may have been either.
    felt = [at_ms for at_ms, name, _ in life.touch.felt if name in NOTICES]
    recorded = [entry[0] for entry in witness.recorded.values()]
    low = high = 0
    for tap_ms, times in life.person.taps:
        if tap_ms >= ending.rest_ms:
            break
        if times == 1:
            high += 1
            until_ms = min([cut_ms for cut_ms, _ in life.cuts if cut_ms >= tap_ms] + [tap_ms + _REPLAY_MS])
            low += any(tap_ms < at_ms < until_ms for at_ms in felt)
        elif times == 2:
            high = sum([1 for ms in recorded if ms < tap_ms + _REPLAY_MS])
            if not any(tap_ms - _REPLAY_MS < cut_ms < tap_ms + _REPLAY_MS for cut_ms, _ in life.cuts):
                low = max(low, sum([1 for ms in recorded if ms < tap_ms - _REPLAY_MS]))
    return low, high


def _judge_press(life, press, witness, left, verdict) -> None:
    what = "press %d" % press.number
    whole = press.spoken(life.sound)
    cuts = [ticks for ms, ticks in life.cuts if ms >= press.at_ms]
    spoken = press.spoken(life.sound, cuts[0]) if cuts else whole
    promise = promises(life).get(press.number)
    found = None
    for digest, (data, is_cut) in witness.clips.items():
        if data and whole[: len(data)] == data:
            found = digest, data, is_cut
    if found is None:
        if promise or len(spoken) > LOST_MAX_BYTES:
            verdict.add("clips_lost", "%s: felt %s, %d bytes were said, nothing arrived" % (what, promise, len(spoken)))
        return
    digest, data, is_cut = found
    left.pop(digest, None)
    if promise and (is_cut or data != whole):
        verdict.add("wrong_data", "%s: felt %s, and %d of %d bytes arrived" % (what, promise, len(data), len(whole)))
    elif not is_cut and data != whole:
        verdict.add("wrong_data", "%s: %d of %d bytes arrived as a whole" % (what, len(data), len(whole)))
    elif len(spoken) - len(data) > LOST_MAX_BYTES:
        verdict.add("clips_lost", "%s: %d of %d bytes spoken arrived" % (what, len(data), len(spoken)))
    runs = sum([1 for _, ran, _ in witness.ledger if ran == digest])
    if runs > 1:
        verdict.add("run_twice", "%s: %d runs" % (what, runs))
    told = [entry[1] for entry in witness.recorded.values() if entry[2] == digest and entry[1] in TELLING]
    if is_cut and (runs or not told):
        verdict.add("wrong_data", "%s: a cut clip came to %d runs and %s" % (what, runs, told))
    if not runs and not told:
        verdict.add("clips_lost", "%s: felt %s, arrived, and never ran" % (what, promise))


def _judge_notices(life, ending, witness, verdict) -> None:
    felt = [entry for entry in life.touch.felt if entry[1] in NOTICES]
    seen_low, seen_high = _seen(life, ending, witness)
    count = 0
    for text, (ms, kind, _, _) in witness.recorded.items():
        count += 1
        if not any(at_ms > ms and (name == kind or shown > 1) for at_ms, name, shown in felt):
            verdict.add("notices_lost", "%s: was never felt" % text)
    if ending.unseen is None:
        verdict.words.append("the taps were not answered")
        return
    if ending.unseen < count - seen_high:
        verdict.add("notices_lost", "%d of %d notices unseen, %d seen" % (ending.unseen, count, seen_high))
    elif ending.unseen > count - seen_low:
        verdict.add("notices_doubled", "%d of %d notices unseen, %d seen" % (ending.unseen, count, seen_low))
    for text, entry in witness.recorded.items():
        if not entry[3]:
            verdict.add("notices_lost", "%s: the companion never heard that it was seen" % text)
