"""A pin's root in a folder, with firmware/main.py as it stands, and one boot of it on either Python.

The app, its board and its safe mode are stand-ins that write down what happened to them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
