"""`python killed.py POINT WORDS...`: `lapel WORDS`, killed (SIGKILL) when it comes to the durable step POINT, or to one
of `given` and `proved`; "" for none."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from lapel_companion import cli, durable
from lapel_usb import owner


def main(point: str, words: list[str]) -> None:
    def reached(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    durable.watch(reached)
    give, look = owner.give, owner.look
    given = False

    def gives(link: Any, key: Any) -> None:
        nonlocal given
        give(link, key)
        given = True
        reached("given")

    def looks(link: Any) -> owner.Seen:
        seen = look(link)
        if given:
            reached("proved")
        return seen

    owner.give, owner.look = gives, looks
    cli.main(words)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
