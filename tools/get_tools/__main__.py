"""python -m get_tools NAME, one of MAKERS. Run by make; silent when done before."""

from __future__ import annotations

import sys
from pathlib import Path

from get_tools import (
    debian,
    flite,
    libopus,
    micropython,
    micropython32,
    micropython_slow,
    pip_wheel,
    qemu_xtensa,
    strace,
)

ROOT = Path(__file__).resolve().parents[2]
MAKERS = {
    "micropython": micropython.make,
    "micropython32": micropython32.make,
    "micropython-slow": micropython_slow.make,
    "flite": flite.make,
    "libopus": libopus.make,
    "pip-wheel": pip_wheel.make,
    "qemu-xtensa": qemu_xtensa.make,
    "strace": strace.make,
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in MAKERS:
        print(f"usage: python -m get_tools {' | '.join(MAKERS)}", file=sys.stderr)
        return 2
    try:
        MAKERS[arguments[0]](ROOT / ".tools")
    except debian.NotFetched as error:
        print(f"\nlapel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
