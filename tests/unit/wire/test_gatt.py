from lapel_wire import gatt, rescue


def test_the_cause_comes_back():
    for cause in ("OSError: [Errno 5] EIO", "é" * 30, "MemoryError"):
        info = rescue.safe_info(cause)
        assert info[0] == gatt.PROTOCOL_VERSION
        assert rescue.safe_cause(info) == cause


def test_a_long_cause_is_cut_between_two_characters():
    info = rescue.safe_info("x" + "é" * 40)
    assert len(info) == 2 + 59
    assert rescue.safe_cause(info) == "x" + "é" * 29
    assert len(rescue.safe_info("y" * 100)) == 2 + rescue.CAUSE_MAX_BYTES


def test_no_other_pin_is_in_safe_mode():
    for info in (b"", b"\x01", gatt.INFO, b"\x01\x7fwords", b"\x02\x00"):
        assert rescue.safe_cause(info) is None


def test_another_version_can_be_in_safe_mode_too():
    assert rescue.safe_cause(b"\x09\x80old") == "old"


def test_what_a_stranger_may_put_there():
    assert rescue.safe_cause(b"\x01\x80\xff\xfe") == "it does not say why"
    assert rescue.safe_cause(b"\x01\x80") == "it does not say why"
    assert rescue.safe_cause(b"\x01\x80a\nb\r\n  c\t") == "a b c"
    assert rescue.safe_cause(b"\x01\x80a\x1cb\x00") == "a b"
    assert rescue.safe_cause(b"\x01\x80" + b"a\xed\xa0\x80") == "it does not say why"
    assert len(rescue.safe_cause(b"\x01\x80" + b"z" * 500)) == rescue.CAUSE_MAX_BYTES
