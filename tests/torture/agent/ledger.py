"""The agent of the torture: a program that writes down, by itself and durably, that it was run.

    ledger.py [--work-ms N] [--fail] [--hang] [--children N] FILE WORD...

One line at its start and one at its end, `begin<TAB>pid<TAB>words` and `end<TAB>...`, each synced with its folder
before it goes on. The product's own books are never asked: what ran, and how often, stands here.
Standard library alone and no package: it is started by path, as a person's own script is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from pathlib import Path

FAILED = 3
# A child that nobody ends would be found by whoever counts processes; it must not stay for ever.
_CHILD_S = 120


def append(path: Path, line: str) -> None:
    """One line at the end, in one write, and durable: the file and its name."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def main(arguments: list[str] | None = None) -> int:
    """The exit status; with --hang it does not come back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work-ms", type=int, default=0, help="how long it works between its two lines")
    parser.add_argument("--fail", action="store_true", help=f"exit status {FAILED} after the work")
    parser.add_argument("--hang", action="store_true", help="never come to an end")
    parser.add_argument("--children", type=int, default=0, help="processes that it leaves behind in its group")
    parser.add_argument("file", type=Path)
    parser.add_argument("words", nargs="+")
    options = parser.parse_args(arguments)
    words, pid = " ".join(options.words), os.getpid()
    append(options.file, f"begin\t{pid}\t{words}")
    for _ in range(options.children):
        subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({_CHILD_S})"])
    threading.Event().wait(None if options.hang else options.work_ms / 1000)
    append(options.file, f"end\t{pid}\t{words}")
    print(f"{words} is done")
    return FAILED if options.fail else 0


if __name__ == "__main__":
    sys.exit(main())
