"""python -m get_tools NAME: micropython, micropython32, micropython-slow, flite or pip-wheel. Run by make; silent when done before."""

from __future__ import annotations

import sys
from pathlib import Path

from get_tools import debian, flite, micropython, micropython32, micropython_slow, pip_wheel

ROOT = Path(__file__).resolve().parents[2]
USAGE = "usage: python -m get_tools micropython | micropython32 | micropython-slow | flite | pip-wheel"


def main(arguments: list[str]) -> int:
    makers = {
        "micropython": micropython.make,
        "micropython32": micropython32.make,
        "micropython-slow": micropython_slow.make,
        "flite": flite.make,
        "pip-wheel": pip_wheel.make,
    }
    if len(arguments) != 1 or arguments[0] not in makers:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        makers[arguments[0]](ROOT / ".tools")
    except debian.NotFetched as error:
        print(f"\nlapel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
