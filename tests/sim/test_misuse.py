"""What goes wrong before or around the pin: a sentence, and an exit code that is not 0."""

from __future__ import annotations

import signal

import pytest

from lapel_companion.state import StateFolder
from simulator.folder import PinFolder
from tests.sim.runs import DISK, Sim


def test_a_companion_that_cannot_start(sim: Sim) -> None:
    # another daemon has the state
    other = StateFolder.open(sim.state)
    try:
        run = sim("tap\n")
    finally:
        other.close()
    assert run.code == 1
    assert "the companion ended by itself" in run.stderr
    assert run.of("press") == []


def test_an_interpreter_that_is_none(sim: Sim) -> None:
    run = sim.run("--wav", str(DISK), LAPEL_MICROPYTHON="/nowhere/micropython")
    assert run.code == 1
    assert "LAPEL_MICROPYTHON names '/nowhere/micropython'" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_state_in_use(sim: Sim) -> None:
    sim.state.mkdir()
    held = PinFolder(sim.state)
    try:
        run = sim("tap\n")
    finally:
        held.close()
    assert run.code == 1
    assert "another `lapel sim` uses this state" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_from_outside_leaves_nothing_running(sim: Sim, number: signal.Signals) -> None:
    running = sim.start("sleep 60\n")
    assert running.stdout
    for line in running.stdout:
        if '"linked"' in line:
            break
    running.send_signal(number)
    assert running.wait(20) == 130
    # the daemon has let its state go, and the simulation its pin's
    StateFolder.open(sim.state).close()
    PinFolder(sim.state).close()


@pytest.mark.parametrize("how", ["link down", "link up"])
def test_an_external_radio_does_not_obey(sim: Sim, how: str) -> None:
    # without a radio of its own the firmware cannot start; that is told as well
    run = sim(f"{how}\n", "--radio", "external", "--companion-radio", "bumble:tcp-client:127.0.0.1:9")
    assert run.code == 1
    assert run.stderr


def test_an_app_that_dies_fails_the_run_with_its_last_words(sim: Sim) -> None:
    (sim.folder / "broken").mkdir()
    (sim.folder / "broken" / "board.py").write_text('raise RuntimeError("nothing is where it should be")\n')
    run = sim(f"hold {DISK}\n", "--device-path", str(sim.folder / "broken"))
    assert run.code == 1
    assert "the firmware gave up (soft reset): RuntimeError: nothing is where it should be" in run.stderr
    assert "broken/board.py" in run.stderr
