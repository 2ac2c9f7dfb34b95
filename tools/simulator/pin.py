"""The pin's interpreter as a process: started with a bounded heap, killed as a power cut kills."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.compiled import ROOT, compiled

INTERPRETER = "LAPEL_MICROPYTHON"
# The board whose haptic and LED speak to the simulator themselves.
CLASSIC = "sim"

# Heap of a PSRAM-less ESP32-S3 that Python can have, and what of it and beside it the simulator must account
# for. The sum is explained in README.md.
DEVICE_HEAP_BYTES = 64_000 + 188_000
DEVICE_DMA_BYTES = 38_912
# Six kernels, 5.8 kB of machine code and what an allocator needs, in executable memory.
DEVICE_NATIVE_BYTES = 6_300
WORDS_ARE_TWICE = 2
# Measured: what the board's stand-ins keep, with the microphone's DMA memory (64-bit words).
FAKES_BYTES = 134_000
HEAP_BYTES = WORDS_ARE_TWICE * (DEVICE_HEAP_BYTES - DEVICE_DMA_BYTES - DEVICE_NATIVE_BYTES) + FAKES_BYTES

LINE_BYTES = 64 * 1024
LAST_LINES = 60


OnLine = Callable[[str], None]
OnExit = Callable[[int, list[str]], None]


class NoInterpreter(Exception):
    """No MicroPython to run the pin with; the text says what to do."""


@dataclass(frozen=True)
class PinSpec:
    """How to start the pin. `paths` come first on its module path; `virtual_radio` adds the fakes of the
    radio; `main` is a program to run in the firmware's place. boards/sim/port.py runs it. `board` is a folder of
    boards/, `env` tells its parts (boards.py). Without `frozen` the app is not there: it comes over USB."""

    main: Path | None = None
    paths: Sequence[Path] = ()
    virtual_radio: bool = True
    heap_bytes: int = HEAP_BYTES
    interpreter: str = ""
    board: str = CLASSIC
    env: Mapping[str, str] = field(default_factory=dict)
    frozen: bool = True

    def command(self) -> list[str]:
        """The argument vector. Raises NoInterpreter."""
        # by name, so that the interpreter finds the bytecode and not the source beside it
        program = ["-m", "port", *([str(self.main)] if self.main else [])]
        return [find_interpreter(self.interpreter), "-X", f"heapsize={self.heap_bytes}", *program]

    def module_path(self) -> str:
        """MICROPYPATH: what was asked for, then firmware, libraries and board as bytecode, then the frozen
        modules. Raises CannotCompile, NoInterpreter."""
        chip = ROOT / "boards" / CLASSIC
        own = [ROOT / "firmware", ROOT / "lib"] if self.frozen else []
        if self.board != CLASSIC and self.frozen:
            own.append(ROOT / "boards" / self.board)
        own.append(chip)
        if self.virtual_radio:
            own.append(chip / "radio")
        folders = [*self.paths, *compiled(own, find_interpreter(self.interpreter))]
        return ":".join([*map(str, folders), ".frozen"])


def find_interpreter(wanted: str = "") -> str:
    """LAPEL_MICROPYTHON, else the one that `make` fetched, else one on PATH. Raises NoInterpreter."""
    name = wanted or os.environ.get(INTERPRETER, "")
    if name:
        found = shutil.which(name)
        if not found:
            raise NoInterpreter(f"{INTERPRETER} names {name!r}, which cannot be run")
        # It is started in the pin's own folder.
        return os.path.abspath(found)
    own = ROOT / ".tools" / "micropython"
    found = str(own) if os.access(own, os.X_OK) else shutil.which("micropython")
    if not found:
        raise NoInterpreter(f"no MicroPython here: `make tools` fetches one, or {INTERPRETER} names one")
    return found


class Pin:
    """One process at a time. `on_line` gets what it prints; `on_exit(code, last_lines)` an end that nobody
    asked for."""

    def __init__(self, spec: PinSpec, folder: Path, on_line: OnLine, on_exit: OnExit) -> None:
        self._spec = spec
        # where the interpreter works; it looks for modules there first, so there are none
        self._folder = folder
        self._on_line = on_line
        self._on_exit = on_exit
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None
        self.pid = 0
        # the newest of what it printed
        self.last_lines: list[str] = []

    @property
    def running(self) -> bool:
        """The interpreter is there."""
        return self._process is not None and self._process.poll() is None

    async def power_on(self, env: Mapping[str, str]) -> None:
        """Start the interpreter with `env` added to ours. Raises NoInterpreter, CannotCompile."""
        if self.running:
            return
        await self.ended()
        command = self._spec.command()
        # the first time it compiles
        path = await asyncio.to_thread(self._spec.module_path)
        full = {**os.environ, **self._spec.env, **env, "MICROPYPATH": path}
        try:
            # not asyncio's: a pin may be on the bus, and lose its power again, before that has returned
            self._process = subprocess.Popen(  # noqa: ASYNC220
                command,
                env=full,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise NoInterpreter(f"{command[0]} does not start: {error.strerror or error}") from error
        self.pid = self._process.pid
        self._watch = asyncio.create_task(self._follow(self._process))

    def power_cut(self) -> None:
        """The process is gone at once, whatever it was doing."""
        process, self._process = self._process, None
        if process:
            process.kill()

    async def ended(self) -> None:
        """Wait until a killed process is gone and all it printed was read."""
        watch, self._watch = self._watch, None
        if watch:
            await watch

    async def _follow(self, process: subprocess.Popen[bytes]) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(LINE_BYTES)
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
        self.last_lines = last = []
        while True:
            try:
                raw = await reader.readline()
            except ValueError:
                # a line past the limit: the reader has dropped it
                continue
            if not raw:
                break
            line = raw.decode(errors="replace").rstrip("\n")
            last.append(line)
            del last[:-LAST_LINES]
            self._on_line(line)
        pipe.close()
        code = await asyncio.to_thread(process.wait)
        if process is self._process:
            self._process = None
            self._on_exit(code, last)
