"""Runs a program for the ESP32-S3's processor on this computer, under qemu's user mode, within bounds."""

from __future__ import annotations

import resource
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QEMU = ROOT / ".tools" / "qemu-xtensa"
_CHUNK_BYTES = 1 << 20
_SAID_BYTES = 2000
# In processor time; what waits without computing is ended by the clock.
CPU_S = 60
_PATIENCE_S = 900
# Each translated block with its instructions, and one line for each block that is run.
_TRACED = ("-d", "in_asm,exec,nochain")
_SIGNALS = {
    signal.SIGSEGV: "it reads or writes outside of all memory",
    signal.SIGBUS: "it reads or writes at an address that its size does not divide",
    signal.SIGILL: "it comes to an instruction that the processor does not have",
    signal.SIGFPE: "it divides by zero",
    signal.SIGXCPU: "it does not end within {cpu_s} s of processor time",
    signal.SIGKILL: f"it did not end within {_PATIENCE_S} s, or was killed",
}


class NoQemu(Exception):
    """There is no qemu for this processor; the text is one line, with what to type."""


@dataclass(frozen=True)
class Output:
    """How the program ended, and what it wrote. `crash` says what happened where a device would crash or hang, as half
    a sentence."""

    status: int
    written: bytes
    crash: str = ""


def missing() -> str | None:
    """Why device code cannot run here, as one line; None when it can."""
    if QEMU.exists():
        return None
    return "device code is not run: there is no .tools/qemu-xtensa (make tools fetches it; Debian and Ubuntu have it)"


def run(elf: bytes, limit_bytes: int, trace: Callable[[bytes], None] | None = None, cpu_s: int = CPU_S) -> Output:
    """What an ELF program writes to its standard output, at most `limit_bytes` of it. `trace` gets qemu's log as it
    comes. Raises NoQemu."""
    reason = missing()
    if reason:
        raise NoQemu(reason)
    with tempfile.TemporaryDirectory(prefix="lapel-device-code-") as folder, tempfile.TemporaryFile() as out:
        program = Path(folder) / "program.elf"
        program.write_bytes(elf)
        program.chmod(0o700)
        options = _TRACED if trace else ()
        command = [str(QEMU), *options, str(program)]
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=folder, stdin=nothing, stdout=out, stderr=subprocess.PIPE, bufsize=0)
        limits = ((resource.RLIMIT_CPU, cpu_s), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, limit_bytes + 1))
        for kind, limit in limits:
            resource.prlimit(process.pid, kind, (limit, limit + 1))
        timer = threading.Timer(_PATIENCE_S, process.kill)
        timer.start()
        said = b""
        try:
            assert process.stderr is not None
            with process.stderr as log:
                while chunk := log.read(_CHUNK_BYTES):
                    if trace:
                        trace(chunk)
                    said = (said + chunk[-_SAID_BYTES:])[-_SAID_BYTES:]
            status = process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()
        out.seek(0)
        written = out.read(limit_bytes + 1)
    if status < 0:
        sentence = _SIGNALS.get(signal.Signals(-status), f"it is ended by {signal.Signals(-status).name}")
        return Output(status, written, sentence.format(cpu_s=cpu_s))
    if status and not written:
        lines = said.decode(errors="replace").strip().splitlines()
        raise NoQemu(f"device code is not run: qemu says {lines[-1] if lines else f'nothing and {status}'}")
    return Output(status, written)
