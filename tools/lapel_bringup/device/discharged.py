"""The log that discharge.py has left behind."""

from bench import say, send

_NAME = "/bringup-battery.log"


async def run(board):
    """Sends it, or says that there is none."""
    try:
        with open(board.flash_dir + _NAME, "rb") as file:
            data = file.read()
    except OSError:
        say("none")
        return
    send("log", data)
