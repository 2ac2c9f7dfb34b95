"""`lapel sim`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lapel_bringup.report import BadReport
from lapel_companion import config, paths
from lapel_companion.client import follow
from lapel_companion.pairing import PairingError
from simulator import flash as nor
from simulator import live, measured
from simulator.air import Pace
from simulator.boards import BoardError, pin_spec
from simulator.codec import CALLED, CODECS, recording_in
from simulator.compiled import CannotCompile
from simulator.engine import CannotDo, Engine, Unmet
from simulator.folder import Busy
from simulator.pairing import CannotPair
from simulator.pin import CLASSIC, NoInterpreter
from simulator.script import ScriptError, Step, hold_one, parse
from simulator.show import JsonLines, Screen
from simulator.simulation import Options, Simulation
from simulator.usb_sim import on_usb
from simulator.wav import RATE_HZ, BadWav

RECORDING_MAX_S = 60
USAGE, FAILED, INTERRUPTED = 2, 1, 130

FILE = click.Path(path_type=Path)
RADIO = click.Choice(["virtual", "external"])
INTERVAL = click.FloatRange(7.5, 4000)
PACKETS = click.IntRange(1, 12)
MTU = click.IntRange(23, 517)
BLOCKS = click.IntRange(16, 65535)
HEAP = click.IntRange(100_000)


@click.command()
@click.option("--wav", type=FILE, help="Hold the button, speak this recording, wait for the result.")
@click.option("--script", type=FILE, help="Do what this file says; see tools/simulator/README.md.")
@click.option("--mic", is_flag=True, help="Your own voice: the space bar is the button.")
@click.option("--usb", is_flag=True, help="A pin on USB for `make flash`, until Ctrl-C; its app is what was flashed.")
@click.option("--board", default=CLASSIC, show_default=True, metavar="NAME", help="A folder of boards/.")
@click.option("--without", multiple=True, metavar="CHIP", help="A part of the board that is not there.")
@click.option("--device", type=FILE, help="A report of `lapel bringup`: that pin's constants in place of ours.")
@click.option("--config", "config_file", type=FILE, help="The companion's; else the example.")
@click.option("--codec", type=click.Choice(CODECS), help="Of recordings, in place of what the configuration says.")
@click.option("--state", type=FILE, help="What both remember; else a temporary one.")
@click.option("--radio", type=RADIO, default="virtual", help="external: the interpreter's own.")
@click.option("--companion-radio", default="", metavar="SPEC", help="bleak, or bumble:TRANSPORT.")
@click.option("--device-path", "device_paths", type=FILE, multiple=True, help="For the pin's module path.")
@click.option("--seed", type=int, default=1, show_default=True, help="For what is left to chance.")
@click.option("--json", "as_json", is_flag=True, help="Every event as one line of JSON.")
@click.option("--interval-ms", type=INTERVAL, help="Connection interval; 30, or the report's.")
@click.option("--packets", type=PACKETS, help="Packets a connection event; 4, or the report's.")
@click.option("--mtu", type=MTU, default=517, help="The longest ATT MTU that the pin's radio grants.")
@click.option("--flash-blocks", type=BLOCKS, default=nor.BLOCKS, help="Of a new flash, of 4 kB.")
@click.option("--flash-time/--no-flash-time", default=True, help="Flash takes the chip's time.")
@click.option("--heap", type=HEAP, default=None, help="The pin's heap, in bytes; else the board's.")
@click.option("--unpaired", is_flag=True, help="A pin that nobody paired, unless the state has a key.")
@click.option("--may-die", is_flag=True, help="A firmware that dies or gives up is an event, not the end.")
@click.option("-v", "--verbose", is_flag=True, help="Show everything, also what the processes print.")
def sim(
    wav: Path | None,
    script: Path | None,
    mic: bool,
    usb: bool,
    board: str,
    without: tuple[str, ...],
    device: Path | None,
    config_file: Path | None,
    codec: str | None,
    state: Path | None,
    radio: str,
    companion_radio: str,
    device_paths: tuple[Path, ...],
    seed: int,
    as_json: bool,
    interval_ms: float | None,
    packets: int | None,
    mtu: int,
    flash_blocks: int,
    flash_time: bool,
    heap: int | None,
    unpaired: bool,
    may_die: bool,
    verbose: bool,
) -> None:
    """Run a simulated pin, a radio and the companion together.

    Exit 0: every wait was met. 1: one was not, or something broke; stderr says what. 2: used wrongly.
    """
    if (wav is not None) + (script is not None) + mic + usb != 1:
        raise click.UsageError("give one of --wav FILE, --script FILE, --mic and --usb")
    if not verbose:
        logging.getLogger("bumble").setLevel(logging.CRITICAL)
    steps = _steps(wav, script)
    if mic:
        _check_mic()
    used = config_file or paths.EXAMPLE
    _check(used)
    for folder in device_paths:
        if not folder.is_dir():
            raise click.UsageError(f"--device-path {folder}: no such folder")
    if codec:
        # The pin hears of it over the link.
        steps = [*parse(f"wait codec codec={CALLED[codec]}", "--codec", Path()), *steps]
    paths_first = [folder.absolute() for folder in device_paths]
    try:
        pin = pin_spec(board, without, paths_first, radio == "virtual", heap or 0)
        constants = measured.read(device) if device else measured.Measured()
    except (BoardError, BadReport) as error:
        raise click.UsageError(str(error)) from error
    pace = Pace(interval_ms or constants.interval_ms or 30.0, packets or constants.packets or 4, mtu=mtu)
    if usb:
        with _state(state) as kept:
            screen = JsonLines() if as_json else Screen(verbose=verbose)
            on_usb(kept, board, without, used.absolute(), screen, seed=seed, pace=pace, measured=constants)
        return
    with _state(state) as kept:
        options = Options(
            state=kept,
            config=recording_in(codec, used, kept) if codec else used.absolute(),
            virtual_radio=radio == "virtual",
            companion_radio=companion_radio,
            companion=follow,
            seed=seed,
            pace=pace,
            measured=constants,
            flash_blocks=flash_blocks,
            flash_timed=flash_time,
            may_die=may_die,
            paired=not unpaired,
            pin=pin,
        )
        screen = JsonLines() if as_json else Screen(verbose=verbose)
        code = asyncio.run(_run(options, steps, screen, mic))
    sys.exit(code)


def _steps(wav: Path | None, script: Path | None) -> list[Step]:
    try:
        if wav is not None:
            steps = hold_one(wav)
        elif script is not None:
            steps = parse(script.read_text(encoding="utf-8"), str(script), script.absolute().parent)
        else:
            steps = []
    except (ScriptError, BadWav) as error:
        raise click.UsageError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text file"
        raise click.UsageError(f"{script}: {why}") from error
    for step in steps:
        seconds = len(step.sound) / RATE_HZ
        if seconds > RECORDING_MAX_S:
            click.echo(
                f"{step.file} is {seconds:.1f} s long: after {RECORDING_MAX_S} s the pin ends by itself.",
                err=True,
            )
    return steps


def _check_mic() -> None:
    try:
        live.check()
    except CannotDo as error:
        raise click.ClickException(str(error)) from error


def _check(file: Path) -> None:
    try:
        config.load(file)
    except config.ConfigError as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def _state(state: Path | None) -> Iterator[Path]:
    if state is not None:
        try:
            state.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"--state {state}: {error.strerror}") from error
        yield state.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="lapel-sim-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def _run(options: Options, steps: list[Step], screen: JsonLines | Screen, mic: bool) -> int:
    simulation = Simulation(options)
    simulation.timeline.listen(screen.show)
    me = asyncio.current_task()
    assert me
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    screen.head()
    code = 0
    try:
        await simulation.open()
        if simulation.failure:
            raise Unmet(simulation.failure)
        if mic:
            await live.live(simulation)
        else:
            await Engine(simulation).run(steps)
    except (
        Unmet, CannotDo, Busy, NoInterpreter, CannotCompile, CannotPair, PairingError, OSError, ValueError,
    ) as error:  # fmt: skip
        click.echo(f"lapel sim: {error}", err=True)
        code = FAILED
    except asyncio.CancelledError:
        code = INTERRUPTED
    finally:
        await simulation.close()
    if simulation.failure:
        if code == 0:
            click.echo(f"lapel sim: {simulation.failure}", err=True)
        for line in simulation.last_words:
            click.echo(f"  {line}", err=True)
        code = code or FAILED
    return code
