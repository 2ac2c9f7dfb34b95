"""The MicroPython half of tier (a): `worker.py list N SEED`, or `worker.py run SEED` with names on stdin.

Prints JSON, a line each: {"kind", "names"} of what there is, or a verdict of each case (verdict.py's fields).
"""

import json
import sys

import virtual_time

virtual_time.install()

# The second word of a case's name: the module that knows such cases. It has
#   cases(n, seed) -> [(kind, [name, ...]), ...], by a dry run where that is needed
#   run(names)     which emits one verdict for each (forks.emit)
FAMILIES = {
    "cut": "cut_cases",
    "flash": "flash_cases",
    "file": "image_cases",
    "full": "image_cases",
    "packet": "packet_cases",
    "link": "link_cases",
    "mix": "mixtures",
}


def family(name: str):
    """The module of the cases that are called so."""
    return __import__(FAMILIES[name.split("/")[1]])


def show_all(n: int, seed: int) -> None:
    for module in sorted(set(FAMILIES.values())):
        for kind, names in __import__(module).cases(n, seed):
            print(json.dumps({"kind": kind, "names": names}))


def run(names) -> None:
    """Cases of one family after the other, in the order in which they were asked for."""
    for key in FAMILIES:
        chosen = [name for name in names if name.split("/")[1] == key]
        if chosen:
            family(chosen[0]).run(chosen)


def main(arguments) -> None:
    if arguments[0] == "list":
        show_all(int(arguments[1]), int(arguments[2]))
    else:
        run([line.strip() for line in sys.stdin])


main(sys.argv[1:])
