"""Who is not paired gets nothing, and a key lasts as long as the state that holds it."""

from __future__ import annotations

from tests.sim.runs import DISK, Sim


def test_a_pin_that_is_not_paired_records_nothing_and_is_told_of(sim: Sim) -> None:
    run = sim(
        f"""
        hold {DISK}
        wait haptic pattern=unpaired 5
        expect-not mic on=true 0.5
        tap
        """,
        "--unpaired",
    ).good()
    assert run.of("pairing", "pin", paired=False)
    assert not run.of("recording") and not run.of("captured") and not run.of("mic", "sim", on=True)
    assert not run.of("link", "pin")
    said = [str(line["line"]) for line in run.of("print", "companion")]
    assert any("no pin is paired" in line and "lapel pair" in line for line in said)


def test_a_state_keeps_its_key(sim: Sim) -> None:
    first = sim("tap\n").good()
    key = (sim.state / "pin.key").read_text()
    second = sim("tap\n").good()
    assert first.of("linked", "companion") and second.of("linked", "companion")
    assert (sim.state / "pin.key").read_text() == key
    assert (sim.state / "pin.key").stat().st_mode & 0o777 == 0o600
    secret = key.split()[2]
    for run in (first, second):
        assert secret not in run.stderr and not any(secret in str(line) for line in run.events)
