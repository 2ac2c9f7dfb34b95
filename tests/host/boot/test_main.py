"""firmware/main.py as it stands, on both Pythons, in a folder that is a pin's root: what it does with each boot.

The app, its board and its safe mode are stand-ins that write down what happened to them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAIN = ROOT / "firmware" / "main.py"
TIMEOUT_S = 20

# What the port does around main: a soft reset on SystemExit, else the prompt. CPython's gc has no threshold().
PORT = """
import gc, sys
if not hasattr(gc, "threshold"):
    gc.threshold = lambda bytes: None
with open("main.py") as file:
    source = file.read()
try:
    exec(source, {"__name__": "__main__"})
    print("prompt")
except SystemExit:
    print("soft reset")
except KeyboardInterrupt:
    print("interrupted")
"""

BOARD = """
class Watchdog:
    def feed(self):
        print("fed")
    def stretch(self, ms):
        print("stretched", ms)

class Essentials:
    watchdog = Watchdog()
    def reset_cause(self):
        return "{reset}"

def essentials():
    return Essentials()

def build():
    print("built")
"""

APP = """
print("app", __file__.split("/")[-3])

def run(build_board, on_well, failed, cause):
    try:
        with open("boots") as file:
            print("counted", file.read().split("\\n")[0])
    except OSError:
        print("not counted")
    print("told", failed, cause)
    {body}
"""

SAFE = """
def start(pin, cause):
    print("safe", __file__.split("/")[-3], cause)
    return "kept"
"""

WELL_FOR_EVER = "on_well(); raise SystemExit"


@dataclass
class Pin:
    """A pin's root, and the Python that runs on it."""

    root: Path
    python: str

    def app(self, name: str = "one", body: str = "raise OSError('no radio')", reset: str = "soft reset") -> Path:
        """A whole app's folder; the current one unless there is another."""
        folder = self.root / "app" / name
        (folder / "lapel").mkdir(parents=True, exist_ok=True)
        (folder / "board.py").write_text(BOARD.replace("{reset}", reset))
        (folder / "lapel" / "app.py").write_text(APP.replace("{body}", body))
        (folder / "lapel" / "safe_mode.py").write_text(SAFE)
        (folder / "manifest.json").write_text("{}")
        if not (self.root / "current").exists():
            (self.root / "current").write_text(f"app/{name}\n")
        return folder

    def boot(self, pause: str = "0") -> list[str]:
        """The lines that one boot prints. A `pause` of "ctrl_c" is interrupted."""
        source = MAIN.read_text().replace("PAUSE_S = 2\n", f"PAUSE_S = {pause}\n")
        if pause == "ctrl_c":
            source = source.replace("time.sleep(PAUSE_S)", "raise KeyboardInterrupt").replace("= ctrl_c", "= 0")
        assert "PAUSE_S = 2" not in source
        (self.root / "main.py").write_text(source)
        port = self.root / "port_stand_in.py"
        port.write_text(PORT)
        env: Mapping[str, str] = {**os.environ, "MICROPYPATH": ".frozen", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [self.python, str(port)],
            cwd=self.root,
            env=env,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    @property
    def boots(self) -> list[str] | None:
        """The lines of its file, None without one."""
        path = self.root / "boots"
        return path.read_text().splitlines() if path.exists() else None


@pytest.fixture(params=["cpython", "micropython"])
def pin(request: pytest.FixtureRequest, tmp_path: Path) -> Pin:
    own = os.environ.get("LAPEL_MICROPYTHON") or str(ROOT / ".tools" / "micropython")
    return Pin(tmp_path, sys.executable if request.param == "cpython" else own)


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
