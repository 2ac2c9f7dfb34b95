"""`lapel`: the commands. Each is imported when it is used, so that none waits for another's libraries."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

# name: (module, what the list says of it)
_COMMANDS = {
    "sim": ("simulator.cli", "Run a simulated pin, its radio and the companion on this machine."),
    "bringup": ("lapel_bringup.cli", "Test a pin on the desk over USB, step by step, with a report."),
    "codec": ("lapel_codec.cli", "Run the pin's own encoder on a recording, to listen to what it does."),
    "run": ("lapel_companion.cli.run", "Run the companion in the foreground and show what happens."),
    "pair": ("lapel_companion.cli.pair", "Pair the pin on USB with this computer, or give it another key."),
    "unpair": ("lapel_companion.cli.pair", "Take the key from both; --lost: refuse a pin that is not at hand."),
    "setup": ("lapel_companion.cli.setup", "Set up speech, notices and first phrases, and try one."),
    "service": ("lapel_companion.cli.service", "Have the companion run whenever you are logged in."),
    "say": ("lapel_companion.cli.talk", "Hand over a task by typing it, and wait for the result."),
    "status": ("lapel_companion.cli.show", "Show the link, what is under way and what waits for you."),
    "jobs": ("lapel_companion.cli.show", "List the newest jobs."),
    "log": ("lapel_companion.cli.show", "Show what a job printed."),
    "notices": ("lapel_companion.cli.show", "List the newest notices, or mark them as seen."),
    "release": ("lapel_companion.cli.talk", "Let a held dispatch go, with better words if need be."),
    "cancel": ("lapel_companion.cli.talk", "Stop a dispatch and its jobs."),
    "token": ("lapel_companion.cli.token", "Let programs use the companion's API, and take that back."),
    "doctor": ("lapel_companion.cli.doctor", "Check what is there, what is missing, and what to type."),
}

# Commands that a lean installation lacks, and the packages whose absence says so.
_OF_THE_CHECKOUT = {
    "sim": ("simulator",),
    "bringup": ("lapel_bringup", "lapel_usb", "mpremote", "serial"),
    "codec": ("lapel_codec", "simulator"),
}


_MAX_TOKEN_CHARS = 256


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = _COMMANDS[cmd_name][0]
        try:
            found = getattr(importlib.import_module(module), cmd_name)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in _OF_THE_CHECKOUT.get(cmd_name, ()):
                raise
            raise click.ClickException(
                f"`lapel {cmd_name}` is not part of this installation: use a checkout of Lapel (make tools)."
            ) from error
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Said here and not by the commands, so that --help imports none of them.
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="lapel", prog_name="lapel")
@click.option("--token-stdin", is_flag=True, help="Act by the token on standard input (or by that in LAPEL_TOKEN).")
@click.pass_context
def lapel(ctx: click.Context, token_stdin: bool) -> None:
    """Lapel: press the pin, say one line, let go; the result finds you.

    The companion does the work on this computer. `lapel run` starts it, the other commands talk to it.
    """
    if token_stdin:
        ctx.obj = sys.stdin.readline(_MAX_TOKEN_CHARS).strip()


def main(args: list[str] | None = None, **extra: Any) -> None:
    """The program: exit 0 done, 1 not done (a sentence on stderr says why), 2 used wrongly."""
    try:
        code = lapel.main(args=args, prog_name="lapel", standalone_mode=False, **extra)
        # What a command exits with comes back as a value; what it returns is nothing.
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has enough of it.
        sys.stderr.close()
        sys.exit(1)
