"""Every act of the person, among stand-ins, in time moved by hand."""

from acting import House, Store

from lapel.core import states
from lapel.services.store_files import StoreFull

TAP = [(True, 2000), (False, 2100), (None, 2500)]
HOLD = [(True, 2000), (None, 2300), (False, 4000)]


def test_a_hold_is_a_new_task():
    house = House(HOLD)
    calls = house.run()
    assert [c[0] for c in calls] == ["press", "begin", "end"]
    assert calls[0] == ("press", 2000) and calls[2] == ("end", 4000)
    assert calls[1][1] == {
        "rate": 16000,
        "boot": "0a0b0c0d",
        "ms": 1000,
        "t": None,
        "re": None,
    }
    assert house.states == ["idle", "pressed", "recording", "tail"]


def test_a_tap_then_a_hold_answers_what_was_felt_before_the_press():
    house = House([(True, 2000), (False, 2100), (True, 2300), (None, 2600), (False, 4000)])
    house.announcer.target = "0123456789abcdef-7"
    calls = house.run()
    begun = next(c[1] for c in calls if c[0] == "begin")
    assert begun["re"] == "0123456789abcdef-7"
    # 1300 ms after the clock was made: the press of the hold itself.
    assert ("target", 1300) in calls and begun["ms"] == 1300


def test_a_captured_clip_brings_the_pin_back_to_idle_and_can_be_taken_back():
    house = House(HOLD)
    house.run()
    house.store.numbers = [7]
    house.acts._over("captured")
    assert house.states[-2:] == ["saving", "idle"]
    assert house.store.recent.newest()[:2] == (Store.epoch, 7)


def test_a_refused_hold_waits_for_the_button():
    house = House(HOLD)
    house.recorder.taken = False
    house.run()
    assert house.states == ["idle", "pressed", "refused", "idle"]


def test_a_failure_while_saving_does_not_keep_the_pin_refused():
    house = House(HOLD)
    house.run()
    house.acts._over("error")
    assert house.states[-2:] == ["refused", "idle"]


def test_a_microphone_that_dies_saves_and_the_release_is_harmless():
    house = House(HOLD)
    house.store.numbers = [3]
    house.recorder.begin = lambda meta: True
    script = house.acts._button.script
    script[:] = [(True, 2000), (None, 2300), (None, 2400)]
    house.run()
    house.acts._over("captured")
    assert house.states[-3:] == ["tail", "saving", "idle"]
    house.acts._end(4000, False)
    assert house.acts.state.now == states.IDLE


def test_a_press_while_the_last_clip_is_saved_is_taken():
    house = House(HOLD + [(True, 4050), (None, 4100)])
    house.run()
    assert house.acts.state.now == states.PRESSED
    house.store.numbers = [1]
    # The clip before it ends now; the new press goes on.
    house.acts._over("captured")
    assert house.acts.state.now == states.PRESSED


def test_a_tap_repeats_the_newest_unseen_notice_and_marks_it():
    house = House(TAP)
    house.store.notices = [("a" * 16, 4, "done"), ("a" * 16, 5, "failed")]
    calls = house.run()
    assert calls[-3:] == [("repeat", "failed", ("a" * 16, 5), 2), ("seen", "a" * 16, [5]), ("hurry",)]
    assert house.states == ["idle", "pressed", "idle"]


def test_a_tap_marks_what_is_still_to_be_felt_when_it_was_felt():
    house = House(TAP)
    house.store.notices = [("a" * 16, 5, "failed")]
    house.announcer.unfelt = [("a" * 16, 5)]
    assert house.run()[-1] == ("repeat", "failed", ("a" * 16, 5), 1)
    house.announcer.later[0]()
    assert house.calls[-2:] == [("seen", "a" * 16, [5]), ("hurry",)]


def test_a_tap_without_news_tells_how_many_jobs_run():
    house = House(TAP)
    house.acts.jobs = 3
    assert house.run()[-1] == ("show", "pulse", 3)
    assert House(TAP).run()[-1] == ("show", "none_long", 0)


DOUBLE = [(True, 2000), (False, 2100), (True, 2200), (False, 2300), (None, 2700)]


def test_a_double_tap_marks_everything():
    assert House(DOUBLE).run()[-2:] == [("all seen", []), ("hurry",)]


def test_a_double_tap_marks_nothing_that_is_still_to_be_felt():
    house = House(DOUBLE)
    house.announcer.unfelt = [("a" * 16, 5)]
    assert house.run()[-2:] == [("all seen", [("a" * 16, 5)]), ("hurry",)]


TRIPLE = [(True, 2000), (False, 2050), (True, 2100), (False, 2150), (True, 2200), (False, 2250), (None, 2600)]


def test_a_triple_tap_takes_the_newest_task_back_once():
    house = House(TRIPLE)
    house.store.recent.captured(Store.epoch, 9, 500)
    calls = house.run()
    assert calls[-2:] == [("cancel", Store.epoch, 9), ("hurry",)]
    assert house.store.recent.newest() is None


def test_too_late_or_nothing_to_take_back_is_one_long():
    house = House(TRIPLE)
    assert house.run()[-1] == ("show", "none_long", 0)
    house = House([(p, t + 40_000) for p, t in TRIPLE])
    house.store.recent.captured(Store.epoch, 9, 500)
    assert house.run()[-1] == ("show", "none_long", 0)


def test_a_cancel_that_cannot_be_kept_is_an_error_and_no_promise():
    house = House(TRIPLE)
    house.store.recent.captured(Store.epoch, 9, 500)
    house.store.cancel_error = StoreFull("sixteen cancels wait")
    assert house.run()[-1] == ("show", "error", 0)
    assert house.store.recent.newest() is not None
