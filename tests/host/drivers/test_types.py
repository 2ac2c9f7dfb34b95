"""Every driver type-checks against what an ESP32-S3 offers, and what it is handed is checked too."""

from __future__ import annotations

from pathlib import Path

import device_types.__main__ as device_types

DRIVERS = Path(__file__).resolve().parents[3] / "lib" / "drivers"
# One call of each driver, and one that its peripheral does not have.
WRONG = {
    "battery_adc": ("_adc.read_uv()", "_adc.read_volts()"),
    "button": (".irq(None)", ".irq(3, 4, 5, 6)"),
    "drv2605l": ("readfrom_mem_into(", "readfrom_memory("),
    "led_plain": ("output.value(", "output.set_to("),
    "max17048": (".writeto(", ".write_to("),
    "mic_i2s": ("i2s.deinit()", "i2s.stop()"),
    "motor_pwm": ("duty_u16(0)", "duty_cycle(0)"),
    "pixel": ("power.value(1)", "power.turn_on()"),
}


def test_every_driver_type_checks() -> None:
    assert {path.stem for path in DRIVERS.glob("*.json")} - {"package"} == set(WRONG)
    code, report = device_types.check(sorted(DRIVERS.glob("*.py")))
    assert code == 0, report


def test_a_call_that_the_peripheral_lacks_is_found(tmp_path: Path) -> None:
    files = []
    for name, (right, wrong) in WRONG.items():
        source = (DRIVERS / f"{name}.py").read_text(encoding="utf-8")
        assert right in source, name
        files.append(tmp_path / f"wrong_{name}.py")
        files[-1].write_text(source.replace(right, wrong, 1), encoding="utf-8")
    _, report = device_types.check(files)
    for name in WRONG:
        assert f"wrong_{name}.py" in report, name
