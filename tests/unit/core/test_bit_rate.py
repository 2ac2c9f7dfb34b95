from lapel.core.bit_rate import LEAST_KBPS, MOST_KBPS, USUAL_KBPS, kbps


def test_without_a_link_and_without_a_gauge_it_is_the_usual():
    assert kbps(0, None) == kbps(0, 100) == kbps(0, 40) == USUAL_KBPS == 24


def test_a_fast_link_carries_more_and_a_slow_one_less():
    rates = [kbps(interval_ms, None) for interval_ms in range(7, 4001)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == MOST_KBPS and rates[-1] == LEAST_KBPS
    assert kbps(30, 100) == MOST_KBPS
    assert kbps(40, 100) == 24
    assert kbps(50, 100) == 19


def test_live_speech_takes_half_of_what_one_packet_an_event_carries():
    for interval_ms in range(7, 62):
        assert kbps(interval_ms, 100) * interval_ms <= 244 * 8 // 2


def test_a_battery_that_gets_empty_is_spared():
    for interval_ms in (0, 15, 30, 50, 100):
        rates = [kbps(interval_ms, percent) for percent in range(101)]
        assert rates == sorted(rates)
        assert rates[19] == LEAST_KBPS and rates[20] <= USUAL_KBPS and rates[59] <= USUAL_KBPS
    assert [kbps(15, percent) for percent in (19, 20, 59, 60)] == [16, 24, 24, 32]
