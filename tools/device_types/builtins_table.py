"""Built-in names and methods of a stock ESP32-S3 build (MicroPython 1.25, ROM level EXTRA_FEATURES).

Gathered with dir() in the interpreter. The published stubs keep CPython's; what is not listed here is taken
out of them. Names with a leading underscore stay, since the type checker itself needs them.
"""

NAMES = frozenset(
    """
    ArithmeticError AssertionError AttributeError BaseException EOFError Ellipsis Exception
    GeneratorExit ImportError IndentationError IndexError KeyError KeyboardInterrupt LookupError
    MemoryError NameError NotImplemented NotImplementedError OSError OverflowError RuntimeError
    StopAsyncIteration StopIteration SyntaxError SystemExit TypeError UnicodeError ValueError
    ZeroDivisionError
    abs all any bin bool bytearray bytes callable chr classmethod compile complex delattr dict dir
    divmod enumerate eval exec filter float frozenset getattr globals hasattr hash help hex id input int
    isinstance issubclass iter len list locals map max memoryview min next object oct open ord pow print
    property range repr reversed round set setattr slice sorted staticmethod str sum super tuple type
    zip
    """.split()
)

# Types that only the checker knows; the language needs them.
CHECKER_NAMES = frozenset("ellipsis function reveal_type reveal_locals WindowsError".split())

_TEXT = """
    center count endswith find format index isalpha isdigit islower isspace isupper join lower lstrip
    partition replace rfind rindex rpartition rsplit rstrip split splitlines startswith strip upper
"""
_SET = "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"

METHODS = {
    name: frozenset(methods.split())
    for name, methods in {
        "int": "from_bytes to_bytes",
        "float": "",
        "complex": "real imag",
        "str": _TEXT + "encode",
        "bytes": _TEXT + "decode hex fromhex",
        "bytearray": _TEXT + "decode hex fromhex append extend",
        "memoryview": "hex itemsize",
        "list": "append clear copy count extend index insert pop remove reverse sort",
        "dict": "clear copy fromkeys get items keys pop popitem setdefault update values",
        "tuple": "count index",
        "frozenset": _SET,
        "set": _SET + " add clear difference_update discard intersection_update pop remove"
        " symmetric_difference_update update",
        "slice": "start stop step",
        "range": "start stop step",
        "BaseException": "args",
        "OSError": "errno",
        "StopIteration": "value",
        "property": "fget fset fdel getter setter deleter",
    }.items()
}

# What the compiler adds for viper: pointers have neither slices nor borders.
VIPER = """
uint = int

class _ViperPointer:
    def __init__(self, memory: object, /) -> None: ...
    def __getitem__(self, index: int, /) -> int: ...
    def __setitem__(self, index: int, value: int, /) -> None: ...

class ptr8(_ViperPointer): ...
class ptr16(_ViperPointer): ...
class ptr32(_ViperPointer): ...
"""
