from lapel.core.pace import BURST_BYTES, CEILING_BYTES_S, FLOOR_BYTES_S, PAUSE_MS, START_BYTES_S, Pace


def drain(pace, now_ms, packet=240):
    sent = 0
    while pace.allows(now_ms):
        pace.sent(packet)
        sent += packet
    return sent


def test_a_burst_then_the_rate():
    pace = Pace(0)
    assert BURST_BYTES <= drain(pace, 0) < BURST_BYTES + 240
    total = sum([drain(pace, now) for now in range(10, 1000, 10)])
    assert abs(total - START_BYTES_S) < START_BYTES_S // 10


def test_a_refusal_pauses_and_slows_down_but_never_below_live_speech():
    pace = Pace(0)
    pace.refused(100)
    assert not pace.allows(100 + PAUSE_MS - 1)
    assert pace.paused_ms(100) == PAUSE_MS
    assert pace.allows(100 + PAUSE_MS)
    assert pace.rate_bytes_s == START_BYTES_S * 3 // 4
    for i in range(50):
        pace.refused(200 + i)
    assert pace.rate_bytes_s == FLOOR_BYTES_S and pace.refusals == 51


def test_the_rate_comes_back_slowly_up_to_a_ceiling():
    pace = Pace(0)
    pace.refused(0)
    before = pace.rate_bytes_s
    pace.allows(1500)
    assert before < pace.rate_bytes_s < START_BYTES_S
    for now in range(2000, 200_000, 500):
        pace.allows(now)
    assert pace.rate_bytes_s == CEILING_BYTES_S


def test_a_short_packet_counts_as_the_place_that_it_takes():
    pace = Pace(0)
    # At the shortest MTU the first burst just fills a radio's queue of sixteen.
    assert drain(pace, 0, 20) == 16 * 20
