from lapel.core.vigil import Vigil

ASK_IDLE_MS = 30_000
ASK_BUSY_MS = 3_000
AGAIN_MS = 1_000
NEAR_MS = 5_000
LOST_MS = 10_000


def test_who_was_just_heard_is_near_and_is_not_asked():
    vigil = Vigil(100)
    assert vigil.is_near(100 + NEAR_MS - 1) and not vigil.is_near(100 + NEAR_MS)
    assert not vigil.must_ask(100 + ASK_BUSY_MS - 1, True)
    assert not vigil.must_ask(100 + ASK_IDLE_MS - 1, False)


def test_silence_is_asked_about_sooner_when_something_goes_on():
    assert Vigil(0).must_ask(ASK_IDLE_MS, False)
    assert Vigil(0).must_ask(ASK_BUSY_MS, True)


def test_who_does_not_answer_is_asked_again_and_then_lost():
    vigil = Vigil(0)
    asked = [t for t in range(0, ASK_IDLE_MS + LOST_MS, 100) if vigil.must_ask(t, False)]
    assert asked == list(range(ASK_IDLE_MS, ASK_IDLE_MS + LOST_MS, AGAIN_MS))
    assert not vigil.is_lost(ASK_IDLE_MS + LOST_MS - 1) and vigil.is_lost(ASK_IDLE_MS + LOST_MS)


def test_silence_alone_is_no_loss_before_it_was_asked_about():
    # The press after 29 s of rest: the other side has its full time to answer.
    vigil = Vigil(0)
    assert vigil.must_ask(29_000, True)
    assert not vigil.is_lost(29_000 + LOST_MS - 1)
    vigil.heard(29_100)
    assert vigil.is_near(29_100) and not vigil.is_lost(29_000 + LOST_MS)
    assert not vigil.must_ask(29_100 + ASK_BUSY_MS - 1, True)


def test_nearness_outlives_two_lost_questions():
    assert ASK_BUSY_MS + 2 * AGAIN_MS <= NEAR_MS
