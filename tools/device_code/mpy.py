"""Reads .mpy files of version 6.3 with machine code for the ESP32-S3 (docs.micropython.org, "MicroPython .mpy files";
py/persistentcode.h, py/bc.h and py/bc0.h of MicroPython 1.29)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

VERSION = 6
SUB_VERSION = 3
XTENSAWIN = 10
# The names that every interpreter has; a file says only their number.
STATIC_NAMES = (
    "",
    "__dir__",
    "\n",
    " ",
    *(
        "* / <module> _ __call__ __class__ __delitem__ __enter__ __exit__ __getattr__ __getitem__ __hash__ __init__"
        " __int__ __iter__ __len__ __main__ __module__ __name__ __new__ __next__ __qualname__ __repr__ __setitem__"
        " __str__ ArithmeticError AssertionError AttributeError BaseException EOFError Ellipsis Exception"
        " GeneratorExit ImportError IndentationError IndexError KeyError KeyboardInterrupt LookupError MemoryError"
        " NameError NoneType NotImplementedError OSError OverflowError RuntimeError StopIteration SyntaxError"
        " SystemExit TypeError ValueError ZeroDivisionError abs all any append args bool builtins bytearray bytecode"
        " bytes callable chr classmethod clear close const copy count dict dir divmod end endswith eval exec extend"
        " find format from_bytes get getattr globals hasattr hash id index insert int isalpha isdigit isinstance"
        " islower isspace issubclass isupper items iter join key keys len list little locals lower lstrip main map"
        " micropython next object open ord pop popitem pow print range read readinto readline remove replace repr"
        " reverse rfind rindex round rsplit rstrip self send sep set setattr setdefault sort sorted split start"
        " startswith staticmethod step stop str strip sum super throw to_bytes tuple type update upper utf-8 value"
        " values write zip"
    ).split(" "),
)
_VIPER_SECTIONS = 0x20 | 0x40 | 0x10
_STR, _BYTES, _TUPLE = 5, 6, 10
# Opcodes that make a function of a child, and those that give what lies on the stack a name.
_MAKE = (0x20, 0x21, 0x32, 0x33)
_MAKE_CLOSURE = (0x20, 0x21)
_STORE_NAMES = (0x16, 0x17)
_FORMATS = 0x3A4
_QSTR, _VAR_UINT, _OFFSET = 1, 2, 3


class NotReadable(Exception):
    """A file that is no .mpy of this kind; the text says which one and why."""


class Kind(Enum):
    """What a function is made of."""

    BYTECODE = 0
    NATIVE = 1
    VIPER = 2
    ASSEMBLER = 3


@dataclass(frozen=True)
class Function:
    """One function of a module: its dotted name below the module, and its code.

    What lies in a local of another function has no name in the file: then the last part of it is its number, "<0>".
    """

    name: str
    kind: Kind
    code: bytes

    @property
    def is_viper(self) -> bool:
        return self.kind is Kind.VIPER


@dataclass(frozen=True)
class Module:
    """`names` and `objects` are what the code refers to by number. An object is None where it is the runtime's table,
    else its kind in the file and its bytes."""

    names: tuple[str, ...]
    objects: tuple[tuple[int, bytes] | None, ...]
    functions: tuple[Function, ...]

    def vipers(self) -> dict[str, bytes]:
        """The machine code of each viper function, by its name."""
        return {function.name: function.code for function in self.functions if function.is_viper}


def parsed(data: bytes, where: str = "the file") -> Module:
    """A whole .mpy. Raises NotReadable."""
    try:
        return _Reader(data, where).module()
    except IndexError as error:
        raise NotReadable(f"{where} ends in the middle") from error
    except UnicodeDecodeError as error:
        raise NotReadable(f"{where} has a name that is not UTF-8") from error


@dataclass
class _Raw:
    kind: Kind
    code: bytes
    children: list[_Raw]


class _Reader:
    def __init__(self, data: bytes, where: str) -> None:
        self._data = data
        self._at = 0
        self._where = where
        self._names: tuple[str, ...] = ()

    def module(self) -> Module:
        header = self._take(4)
        if header[:1] != b"M" or header[1] != VERSION:
            raise NotReadable(f"{self._where} is no .mpy of version {VERSION}")
        # without any machine code it is for every chip
        if header[2] and (header[2] & 0x43 != SUB_VERSION or header[2] >> 2 & 15 != XTENSAWIN):
            raise NotReadable(f"{self._where} is not machine code for xtensawin of version {VERSION}.{SUB_VERSION}")
        names, objects = self._uint(), self._uint()
        self._names = tuple(self._name() for _ in range(names))
        found = tuple(self._object() for _ in range(objects))
        functions = list(self._functions(self._raw(), ""))
        if self._at != len(self._data):
            raise NotReadable(f"{self._where} has {len(self._data) - self._at} bytes too many")
        return Module(self._names, found, tuple(functions))

    def _take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise IndexError
        self._at += count
        return self._data[self._at - count : self._at]

    def _uint(self) -> int:
        value = 0
        while True:
            byte = self._take(1)[0]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value

    def _name(self) -> str:
        length = self._uint()
        if length & 1:
            return _static_name(length >> 1)
        text = self._take(length >> 1)
        # its zero
        self._take(1)
        return text.decode()

    def _object(self) -> tuple[int, bytes] | None:
        kind = self._take(1)[0]
        if kind == 0:
            return None
        if kind < _STR:
            return kind, b""
        if kind > _TUPLE:
            raise NotReadable(f"{self._where} has an object of kind {kind}, which is unknown")
        length = self._uint()
        if kind == _TUPLE:
            for _ in range(length):
                self._object()
            return kind, b""
        data = self._take(length)
        if kind in (_STR, _BYTES):
            self._take(1)
        return kind, data

    def _raw(self) -> _Raw:
        head = self._uint()
        kind = Kind(head & 3)
        code = self._take(head >> 3)
        if kind is Kind.NATIVE:
            # where its prelude begins
            self._uint()
        elif kind in (Kind.VIPER, Kind.ASSEMBLER):
            if self._uint() & _VIPER_SECTIONS and kind is Kind.VIPER:
                raise NotReadable(f"{self._where} is a module made of C, with sections of its own")
            if kind is Kind.ASSEMBLER:
                self._uint(), self._uint()
        children = [self._raw() for _ in range(self._uint())] if head & 4 else []
        return _Raw(kind, code, children)

    def _functions(self, raw: _Raw, prefix: str) -> list[Function]:
        names = self._children_names(raw) if raw.kind is Kind.BYTECODE else {}
        found = []
        for number, child in enumerate(raw.children):
            name = prefix + names.get(number, f"<{number}>")
            found.append(Function(name, child.kind, child.code))
            found += self._functions(child, name + ".")
        return found

    def _children_names(self, raw: _Raw) -> dict[int, str]:
        """The name that each child is stored under, as the bytecode around it says: machine code has none."""
        names: dict[int, str] = {}
        made: int | None = None
        code = raw.code
        at = _opcodes_at(code)
        while at < len(code):
            opcode = code[at]
            argument, at = _argument(code, at)
            if opcode in _MAKE:
                made = argument
                if argument < len(raw.children) and raw.children[argument].kind is Kind.BYTECODE:
                    names[argument] = self._own_name(raw.children[argument].code)
                continue
            if made is not None and opcode in _STORE_NAMES and argument < len(self._names):
                names[made] = self._names[argument]
            made = None
        return names

    def _own_name(self, code: bytes) -> str:
        number, _ = _var_uint(code, _info_at(code)[0])
        return self._names[number] if number < len(self._names) else ""


def _static_name(number: int) -> str:
    # number 0 is no name at all
    return STATIC_NAMES[number - 1] if 0 < number <= len(STATIC_NAMES) else f"<name {number}>"


def _info_at(code: bytes) -> tuple[int, int]:
    """Where the source information of bytecode begins, and where its opcodes do."""
    at = 0
    while code[at] & 0x80:
        at += 1
    at += 1
    info, cells, shift = 0, 0, 0
    while True:
        byte = code[at]
        at += 1
        info |= (byte >> 1 & 0x3F) << 6 * shift
        cells |= (byte & 1) << shift
        shift += 1
        if byte < 0x80:
            return at, at + info + cells


def _opcodes_at(code: bytes) -> int:
    return _info_at(code)[1]


def _var_uint(code: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        byte = code[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at


def _argument(code: bytes, at: int) -> tuple[int, int]:
    """The number behind the opcode at `at` (0 where there is none), and where the next opcode is."""
    opcode = code[at]
    kind = _FORMATS >> 2 * (opcode >> 4) & 3
    at += 1
    argument = 0
    if kind in (_QSTR, _VAR_UINT):
        argument, at = _var_uint(code, at)
    elif kind == _OFFSET:
        at += 2 if code[at] & 0x80 else 1
    if opcode & 0x9E == 0:
        at += 1
    return argument, at
