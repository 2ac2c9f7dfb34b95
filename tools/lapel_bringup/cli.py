"""`lapel bringup`."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lapel_bringup import page
from lapel_bringup.desk import QUICK, Desk, Plan, Step
from lapel_bringup.discharge import curve
from lapel_bringup.person import AtTerminal, BadAnswers, Nobody, Person, answers
from lapel_bringup.pin import Bench, StepFailed
from lapel_bringup.report import BadReport, Report, load
from lapel_bringup.result import BAD
from lapel_bringup.session import Session
from lapel_bringup.steps import STEPS
from lapel_usb.errors import UsbError
from lapel_usb.link import PinLink, open_pin

if TYPE_CHECKING:
    from simulator.usb_desk import UsbDesk

FAILED, INTERRUPTED = 1, 130
OPEN_S = 60.0
FILE = click.Path(path_type=Path)
NAMES = [step.name for step in STEPS]


@click.command()
@click.option("--port", metavar="PORT", help="The pin's serial port; found by itself when only one is there.")
@click.option("--out", type=FILE, default=Path("bringup"), show_default=True, help="Folder of the report.")
@click.option("--step", "only", multiple=True, type=click.Choice(NAMES), help="Only this step; may be repeated.")
@click.option("--radio", default="bleak", show_default=True, metavar="SPEC", help="bleak, bumble:TRANSPORT, or none.")
@click.option("--quick", is_flag=True, help="Less of everything: coarser figures in two minutes.")
@click.option("--yes", is_flag=True, help="Ask nothing; what only a person knows stays open.")
@click.option("--script", type=FILE, help="Ask nothing; answers from a file of lines like  led.red = r")
@click.option("--sim", "board", metavar="BOARD", help="On a simulated pin, with a simulated person.")
@click.option("--battery-curve", is_flag=True, help="Log a discharge for hours; again, to fetch it into the report.")
@click.option("--page", "page_of", type=FILE, help="Only make the page of this report anew.")
def bringup(
    port: str | None,
    out: Path,
    only: tuple[str, ...],
    radio: str,
    quick: bool,
    yes: bool,
    script: Path | None,
    board: str | None,
    battery_curve: bool,
    page_of: Path | None,
) -> None:
    """Test a pin on the desk, over USB: ten minutes, step by step, each with a verdict and what to do.

    Writes a report: bringup.json for the simulator (lapel sim --device) and bringup.html for you. Exit 0: nothing is
    bad. 1: something is, or the pin could not be reached. 2: used wrongly.
    """
    if page_of is not None:
        _page_again(page_of)
        return
    given = _given(script)
    person: Person = Nobody(given) if yes or script else AtTerminal()
    plan = QUICK if quick else Plan()
    steps = [step for step in STEPS if not only or step.name in only]
    report = _continued(out) if only or battery_curve else Report.begun()
    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    with _simulated(board) as sim:
        if sim:
            from lapel_bringup.simulated import SimulatedPerson

            port, person = sim.pin.port, SimulatedPerson(sim.simulation, sim.loop, given)
            radio = sim.radio if radio == "bleak" else radio
        spec = "" if radio == "none" else radio
        code = _test(port, person, plan, spec, report, () if battery_curve else steps, out)
    sys.exit(code)


def _test(
    port: str | None, person: Person, plan: Plan, radio: str, report: Report, steps: Sequence[Step], out: Path
) -> int:
    try:
        with open_pin(port, tell=click.echo, timeout_s=OPEN_S) as link:
            report.pin.update(_known(link))
            bench = Bench(link)
            bench.check()
            desk = Desk(bench, person, plan, radio)
            try:
                if steps:
                    Session(desk, report, steps, lambda kept: _save(kept, out)).run()
                else:
                    curve(desk, report, plan.log_every_s)
            except StepFailed as error:
                raise click.ClickException(f"{error}.\n{error.way_on}") from error
            except (KeyboardInterrupt, click.Abort):
                click.echo("\nStopped. The pin starts its app again.")
                link.stop()
                _end(report, out)
                return INTERRUPTED
    except UsbError as error:
        _end(report, out)
        raise click.ClickException(str(error)) from error
    _end(report, out)
    return FAILED if any(record.verdict == BAD for record in report.steps) else 0


@contextmanager
def _simulated(board: str | None) -> Iterator[UsbDesk | None]:
    if board is None:
        yield None
        return
    from simulator.boards import BoardError
    from simulator.compiled import CannotCompile
    from simulator.pin import NoInterpreter
    from simulator.usb_desk import usb_desk

    try:
        with (
            tempfile.TemporaryDirectory(prefix="lapel-bringup-", ignore_cleanup_errors=True) as folder,
            usb_desk(Path(folder), board) as desk,
        ):
            yield desk
    except BoardError as error:
        raise click.UsageError(f"--sim: {error}") from error
    except (NoInterpreter, CannotCompile) as error:
        raise click.ClickException(str(error)) from error


def _given(script: Path | None) -> Mapping[str, str]:
    try:
        return answers(script) if script else {}
    except BadAnswers as error:
        raise click.UsageError(str(error)) from error


def _continued(out: Path) -> Report:
    # single steps are added to the report that is there
    with suppress(BadReport):
        return load(out)
    return Report.begun()


def _known(link: PinLink) -> dict[str, object]:
    facts = link.facts
    return {
        "micropython": facts.version_text,
        "machine": facts.machine,
        "arch": facts.arch,
        "psram_bytes": facts.psram_bytes,
        "flash_bytes": facts.flash_bytes,
        "free_bytes": facts.free_bytes,
    }


def _save(report: Report, out: Path) -> None:
    try:
        report.save(out, page.html(report))
    except OSError as error:
        raise click.ClickException(f"the report cannot be written to {out}: {error.strerror or error}") from error


def _end(report: Report, out: Path) -> None:
    if not report.steps:
        return
    _save(report, out)
    click.echo(f"\nThe report: {out / 'bringup.html'}")
    click.echo(f"For the simulator: lapel sim --device {out / 'bringup.json'}")


def _page_again(file: Path) -> None:
    try:
        report = load(file)
    except BadReport as error:
        raise click.ClickException(str(error)) from error
    _save(report, file if file.is_dir() else file.parent)
