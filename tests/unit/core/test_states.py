from lapel.core import states
from lapel.core.states import BOOT, IDLE, LEGAL, PRESSED, RECORDING, SAVING, TAIL, IllegalChange, State


class Trace:
    def __init__(self):
        self.events = []

    def __call__(self, event, **fields):
        self.events.append((event, fields))


def test_a_clip_from_press_to_rest():
    trace = Trace()
    state = State(trace)
    for name in (IDLE, PRESSED, RECORDING, TAIL, SAVING, IDLE):
        state.go(name)
    assert state.now == IDLE
    assert trace.events == [("state", {"state": n}) for n in (IDLE, PRESSED, RECORDING, TAIL, SAVING, IDLE)]


def test_to_stay_is_no_change():
    trace = Trace()
    state = State(trace, IDLE)
    state.go(IDLE)
    assert trace.events == []


def test_every_pair_is_legal_or_refused():
    for start in LEGAL:
        for name in LEGAL:
            state = State(Trace(), start)
            try:
                state.go(name)
            except IllegalChange as illegal:
                assert name not in LEGAL[start] and start in str(illegal) and name in str(illegal)
                assert state.now == start
            else:
                assert name == start or name in LEGAL[start]
                assert state.now == name


def test_the_table_is_whole():
    names = [n for n in dir(states) if n == n.upper() and n[0] != "_" and isinstance(getattr(states, n), str)]
    assert sorted(getattr(states, n) for n in names) == sorted(LEGAL)
    for followers in LEGAL.values():
        assert all(name in LEGAL for name in followers)


def test_every_state_can_be_reached_and_none_is_the_end():
    reached, more = {BOOT}, [BOOT]
    while more:
        for name in LEGAL[more.pop()]:
            if name not in reached:
                reached.add(name)
                more.append(name)
    assert reached == set(LEGAL)
    assert all(LEGAL.values())


def test_nothing_is_recorded_without_a_press():
    # A press may come while the clip before it is being refused.
    assert sorted(name for name in LEGAL if RECORDING in LEGAL[name]) == [PRESSED, states.REFUSED]
