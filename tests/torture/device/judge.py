"""Was anything lost, doubled or changed? By what the person felt, what agents wrote down, and the sound itself.

Nothing here asks the product: a press is known by its recording, what came of it by the companion's witness, and
how many notices are unseen by tapping until the pin says that there is none (ending.py).
"""

from companion_disk import SEEN_BY_PIN, UNSEEN
from ending import NOTICES
from sound import OPUS, bytes_of, kbps_of

# What a cut may take of a hold, in every codec.
LOST_MAX_MS = 1200
PROMISES = ("captured", "kept")
WARNINGS = ("error", "full", "unpaired")
# What tells the person that a press came to nothing, or perhaps to nothing.
TELLING = ("failed", "held", "cancelled", "unheard")
# Any that is allowed will do to say how much was said.
_SOME_KBPS = 24
# From a tap to the end of what it plays again.
_REPLAY_MS = 3000


class Verdict:
    """Counts as of verdict.py, and the sentences behind them."""

    def __init__(self):
        self.counts = {"clips_lost": 0, "run_twice": 0, "notices_lost": 0, "notices_doubled": 0, "wrong_data": 0}
        # A sentence for each of them; and on what else must not be.
        self.words = []
        self.broken = []

    def add(self, what: str, sentence: str) -> None:
        self.counts[what] += 1
        self.words.append(sentence)


class Excuse:
    """What the flash did to them, and whether the person was warned.

    From `failed_ms` on it failed: what was not promised may be missing. At `decayed_ms` what lay on it was damaged:
    then even what was promised may be. None: it did not.
    """

    def __init__(self, life, failed_ms=None, decayed_ms=None):
        self._warned_ms = [at_ms for at_ms, name, _ in life.touch.felt if name in WARNINGS]
        self._failed_ms = failed_ms
        self.decayed_ms = decayed_ms
        self.held_empty = False

    @property
    def is_given(self) -> bool:
        """The flash did something."""
        return self._failed_ms is not None or self.decayed_ms is not None

    def unpromised(self, press) -> bool:
        """Nothing need have come of that press."""
        return self._failed_ms is not None and self._has_warned(press.at_ms)

    def decay(self) -> bool:
        """Something that was promised or counted may be gone."""
        return self.decayed_ms is not None and self._has_warned(self.decayed_ms)

    def _has_warned(self, since_ms):
        return any(at_ms >= since_ms for at_ms in self._warned_ms)


def judge(life, ending, excuse, taps_are_sure=True) -> Verdict:
    """Of a life whose Ending is over; `life.cuts` has the times of each loss of power."""
    verdict = judge_presses(life, excuse)
    witness = life.carrier.companion.witness
    _judge_notices(life, ending, witness, excuse, taps_are_sure, verdict)
    if not ending.is_answered:
        verdict.broken.append("a tap was not answered")
    return verdict


def judge_presses(life, excuse) -> Verdict:
    """The same of what was said alone: also of a life that never came to rest."""
    verdict = Verdict()
    witness = life.carrier.companion.witness
    left = dict(witness.clips)
    excuse.held_empty = _held_empty(witness, left, excuse)
    for press in life.person.holds():
        _judge_press(life, press, witness, left, excuse, verdict)
    for data, _, codec in left.values():
        verdict.add("wrong_data", "a clip of %d bytes of %s was accepted that nobody said" % (len(data), codec))
    for _, _, codec in witness.clips.values():
        if codec not in life.codecs:
            verdict.broken.append("a clip came as %s" % codec)
    return verdict


def _held_empty(witness, left, excuse) -> bool:
    # Of a clip whose first page is lost only its press is left, and that it is held.
    for digest, (data, is_cut, _) in list(left.items()):
        if is_cut and not data and excuse.is_given:
            del left[digest]
            return any(entry[2] == digest and entry[1] == "held" for entry in witness.recorded.values())
    return False


def promises(life):
    """{number of the press: what was felt of it}. A pattern belongs to the newest press that was over."""
    found = {}
    for at_ms, name, _ in life.touch.felt:
        if name in PROMISES:
            over = [press.number for press in life.person.holds() if press.released_ms and press.released_ms < at_ms]
            free = [number for number in over if number not in found]
            if free:
                found[free[-1]] = name
    return found


def _seen(life, ending, witness):
    # Notices that the person saw by tapping: at least, and at most; a tap that a cut met may have been either.
    felt = [at_ms for at_ms, name, _ in life.touch.felt if name in NOTICES]
    none = [at_ms for at_ms, name, _ in life.touch.felt if name in ("none_long", "pulse")]
    recorded = [entry[0] for entry in witness.recorded.values()]
    holding = [press.released_ms for press in life.person.holds() if press.released_ms]
    # What was settled on the computer may have been seen on the pin as well.
    here = sum([1 for entry in witness.recorded.values() if entry[3] not in (UNSEEN, SEEN_BY_PIN)])
    low, high = 0, here
    for tap_ms, times in life.person.taps:
        if tap_ms >= ending.rest_ms:
            break
        if times == 1:
            high += 1
            until_ms = min([cut_ms for cut_ms, _ in life.cuts if cut_ms >= tap_ms] + [tap_ms + _REPLAY_MS])
            # One that came just behind the tap is no answer to it: the answer was that there is none.
            answered = [any(tap_ms < at_ms < until_ms for at_ms in times_ms) for times_ms in (felt, none)]
            low += answered == [True, False]
        elif times == 2:
            high = here + sum([1 for ms in recorded if ms < tap_ms + _REPLAY_MS])
            busy = [cut_ms for cut_ms, _ in life.cuts if cut_ms < tap_ms + _REPLAY_MS] + felt + holding
            # What was not felt yet when the person tapped is not seen by it.
            if not any(tap_ms - _REPLAY_MS < at_ms < tap_ms + _REPLAY_MS for at_ms in busy):
                low = max(low, sum([1 for ms in recorded if ms < tap_ms - _REPLAY_MS]))
    return max(low, here), high


def _judge_press(life, press, witness, left, excuse, verdict) -> None:
    what = "press %d" % press.number
    promise = promises(life).get(press.number)
    came = [digest for digest, (data, _, codec) in left.items() if _is_of(life, press, data, codec)]
    # As it came, or as it would have.
    kbps = _how(left[came[0]]) if came else (_SOME_KBPS if OPUS in life.codecs else 0)
    whole, lost_max_bytes = press.spoken(life.sound, kbps), bytes_of(kbps, LOST_MAX_MS)
    cuts = [ticks for ms, ticks in life.cuts if ms >= press.at_ms]
    spoken = len(press.spoken(life.sound, kbps, cuts[0])) if cuts else len(whole)
    if not came:
        lost = promise or (spoken > lost_max_bytes and not excuse.unpromised(press))
        if lost and excuse.held_empty:
            # Its first page decayed: `held` says that there was something.
            excuse.held_empty = False
        elif lost and not excuse.decay():
            verdict.add("clips_lost", "%s: felt %s, %d bytes were said, nothing arrived" % (what, promise, spoken))
        return
    if len(came) > 1:
        verdict.add("run_twice", "%s became %d dispatches" % (what, len(came)))
    data, is_cut, _ = left[came[0]]
    for digest in came:
        del left[digest]
    arrived = "%s: felt %s, and %d of %d bytes arrived" % (what, promise, len(data), len(whole))
    if (promise or not is_cut) and data != whole and not (is_cut and excuse.decayed_ms is not None):
        verdict.add("wrong_data", arrived)
    elif promise and is_cut and excuse.decayed_ms is None:
        verdict.add("wrong_data", arrived + ", marked as cut")
    elif spoken - len(data) > lost_max_bytes and not excuse.unpromised(press) and excuse.decayed_ms is None:
        verdict.add("clips_lost", arrived + " of %d said until the cut" % spoken)
    _judge_runs(what, came, is_cut, witness, verdict)


def _how(clip):
    return kbps_of(clip[2], clip[0])


def _is_of(life, press, data, codec):
    # Bit for bit what the codec makes of that recording, from its beginning on.
    kbps = kbps_of(codec, data)
    return bool(data) and kbps is not None and press.spoken(life.sound, kbps)[: len(data)] == data


def _judge_runs(what, came, is_cut, witness, verdict) -> None:
    runs = sum([1 for _, ran, _ in witness.ledger if ran in came])
    told = [entry[1] for entry in witness.recorded.values() if entry[2] in came and entry[1] in TELLING]
    if runs > 1:
        verdict.add("run_twice", "%s: %d runs" % (what, runs))
    if is_cut and (runs or not told):
        verdict.add("wrong_data", "%s: a cut clip came to %d runs and %s" % (what, runs, told))
    elif not runs and not told:
        verdict.add("clips_lost", "%s: it arrived, and nothing came of it" % what)


def _was_felt(life, ending, kind, since_ms) -> bool:
    # Before it was counted by tapping. Of several within two seconds the most urgent is felt, or the count is seen.
    came = [entry for entry in life.touch.felt if entry[1] in NOTICES]
    lights = [(at_ms, event[1]) for at_ms, *event in life.events if event[0] == "led"]
    came += [(at_ms, "count", shown["count"]) for at_ms, shown in lights if shown["pattern"] == "count"]
    # A question waits until the one before it was seen.
    until_ms = max([ending.rest_ms] + [entry[0] for entry in came if kind == "question"])
    if any(since_ms < at_ms <= until_ms and (name == kind or shown > 1) for at_ms, name, shown in came):
        return True
    # The person marked it as seen by a tap, and the power went in that moment.
    marked = [tap_ms for tap_ms, times in life.person.taps if times < 3 and tap_ms > since_ms - _REPLAY_MS]
    return any(tap_ms < cut_ms < tap_ms + _REPLAY_MS for tap_ms in marked for cut_ms, _ in life.cuts)


def _judge_notices(life, ending, witness, excuse, taps_are_sure, verdict) -> None:
    seen_low, seen_high = _seen(life, ending, witness)
    count = len(witness.recorded)
    for text, (ms, kind, _, state) in witness.recorded.items():
        # What was settled on the computer before it reached the pin need not be felt.
        if state in (UNSEEN, SEEN_BY_PIN) and not _was_felt(life, ending, kind, ms):
            verdict.add("notices_lost", "%s: was never felt" % text)
    announced = [fields["text"] for fields in life.names("notice")]
    for text in witness.recorded:
        # A start may find that it was felt and not stored; an older copy of the state numbers it anew.
        if announced.count(text) > life.boots + witness.restores:
            verdict.add("notices_doubled", "%s: came up %d times" % (text, announced.count(text)))
    if excuse.decay():
        return
    if ending.unseen < count - seen_high:
        verdict.add("notices_lost", "%d of %d notices unseen, %d seen" % (ending.unseen, count, seen_high))
    elif taps_are_sure and ending.unseen > count - seen_low:
        verdict.add("notices_doubled", "%d of %d notices unseen, %d seen" % (ending.unseen, count, seen_low))
    known = ending.known_unseen
    if ending.unseen != known:
        what = "notices_lost" if ending.unseen < known else "notices_doubled"
        verdict.add(what, "%d notices unseen on the pin, %d for the companion" % (ending.unseen, known))
    for text, entry in witness.recorded.items():
        if entry[3] == UNSEEN and text not in witness.forgotten:
            verdict.add("notices_lost", "%s: the companion never heard that it was seen" % text)
