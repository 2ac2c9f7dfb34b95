"""`lapel run`."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from lapel_companion.cli.common import config_option, state_folder, state_option

if TYPE_CHECKING:
    from lapel_companion.events import Event


@click.command()
@click.option(
    "--radio",
    default="bleak",
    show_default=True,
    metavar="SPEC",
    help="bleak: this computer's Bluetooth. bumble:TRANSPORT: what Bumble can open, like bumble:usb:0.",
)
@config_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Every event as one line of JSON, with all that it holds.")
@click.option(
    "--texts/--no-texts",
    default=None,
    help="Show what was heard and printed; when neither is said, on a terminal only, not in a log.",
)
def run(radio: str, config_file: Path | None, state: Path | None, as_json: bool, texts: bool | None) -> None:
    """Run the companion in the foreground and show what happens, until Ctrl-C.

    It looks for the pin, takes its recordings, does what they ask for, and sends the results back. To have it
    always: lapel service install.
    """
    folder = state_folder(state)
    sys.exit(asyncio.run(_run(folder, config_file, radio, as_json, sys.stdout.isatty() if texts is None else texts)))


async def _run(folder: Path, config_file: Path | None, radio: str, as_json: bool, texts: bool) -> int:
    started = time.monotonic()
    from lapel_companion import mistakes, timeline
    from lapel_companion.daemon import Daemon, DaemonError, Options, quiet_libraries

    quiet_libraries()
    out, complaints = _Printer(sys.stdout), _Printer(sys.stderr)

    def on_event(event: Event) -> None:
        if as_json:
            out.line(timeline.json_line(event, round((time.monotonic() - started) * 1000)))
        elif (line := timeline.line(event, texts)) is not None:
            out.line(line)

    def report(sentence: str) -> None:
        complaints.line(f"{time.strftime('%H:%M:%S')}  {sentence}")

    options = Options(folder, config_file, radio, quiet_terminal=not as_json)
    daemon = Daemon(options, on_event=on_event, report=report)
    loop = asyncio.get_running_loop()
    mistakes.quiet_loop(loop, report)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, daemon.stop.set)
    said = asyncio.create_task(
        _say_ready(daemon.ready, report, f"the companion runs on {folder}, radio {radio}")
    )
    try:
        await daemon.run()
    except DaemonError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    finally:
        said.cancel()
        await asyncio.gather(said, return_exceptions=True)
    report("stopped")
    return 0


async def _say_ready(ready: asyncio.Event, report: Callable[[str], None], sentence: str) -> None:
    await ready.wait()
    report(sentence)


class _Printer:
    """Lines to a stream. A reader that went away, or a log on a full disk, does not stop the work; what could not be
    written is counted, and told by the next line that can."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def line(self, text: str) -> None:
        told = f"({self._lost} lines could not be written)\n" if self._lost else ""
        try:
            self._stream.write(f"{told}{text}\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._lost += 1
        else:
            self._lost = 0
