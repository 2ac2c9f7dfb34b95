"""What a process used, by the system's own `ps`, which Linux and macOS both have."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """CPU seconds since its start, and resident bytes now."""

    cpu_s: float
    resident_bytes: int


def usage(pid: int) -> Usage:
    """Raises OSError when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        return _linux(pid)
    line = subprocess.run(
        ["ps", "-o", "time=,rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    if len(line) != 2:
        raise OSError(f"there is no process {pid}")
    seconds = 0.0
    for part in line[0].replace("-", ":").split(":"):
        seconds = seconds * 60 + float(part)
    return Usage(seconds, int(line[1]) * 1024)


def _linux(pid: int) -> Usage:
    # proc(5): after the name in brackets, utime and stime are fields 14 and 15, in ticks of 10 ms.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * 4096
    return Usage((int(fields[11]) + int(fields[12])) / 100, resident)
