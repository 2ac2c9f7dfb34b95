"""firmware/main.py: which app it starts, of several, of half of one, and of none; and which safe mode."""

from __future__ import annotations

import pytest

from tests.host.boot.pins import WELL_FOR_EVER, Pin


@pytest.mark.parametrize("content", [None, b"", b"\n\n", b"\xff\xfe\xfd", b"app/gone", b"app/../..", b"two words\n"])
def test_current_is_missing_or_garbled(pin: Pin, content: bytes | None) -> None:
    pin.app(body=WELL_FOR_EVER)
    current = pin.root / "current"
    current.unlink()
    if content is not None:
        current.write_bytes(content)
    # The app that is whole is started all the same.
    assert "app one" in pin.boot()


def test_current_decides_between_two_apps(pin: Pin) -> None:
    pin.app("one", WELL_FOR_EVER)
    pin.app("two", WELL_FOR_EVER)
    (pin.root / "current").write_text("app/two")
    assert "app two" in pin.boot()
    (pin.root / "current").write_text("app/one\n")
    assert "app one" in pin.boot()


def test_a_frozen_app_runs_when_current_says_so_and_when_there_is_no_other(pin: Pin) -> None:
    whole = pin.app("one", WELL_FOR_EVER)
    # What is frozen is found on the module path, as what lies beside main.py is.
    for name in ("board.py", "lapel/app.py", "lapel/safe_mode.py"):
        target = pin.root / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((whole / name).read_bytes().replace(b'"app"', b'"frozen app"'))
    assert "app one" in pin.boot()
    for current, folders in (("frozen\n", True), ("app/one\n", False)):
        (pin.root / "current").write_text(current)
        if not folders:
            (whole / "manifest.json").unlink()
        assert any(line.startswith("frozen app") for line in pin.boot())


def test_a_folder_that_is_half_copied_is_no_app(pin: Pin) -> None:
    pin.app("one", WELL_FOR_EVER)
    half = pin.app("half", WELL_FOR_EVER)
    (half / "manifest.json").unlink()
    (pin.root / "current").write_text("app/half\n")
    assert "app one" in pin.boot()


def test_no_app_at_all_is_a_sentence_and_the_prompt(pin: Pin) -> None:
    for _ in range(3):
        assert pin.boot()[-1] == "soft reset"
    lines = pin.boot()
    assert lines[-1] == "prompt"
    assert "make flash" in lines[-2]
    assert "board" in lines[-2]


def test_a_board_that_cannot_be_loaded_means_the_safe_mode_of_the_app_before(pin: Pin) -> None:
    old = pin.app("old")
    new = pin.app("new")
    (pin.root / "current").write_text("app/new\n")
    (new / "board.py").write_text("import no_such_driver\n")
    for _ in range(3):
        assert pin.boot()[-1] == "soft reset"
    lines = pin.boot()
    assert lines[-1] == "prompt"
    assert lines[-2].startswith("safe old ")
    assert "no_such_driver" in lines[-2]
    assert old.is_dir()


@pytest.mark.parametrize(
    "broken", ["raise MemoryError\n", "def start(:\n", "def start(pin, cause):\n    raise OSError(5)\n"]
)
def test_a_safe_mode_that_fails_means_that_of_the_app_before(pin: Pin, broken: str) -> None:
    pin.app("old")
    new = pin.app("new")
    (pin.root / "current").write_text("app/new\n")
    (new / "lapel" / "safe_mode.py").write_text(broken)
    for _ in range(3):
        pin.boot()
    assert pin.boot()[-2:] == ["safe old OSError: no radio", "prompt"]


def test_no_working_safe_mode_leaves_the_console_without_a_watchdog(pin: Pin) -> None:
    (pin.app() / "lapel" / "safe_mode.py").unlink()
    for _ in range(3):
        pin.boot()
    lines = pin.boot()
    # It runs since the boots before, which a soft reset does not end.
    assert "stretched 86400000" in lines
    assert lines[-1] == "prompt"
    assert "no app on this pin can start (OSError: no radio)" in lines[-2]


def test_modules_of_a_broken_app_do_not_get_into_the_safe_mode_of_another(pin: Pin) -> None:
    for name in ("old", "new"):
        folder = pin.app(name)
        (folder / "drivers").mkdir()
        (folder / "drivers" / "light.py").write_text(f"NAME = '{name}'\n")
        (folder / "lapel" / "safe_mode.py").write_text(
            "from drivers import light\ndef start(pin, cause):\n    print('light of', light.NAME)\n"
        )
    (pin.root / "current").write_text("app/new\n")
    new = pin.root / "app" / "new" / "lapel" / "safe_mode.py"
    new.write_text(new.read_text() + "    raise OSError(1)\n")
    for _ in range(3):
        pin.boot()
    lines = pin.boot()
    assert [line for line in lines if line.startswith("light of")] == ["light of new", "light of old"]
