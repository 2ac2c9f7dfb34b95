"""Steps that are skipped, repeated, failed and stopped, by a person at a terminal; what the pin's exceptions mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lapel_bringup.desk import Desk, Step
from lapel_bringup.person import AtTerminal, BadAnswers, Nobody, answers
from lapel_bringup.pin import Bench, StepFailed, Told
from lapel_bringup.report import Report
from lapel_bringup.result import Result
from lapel_bringup.session import Session
from lapel_usb.errors import LinkLost, PinError
from tests.host.bringup.fake_link import FakeLink


def step(name: str, does: Callable[[Desk], Result]) -> Step:
    return Step(name, name.capitalize(), "Does it.", does)


def fine(desk: Desk) -> Result:
    result = Result()
    result.good("Fine.")
    return result


def through(steps: list[Step], typed: str, link: FakeLink | None = None) -> tuple[str, Report]:
    """What stands on the terminal, and the report."""
    report = Report.begun()

    @click.command()
    def command() -> None:
        Session(Desk(Bench(link or FakeLink()), AtTerminal()), report, steps, lambda kept: None).run()

    done = CliRunner().invoke(command, input=typed)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output, report


def states(report: Report) -> list[tuple[str, str]]:
    return [(record.name, record.state) for record in report.steps]


def test_enter_goes_on_s_skips_q_stops() -> None:
    steps = [step(name, fine) for name in ("one", "two", "three", "four")]
    output, report = through(steps, "\n\ns\n\n\nq\n")
    assert states(report) == [("one", "done"), ("two", "skipped"), ("three", "done")]
    assert not report.complete
    assert "good: Fine." in output


def test_r_repeats_and_the_last_one_counts() -> None:
    count = 0

    def counted(desk: Desk) -> Result:
        nonlocal count
        count += 1
        result = Result()
        (result.bad if count == 1 else result.good)(f"Try {count}.")
        return result

    _, report = through([step("one", counted)], "\nr\n\n")
    assert (count, report.steps[0].verdict, report.complete) == (2, "good", True)


def test_what_nobody_understands_is_asked_again() -> None:
    output, report = through([step("one", fine)], "what?\n\n\n")
    assert output.count("Enter to begin") == 2
    assert report.complete


def test_ctrl_c_at_a_question_leaves_the_step_as_stopped() -> None:
    def asks(desk: Desk) -> Result:
        desk.person.ready("k", "Are you ready?")
        return Result()

    # the end of what is typed is what Ctrl-C is to a prompt
    _, report = through([step("one", fine), step("two", asks)], "\n\n\n")
    assert states(report) == [("one", "done"), ("two", "stopped")]
    assert report.steps[1].trouble == "stopped by Ctrl-C"


def test_a_step_that_fails_says_why_and_the_next_goes_on() -> None:
    def broken(desk: Desk) -> Result:
        raise StepFailed("it is full", "Empty it.")

    output, report = through([step("one", broken), step("two", fine)], "\n\n\n\n")
    assert states(report) == [("one", "failed"), ("two", "done")]
    assert "bad: it is full." in output
    assert "Empty it." in output


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        ("ImportError: no module named 'aioble'", "aioble is not on this pin"),
        ("MemoryError: memory allocation failed, allocating 32768 bytes", "the pin's heap is too small for this step"),
        ("AttributeError: 'Board' object has no attribute 'led'", "the app on this pin is older than this self-test"),
        ("ValueError: odd", "the pin raised ValueError: odd"),
    ],
)
def test_what_the_pin_raises_is_told_in_words(raised: str, says: str) -> None:
    def asks(desk: Desk) -> Result:
        desk.bench.run("chip", timeout_s=1)
        return Result()

    _, report = through([step("one", asks)], "\n\n", FakeLink(error=PinError(raised, raised)))
    assert report.steps[0].trouble == says
    assert report.steps[0].way_on


def test_a_pin_that_is_gone_ends_the_session_with_what_there_is() -> None:
    def asks(desk: Desk) -> Result:
        desk.bench.run("chip", timeout_s=1)
        return Result()

    report = Report.begun()
    session = Session(
        Desk(Bench(FakeLink(error=LinkLost("The port went away."))), Nobody()),
        report,
        [step("one", fine), step("two", asks), step("three", fine)],
        lambda kept: None,
    )
    with pytest.raises(LinkLost):
        session.run()
    assert states(report) == [("one", "done"), ("two", "stopped")]
    assert report.steps[1].trouble == "The port went away."


def test_a_pin_that_was_reset_meanwhile_is_waited_for() -> None:
    link = FakeLink(lost=1)
    Bench(link).run("chip", timeout_s=1)
    assert link.reopened == 1


@pytest.mark.parametrize(
    "lines",
    [
        ("@{not json",),
        ("@[1]",),
        ("#AAECAw==", '@{"event": "data", "name": "x", "bytes": 5, "crc32": 1}'),
        ("#AAECAw==", '@{"event": "data", "name": "x", "bytes": 4, "crc32": 1}'),
    ],
)
def test_what_comes_damaged_over_the_cable_is_a_sentence(lines: tuple[str, ...]) -> None:
    with pytest.raises(StepFailed, match="came damaged") as error:
        Bench(FakeLink(lines)).run("chip", timeout_s=1)
    assert "cable" in error.value.way_on


def test_what_the_pin_never_said_is_a_sentence() -> None:
    with pytest.raises(StepFailed, match="without a word on 'heap'"):
        Told().one("heap")


def test_choices_are_asked_until_one_is_given() -> None:
    @click.command()
    def command() -> None:
        click.echo(AtTerminal().choose("k", "Which?", {"r": "red", "g": "green"}))

    done = CliRunner().invoke(command, input="x\ng\n")
    assert done.output.splitlines()[-1] == "g"
    assert "r = red, g = green" in done.output


def test_answers_are_lines_with_an_equals_sign(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("# mine\nled.red = r\n\nstep.radio=skip # not here\n")
    assert answers(file) == {"led.red": "r", "step.radio": "skip"}
    with pytest.raises(BadAnswers, match="No such file"):
        answers(tmp_path / "none")
    assert Nobody(answers(file)).before("radio") == "skip"
