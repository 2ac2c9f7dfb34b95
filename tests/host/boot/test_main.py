"""firmware/main.py as it stands, on both Pythons, in a folder that is a pin's root: what it does with each boot."""

from __future__ import annotations

import pytest

from tests.host.boot.pins import WELL_FOR_EVER, Pin


def test_a_good_boot_is_counted_before_the_app_and_forgotten_when_it_is_well(pin: Pin) -> None:
    pin.app(body=WELL_FOR_EVER)
    assert pin.boot() == ["fed", "app one", "counted 1", "told 0 ", "soft reset"]
    assert pin.boots is None


def test_three_failed_boots_and_then_safe_mode_once(pin: Pin) -> None:
    pin.app()
    for count in (1, 2, 3):
        lines = pin.boot()
        assert "app one" in lines
        assert f"counted {count}" in lines
        assert lines[-1] == "soft reset"
        assert pin.boots == [str(count), "OSError: no radio"]
    assert pin.boot() == ["stretched 86400000", "safe one OSError: no radio", "prompt"]
    assert pin.boots == ["0", "OSError: no radio"]
    # The next time power comes the app is tried again.
    pin.app(body=WELL_FOR_EVER, reset="power")
    assert pin.boot() == ["fed", "app one", "counted 1", "told 0 OSError: no radio", "soft reset"]
    assert pin.boots is None


def test_the_app_hears_what_the_boot_before_died_of(pin: Pin) -> None:
    pin.app()
    pin.boot()
    assert "told 1 OSError: no radio" in pin.boot()


@pytest.mark.parametrize("reset", ["watchdog", "reset", "deep sleep", "soft reset"])
def test_a_boot_that_ends_without_a_word_failed(pin: Pin, reset: str) -> None:
    # The watchdog bit: nothing was written after the count.
    pin.app(body="raise SystemExit", reset=reset)
    for count in (1, 2, 3):
        assert f"counted {count}" in pin.boot()
        assert pin.boots == [str(count), ""]
    assert pin.boot() == ["stretched 86400000", "safe one ", "prompt"]


def test_a_boot_that_ends_because_the_power_goes_did_not_fail(pin: Pin) -> None:
    # Whoever plays with the switch, or has a loose cell, keeps the app.
    pin.app(body="raise SystemExit", reset="power")
    for _ in range(6):
        assert "app one" in pin.boot()
        assert pin.boots == ["1", ""]


def test_power_that_goes_between_failed_boots_takes_none_of_them_back(pin: Pin) -> None:
    pin.app()
    pin.boot()
    pin.boot()
    assert pin.boots == ["2", "OSError: no radio"]
    pin.app(body="raise SystemExit", reset="power")
    pin.boot()
    assert pin.boots == ["3", ""]
    pin.boot()
    assert pin.boots == ["3", ""]
    pin.app(reset="power")
    pin.boot()
    assert pin.boots == ["3", "OSError: no radio"]
    assert "safe one OSError: no radio" in pin.boot()


def test_an_exception_after_hours_is_no_failed_boot_and_the_app_restarts(pin: Pin) -> None:
    pin.app(body="on_well(); raise ValueError('late')")
    for _ in range(5):
        lines = pin.boot()
        assert lines[-1] == "soft reset"
        assert "app one" in lines
        assert pin.boots == ["0", "ValueError: late"]
    assert "told 0 ValueError: late" in pin.boot()


BROKEN = {
    "a syntax error": ("lapel/app.py", "def run(:\n", "SyntaxError"),
    "an import that is missing": ("lapel/app.py", "import no_such_module\n", "no_such_module"),
    "no memory": ("lapel/app.py", "raise MemoryError\n", "MemoryError"),
    "no app at all": ("lapel/app.py", None, "app"),
    "bytes that are no text": ("lapel/app.py", b"\xff\xfe\x00", ""),
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_app_that_cannot_be_loaded(pin: Pin, what: str) -> None:
    name, content, word = BROKEN[what]
    path = pin.app() / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for count in (1, 2, 3):
        assert pin.boot()[-1] == "soft reset"
        boots = pin.boots
        assert boots
        assert boots[0] == str(count)
        assert word in boots[1]
        assert boots[1]
    assert pin.boot()[-2].startswith("safe one ")


def test_an_app_that_ends_by_itself(pin: Pin) -> None:
    pin.app(body="return")
    assert pin.boot()[-1] == "soft reset"
    assert pin.boots == ["1", "RuntimeError: the app ended by itself"]


def test_a_cause_of_several_lines_is_one_line(pin: Pin) -> None:
    pin.app(body="raise ValueError('one\\n two\\n\\tthree')")
    pin.boot()
    assert pin.boots == ["1", "ValueError: one two three"]


@pytest.mark.parametrize("body", ["raise KeyboardInterrupt", "on_well(); raise KeyboardInterrupt"])
def test_ctrl_c_does_not_count_and_frees_the_console(pin: Pin, body: str) -> None:
    pin.app(body=body)
    for _ in range(4):
        lines = pin.boot()
        # Ten minutes for who works there; a pin that nobody works at starts again by itself.
        assert lines[-1] == "prompt"
        assert "stretched 600000" in lines
        assert pin.boots is None


def test_ctrl_c_in_the_pause_after_a_failed_boot_frees_the_console_and_keeps_the_count(pin: Pin) -> None:
    pin.app()
    lines = pin.boot("ctrl_c")
    assert lines[-1] == "prompt"
    assert "stretched 600000" in lines
    assert pin.boots == ["1", "OSError: no radio"]


def test_ctrl_c_keeps_what_was_counted_before(pin: Pin) -> None:
    pin.app()
    pin.boot()
    pin.app(body="raise KeyboardInterrupt")
    pin.boot()
    assert pin.boots == ["1", "OSError: no radio"]


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"many\n", b"-3\n", b"1.5\nx", b"\n\n\n"])
def test_boots_is_garbled(pin: Pin, content: bytes) -> None:
    pin.app()
    (pin.root / "boots").write_bytes(content)
    pin.boot()
    boots = pin.boots
    assert boots
    assert boots == ["1", "OSError: no radio"]


def test_a_flash_that_takes_no_count_still_starts_the_app(pin: Pin) -> None:
    pin.app(body=WELL_FOR_EVER)
    (pin.root / "boots").mkdir()
    assert pin.boot() == ["fed", "app one", "not counted", "told 0 ", "soft reset"]


def test_a_flash_that_takes_no_count_does_not_restart_a_failing_app_for_ever(pin: Pin) -> None:
    pin.app()
    (pin.root / "boots").mkdir()
    lines = pin.boot()
    assert lines[-1] == "prompt"
    assert lines[-2].startswith("safe one ")
