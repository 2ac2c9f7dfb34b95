"""`lapel setup`: a short conversation that ends with a configuration and a task that was done."""

from __future__ import annotations

import asyncio
import importlib.util
import shlex
from pathlib import Path
from typing import Any

import click

from lapel_companion.cli.common import config_option, state_folder, state_option
from lapel_companion.client import ApiError, Client, NoDaemon

_TEST_LIMIT_S = 60.0


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing: take what is suggested.")
@config_option
@state_option
def setup(yes: bool, config_file: Path | None, state: Path | None) -> None:
    """Set up speech, notices and first phrases, and try one.

    Writes the configuration (an older one is kept beside it), then runs a harmless task.
    """
    from lapel_companion import config, paths
    from lapel_companion import setup as parts

    file = (config_file or paths.config_file()).expanduser()
    keep = file.exists() and (
        yes or click.confirm(f"There is a configuration, {file}. Keep it?", default=True)
    )
    if not keep:
        answers = parts.Answers()
        if not yes:
            _ask_engine(answers)
            _ask_channel(answers)
            _ask_commands(answers)
        try:
            kept = parts.write(file, parts.text_of(answers))
        except (parts.SetupError, config.ConfigError) as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"Written: {file}" + (f" (the one before: {kept})" if kept else ""))
    try:
        settings = config.load(file)
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error
    _show_phrases(settings.phrases)
    _try(settings, file, state_folder(state))
    _pair(state_folder(state), state, yes)
    click.echo("\nNext: bring the pin near and type lapel run, or lapel service install to have it always.")
    click.echo("What is there and what is missing: lapel doctor")


def _pair(folder: Path, state: Path | None, yes: bool) -> None:
    """Asks to pair when no pin is paired and one may be there."""
    from lapel_companion.keys import Keys

    told = Keys(folder).told()
    if told["fingerprint"] is not None and not told["begun"]:
        return
    try:
        from lapel_usb.ports import usb_ports

        there = bool(usb_ports())
    except ModuleNotFoundError:
        # a lean installation
        there = False
    click.echo("\nNo pin is paired with this computer yet.")
    if not there or yes:
        click.echo("Plug yours in by USB and type: lapel pair")
    elif click.confirm("Something is plugged in by USB. If it is your pin: pair it now?", default=True):
        from lapel_companion.cli.pair import pair

        try:
            click.get_current_context().invoke(pair, state=state)
        except (click.ClickException, click.exceptions.Exit) as error:
            # The rest of the setup holds.
            if isinstance(error, click.ClickException):
                error.show()
            click.echo("Not paired. Once that is settled: lapel pair")


def _ask_engine(answers: Any) -> None:
    click.echo("Who shall turn your speech into text?")
    click.echo("  1  pocketsphinx: needs nothing. Hears badly: only harmless phrases act by themselves.")
    click.echo("  2  faster-whisper: on this computer, for free speech. Fetches its model at first use.")
    click.echo("  3  an endpoint that speaks OpenAI's transcription API, here or elsewhere.")
    choice = click.prompt("Your choice", type=click.Choice(["1", "2", "3"]), default="1")
    if choice == "2":
        answers.engine = "faster-whisper"
        if importlib.util.find_spec("faster_whisper") is None:
            click.echo("It is not installed yet; type: .venv/bin/pip install -e '.[whisper]'")
    elif choice == "3":
        answers.engine = "openai"
        answers.url = click.prompt("Its address", default="http://127.0.0.1:8080/v1")
        answers.model = click.prompt("Its model", default="whisper-1")
        key = click.prompt(
            "The environment variable that holds its key (empty: none)", default="", show_default=False
        )
        answers.api_key_env = key or None


def _ask_channel(answers: Any) -> None:
    from lapel_companion import channels

    click.echo("The pin only buzzes; what it means is written where you can read it.")
    choices = click.Choice(["auto", "desktop", "terminal"])
    answers.channel = click.prompt(
        "Where (auto: the desktop where there is one)", type=choices, default="auto"
    )
    if answers.channel != "terminal":
        trouble = asyncio.run(
            channels.make("desktop")[0].show("Lapel", "This is how results look.", urgent=False)
        )
        if trouble is None:
            click.echo("You should see a notification now.")
        else:
            click.echo(f"No notification: {trouble}. Results go to the terminal, and to: lapel notices")


def _ask_commands(answers: Any) -> None:
    from lapel_companion import setup as parts

    while click.confirm("Add a phrase of your own that runs a program?", default=False):
        say = click.prompt("What you say")
        line = click.prompt("The program and its arguments (there is no shell: no pipes, no wildcards)")
        try:
            words = shlex.split(line)
        except ValueError as error:
            click.echo(f"That cannot be read: {error}")
            continue
        harmless = click.confirm("May it run although it was perhaps misheard?", default=False)
        command = parts.Command(say, words, harmless)
        trouble = parts.check_command(command) if words else "a command needs a program."
        if trouble is None:
            answers.commands.append(command)
        else:
            click.echo(f"Not added: {trouble}")


def _show_phrases(phrases: Any) -> None:
    click.echo("What you can say now:")
    for phrase in phrases:
        click.echo(f"  {phrase.say}")


def _try(settings: Any, file: Path, state: Path) -> None:
    from lapel_companion import setup as parts

    says = [phrase.say for phrase in settings.phrases if phrase.agent == "command" and phrase.harmless]
    line = parts.TEST_LINE if parts.TEST_LINE in says else next((say for say in says if "{" not in say), None)
    if line is None:
        click.echo('No harmless phrase to try; say one yourself: lapel say "..."')
        return
    click.echo(f'\nA first task: "{line}" ...')
    try:
        given = Client(state).post("/v1/say", {"text": line})
        notice = next(
            (
                e["body"]
                for e in Client(state).follow(given["after"], dispatch=given["dispatch"])
                if e["kind"] == "notice"
            ),
            None,
        )
        click.echo("(The companion that runs here has its old configuration until it is started again.)")
    except NoDaemon:
        notice = asyncio.run(_try_here(file, state, line))
    except ApiError as error:
        raise click.ClickException(str(error)) from error
    if notice is None:
        raise click.ClickException("the first task did not come to an end; lapel doctor may say why.")
    click.echo(f"{notice['kind']}: {notice['text']}")
    if notice["kind"] != "done":
        raise click.exceptions.Exit(1)


async def _try_here(file: Path, state: Path, line: str) -> dict[str, Any] | None:
    """A companion for this one task, without a radio."""
    from lapel_companion.daemon import Daemon, DaemonError, Options, quiet_libraries

    quiet_libraries()
    options = Options(state, file, None, quiet_terminal=True)
    daemon = Daemon(options, on_event=lambda _: None, report=lambda text: click.echo(f"  {text}", err=True))
    running = asyncio.create_task(daemon.run())
    ready = asyncio.create_task(daemon.ready.wait())
    try:
        async with asyncio.timeout(_TEST_LIMIT_S):
            await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return None
            after = daemon.log.head()
            dispatch = await daemon.engine.say(line)
            async for event in daemon.log.subscribe(after):
                if event.kind == "notice" and event.dispatch == dispatch:
                    return dict(event.body)
    except TimeoutError:
        return None
    finally:
        ready.cancel()
        daemon.stop.set()
        try:
            await running
        except DaemonError as error:
            raise click.ClickException(str(error)) from error
    return None
