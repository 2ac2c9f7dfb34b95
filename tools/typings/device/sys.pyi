from types import ModuleType
from typing import Any, Final, Literal, NoReturn

class _Implementation:
    name: str
    version: tuple[int, int, int, str]
    _machine: str
    _mpy: int

argv: list[str]
byteorder: Literal["little", "big"]
implementation: _Implementation
maxsize: Final[int]
modules: dict[str, ModuleType]
path: list[str]
platform: str
ps1: str
ps2: str
stdin: Any
stdout: Any
stderr: Any
version: str
version_info: tuple[int, int, int]

def exit(code: object = 0, /) -> NoReturn: ...
def print_exception(error: BaseException, file: Any = ..., /) -> None: ...
