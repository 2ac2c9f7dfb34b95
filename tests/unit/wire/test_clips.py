import random

from lapel_wire.clips import FINISH, OFFER, RETRY_MS, Sender
from lapel_wire.receiver import Receiver


def test_a_clip_from_flash_waits_for_the_answer():
    s = Sender(4, live=False)
    assert s.due(0, 100) == OFFER
    s.offered(0)
    assert not s.may_stream and s.due(10, 100) is None
    assert s.due(RETRY_MS, 100) == OFFER
    s.ack(0)
    assert s.may_stream and s.position == 0
    s.sent(100)
    assert s.due(20, 100) == FINISH
    s.finished(20)
    assert s.due(21, 100) is None
    assert s.due(20 + RETRY_MS, 100) == FINISH


def test_a_live_clip_streams_ahead_of_the_answer():
    s = Sender(4, live=True)
    s.offered(0)
    assert s.may_stream
    s.sent(50)
    s.ack(0)
    assert s.position == 50 and s.due(5, None) is None


def test_resume_goes_back_and_ends_again():
    s = Sender(1, live=True)
    s.offered(0)
    s.sent(80)
    s.finished(1)
    s.resume(30)
    assert s.position == 30 and s.due(2, 80) is None
    s.sent(50)
    assert s.due(3, 80) == FINISH


def test_the_receiver_takes_each_byte_once_under_loss_doubles_and_disorder():
    for seed in range(200):
        random.seed(seed)
        data = bytes([random.getrandbits(8) for _ in range(700)])
        receiver, got, now, position = Receiver(), b"", 0, 0
        while len(got) < len(data):
            now += 100
            n = 1 + random.getrandbits(6)
            fate = random.getrandbits(3)
            pieces = [] if fate == 0 else [position] * (2 if fate == 1 else 1)
            if fate == 2 and position > 20:
                pieces.append(position - 20)
            for at in pieces:
                fresh = receiver.take(at, data[at : at + n])
                if fresh is not None:
                    got += fresh
            position = min(position + n, len(data))
            if receiver.ask(position, now, now):
                position = receiver.held
            assert receiver.held == len(got) and data[: len(got)] == got
            if position == len(data) and len(got) < len(data):
                position = receiver.held


def test_asking_again_is_rate_limited():
    r = Receiver(10)
    assert not r.ask(10, 0, 0)
    assert r.ask(11, 0, 0)
    assert not r.ask(11, 100, 100)
    assert r.ask(11, 600, 600)


def test_another_hole_is_asked_for_at_once():
    r = Receiver(10)
    assert r.ask(20, 0, 0)
    assert r.take(10, memoryview(bytes(5))) is not None
    assert r.ask(20, 10, 10) and not r.ask(25, 20, 20)


def test_what_was_said_in_vain_is_counted_until_the_companion_gets_further():
    s = Sender(1, live=False)
    s.offered(0)
    s.offered(2000)
    assert s.asks == 2
    s.ack(0)
    assert s.asks == 0
    s.finished(2100)
    s.resume(0)
    s.finished(2200)
    assert s.asks == 2
    s.resume(10)
    assert s.asks == 0


def test_what_is_lost_again_after_going_back_is_asked_for_at_once():
    r = Receiver(100)
    # A hole at 100; what follows of the old stream does not ask again.
    assert r.ask(200, 0, 0) and not r.ask(300, 10, 10) and not r.ask(400, 20, 20)
    # The pin has gone back to 100, and just that is lost.
    assert r.ask(150, 30, 30) and not r.ask(200, 40, 40)
