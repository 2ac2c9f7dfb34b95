"""What lib/drivers/README.md shows is Python that an ESP32-S3 takes, and no driver is left out."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import device_types.__main__ as device_types

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "lib" / "drivers" / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PACKAGES = {path.stem for path in (ROOT / "lib" / "drivers").glob("*.json")} - {"package"}


def test_every_driver_has_its_line_and_its_example() -> None:
    shown = [re.findall(r"from drivers\.(\w+) import", example) for example in EXAMPLES]
    assert sorted(name for names in shown for name in names) == sorted(PACKAGES)
    for name in PACKAGES:
        assert f"[{name}]({name}.py)" in README


def test_an_example_has_five_lines_besides_its_imports_at_most() -> None:
    for example in EXAMPLES:
        assert len([line for line in example.splitlines() if line and not re.match("from|import", line)]) <= 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


def test_the_examples_type_check(folder: Path) -> None:
    files = []
    for number, example in enumerate(EXAMPLES):
        files.append(folder / f"example_{number}.py")
        files[-1].write_text("def run() -> None:\n" + textwrap.indent(example, "    "), encoding="utf-8")
    code, report = device_types.check(files)
    assert code == 0, report


def test_a_wrong_example_does_not(folder: Path) -> None:
    wrong = folder / "wrong.py"
    wrong.write_text(
        "from machine import PWM, Pin\nfrom drivers.motor_pwm import MotorPwm\n"
        "def run() -> None:\n    MotorPwm(PWM(Pin(4), 20_000)).drive('hard')\n"
    )
    code, report = device_types.check([wrong])
    assert code == 1 and "drive" in report, report
