"""What viper code means, said by CPython: the unmodified source of a module of lib/, with stand-ins for viper's words.

    meaning = Meaning()
    kernels = meaning.module("lapel_audio.kernels")
    kernels._encode(0, 0, pcm, out, state, STEPS, indices, 160, 0xFFFF)

Pointers are the device's: loads of 8 and 16 bits give 0 and more, loads of 32 bits a signed word, stores keep the low
bits, the byte order is little-endian (so must be the computer's). An index outside the buffer, undefined there, is an
IndexError here. `int(x)` and `uint(x)` give the 32-bit word that the device has; everything between is as wide as
Python's numbers are. Code that gives the same here, with 32 bits and with 64 does so because it never lets more than 32
bits decide: `strict=True` looks at each result and raises LeavesWord where that is not so.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.util
import inspect
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from device_code.instrument import WORDS, Checks, instrumented

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "lib", ROOT / "firmware")
_MASK = (1 << 32) - 1
_TOP = 1 << 31

Kernel = Callable[..., Any]
# Called with the dotted name of a kernel and its meaning; what it returns stands in the module.
Wrap = Callable[[str, Kernel], Kernel]


def signed(value: int) -> int:
    """The low 32 bits as a number from -2 ** 31 on."""
    return ((value & _MASK) ^ _TOP) - _TOP


def unsigned(value: int) -> int:
    """The low 32 bits as a number from 0 on."""
    return value & _MASK


class Pointer:
    """Memory of a bytes, bytearray, array or memoryview, or of another pointer, in units of `width` bytes."""

    __slots__ = ("_memory", "buffer")
    width: ClassVar[int] = 1
    code: ClassVar[str] = "B"

    def __init__(self, buffer: Any) -> None:
        self.buffer: memoryview[int]
        if isinstance(buffer, Pointer):
            buffer = buffer.buffer
        if isinstance(buffer, int):
            raise TypeError(f"{type(self).__name__}({buffer}) is an address of the device: only buffers have a meaning")
        self.buffer = memoryview(buffer).cast("B")
        self._memory: Any = self.buffer[: len(self.buffer) // self.width * self.width].cast(self.code)  # type: ignore[call-overload]

    def __getitem__(self, index: int) -> int:
        if index < 0:
            raise self._outside(index)
        try:
            value: int = self._memory[index]
        except IndexError:
            raise self._outside(index) from None
        return value

    def __setitem__(self, index: int, value: int) -> None:
        if index < 0:
            raise self._outside(index)
        try:
            self._memory[index] = self.stored(value)
        except IndexError:
            raise self._outside(index) from None

    @staticmethod
    def stored(value: int) -> int:
        """What of a value fits."""
        return value & 0xFF

    def _outside(self, index: int) -> IndexError:
        return IndexError(f"{type(self).__name__}[{index}] is outside of {len(self.buffer)} bytes")


class ptr8(Pointer):
    """Unsigned bytes."""

    __slots__ = ()


class ptr16(Pointer):
    """Unsigned half words."""

    __slots__ = ()
    width = 2
    code = "H"

    @staticmethod
    def stored(value: int) -> int:
        return value & 0xFFFF


class ptr32(Pointer):
    """Words, signed as on the device."""

    __slots__ = ()
    width = 4
    code = "i"
    stored = staticmethod(signed)


class unsigned_ptr32(Pointer):
    """Words as the 64-bit unix port loads them."""

    __slots__ = ()
    width = 4
    code = "I"
    stored = staticmethod(unsigned)


class Meaning:
    """Modules with their kernels as plain Python, apart from those that `import` gives.

    `strict`: raise LeavesWord where more than 32 bits decide. `unsigned_words`: ptr32 loads as on the 64-bit unix port;
    kernels for both give the same. `wrap` may watch or replace each kernel.
    """

    def __init__(
        self,
        folders: Sequence[Path] = FOLDERS,
        *,
        strict: bool = False,
        unsigned_words: bool = False,
        wrap: Wrap | None = None,
    ) -> None:
        self.folders = tuple(folders)
        self.kernels: dict[str, Kernel] = {}
        self._strict = strict
        self._wrap = wrap
        self._modules: dict[str, types.ModuleType] = {"micropython": self._micropython()}
        pointers = {"ptr8": ptr8, "ptr16": ptr16, "ptr32": unsigned_ptr32 if unsigned_words else ptr32}
        own = {"__import__": self._import, "uint": unsigned, WORDS: signed, "__checks__": Checks, "ptr": Pointer}
        self._builtins = {**vars(builtins), **pointers, **own}

    def module(self, name: str) -> types.ModuleType:
        """The module of that dotted name, executed when first asked for. Raises ModuleNotFoundError."""
        if name in self._modules:
            return self._modules[name]
        path = self.path(name)
        if path is None:
            raise ModuleNotFoundError(f"no module {name} in {', '.join(map(str, self.folders))}", name=name)
        parent, _, last = name.rpartition(".")
        if parent:
            self.module(parent)
        module = types.ModuleType(name)
        module.__file__ = str(path)
        module.__package__ = name if path.name == "__init__.py" else parent
        module.__dict__["__builtins__"] = self._builtins
        if path.name == "__init__.py":
            module.__path__ = [str(path.parent)]
        self._modules[name] = module
        tree = instrumented(ast.parse(path.read_text(encoding="utf-8"), str(path)), str(path), strict=self._strict)
        try:
            # A module of the checkout, as `import` would.
            exec(compile(tree, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        except BaseException:
            del self._modules[name]
            raise
        if parent:
            setattr(self._modules[parent], last, module)
        return module

    def path(self, name: str) -> Path | None:
        """The file of a module of ours."""
        relative = name.replace(".", "/")
        endings = (f"{relative}/__init__.py", f"{relative}.py")
        places = (folder / ending for folder in self.folders for ending in endings)
        return next((place for place in places if place.is_file()), None)

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,
        locals: Any = None,
        fromlist: Iterable[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        if level:
            name = importlib.util.resolve_name("." * level + name, (globals or {}).get("__package__"))
        if name not in self._modules and self.path(name) is None:
            return builtins.__import__(name, globals, locals, tuple(fromlist or ()), 0)
        module = self.module(name)
        for child in fromlist or ():
            if not hasattr(module, child) and self.path(f"{name}.{child}"):
                self.module(f"{name}.{child}")
        return module if fromlist else self.module(name.partition(".")[0])

    def _micropython(self) -> types.ModuleType:
        module = types.ModuleType("micropython")
        module.__dict__.update(const=lambda value: value, native=lambda function: function, viper=self._viper)
        return module

    def _viper(self, function: Kernel) -> Kernel:
        """As the decorator: arguments and result become what their annotations say."""
        name = f"{function.__module__}.{function.__qualname__}".replace("<locals>.", "")
        types_ = [parameter.annotation for parameter in inspect.signature(function).parameters.values()]
        casts = [(at, self._cast(type_)) for at, type_ in enumerate(types_) if self._cast(type_)]
        result = self._cast(inspect.signature(function).return_annotation)

        def kernel(*arguments: Any) -> Any:
            if len(arguments) != len(types_):
                raise TypeError(f"{name} takes {len(types_)} arguments, got {len(arguments)}")
            given = list(arguments)
            for at, cast in casts:
                given[at] = cast(given[at])  # type: ignore[misc]
            value = function(*given)
            return result(value) if result else value

        functools.update_wrapper(kernel, function)
        made = self._wrap(name, kernel) if self._wrap else kernel
        self.kernels[name] = made
        return made

    def _cast(self, annotation: Any) -> Callable[[Any], Any] | None:
        if annotation is int:
            return signed
        if annotation in (unsigned, bool) or (isinstance(annotation, type) and issubclass(annotation, Pointer)):
            cast: Callable[[Any], Any] = annotation
            return cast
        return None
