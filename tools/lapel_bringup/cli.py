"""`lapel bringup`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from lapel_bringup import page
from lapel_bringup.desk import QUICK, Desk, Plan
from lapel_bringup.person import AtTerminal, BadAnswers, Nobody, Person, answers
from lapel_bringup.pin import Bench
from lapel_bringup.report import BadReport, Report, load
from lapel_bringup.result import BAD
from lapel_bringup.session import Session
from lapel_bringup.steps import STEPS
from lapel_usb.errors import UsbError
from lapel_usb.link import PinLink, open_pin

FAILED, INTERRUPTED = 1, 130
FILE = click.Path(path_type=Path)
NAMES = [step.name for step in STEPS]


@click.command()
@click.option("--port", metavar="PORT", help="The pin's serial port; found by itself when only one is there.")
@click.option("--out", type=FILE, default=Path("bringup"), show_default=True, help="Folder of the report.")
@click.option("--step", "only", multiple=True, type=click.Choice(NAMES), help="Only this step; may be repeated.")
@click.option("--radio", default="bleak", show_default=True, metavar="SPEC", help="bleak, bumble:TRANSPORT, or none.")
@click.option("--quick", is_flag=True, help="Less of everything: coarser figures in two minutes.")
@click.option("--yes", is_flag=True, help="Ask nothing; what only a person knows stays open.")
@click.option("--script", type=FILE, help="Answers from a file of lines `led.red = r`, and - asks nothing else.")
@click.option("--page", "page_of", type=FILE, help="Only make the page of this report anew.")
def bringup(
    port: str | None,
    out: Path,
    only: tuple[str, ...],
    radio: str,
    quick: bool,
    yes: bool,
    script: Path | None,
    page_of: Path | None,
) -> None:
    """Test a pin on the desk, over USB: ten minutes, step by step, each with a verdict and what to do.

    Writes a report: bringup.json for the simulator (lapel sim --device) and bringup.html for you. Exit 0: nothing is
    bad. 1: something is, or the pin could not be reached. 2: used wrongly.
    """
    if page_of is not None:
        _page_again(page_of)
        return
    person = _person(yes, script)
    steps = [step for step in STEPS if not only or step.name in only]
    report = _continued(out) if only else Report.begun()
    try:
        with open_pin(port, tell=click.echo, timeout_s=30) as link:
            report.pin.update(_known(link))
            desk = Desk(Bench(link), person, QUICK if quick else Plan(), "" if radio == "none" else radio)
            click.echo(f"The report goes to {out}.")
            Session(desk, report, steps, lambda kept: _save(kept, out)).run()
    except UsbError as error:
        _end(report, out)
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped; the pin runs its app again.")
        _end(report, out)
        sys.exit(INTERRUPTED)
    _end(report, out)
    if any(record.verdict == BAD for record in report.steps):
        sys.exit(FAILED)


def _person(yes: bool, script: Path | None) -> Person:
    if script is not None:
        try:
            return Nobody(answers(script))
        except BadAnswers as error:
            raise click.UsageError(str(error)) from error
    return Nobody() if yes else AtTerminal()


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
