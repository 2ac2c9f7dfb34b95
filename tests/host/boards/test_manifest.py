"""What a frozen image would hold: each board's manifest.py, run as MicroPython's build runs it, but only noted."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapel_usb import build

ROOT = Path(__file__).resolve().parents[3]
BOARDS = ROOT / "boards"
NAMES = sorted(path.parent.name for path in BOARDS.glob("*/mpconfigboard.cmake"))


class Image:
    """The functions of a manifest (docs.micropython.org, "MicroPython manifest files"), noting what they are told."""

    def __init__(self) -> None:
        # path on the device -> file of this checkout
        self.files: dict[str, Path] = {}
        self.required: list[str] = []
        self.elsewhere: list[str] = []
        self._here: list[Path] = []

    def run(self, path: Path, **options: str) -> Image:
        self._here.append(path.parent)
        names = {name: getattr(self, name) for name in ("include", "module", "package", "freeze", "require")}
        exec(path.read_text(encoding="utf-8"), {**names, "options": type("Options", (), options)})
        self._here.pop()
        return self

    def include(self, target: str, **options: str) -> None:
        if target.startswith("$("):
            self.elsewhere.append(target)
            return
        path = (self._here[-1] / target).resolve()
        self.run(path / "manifest.py" if path.is_dir() else path, **options)

    def module(self, name: str, base_path: str = ".") -> None:
        self._add(self._here[-1] / base_path, Path(name))

    def package(self, name: str, files: tuple[str, ...] | None = None, base_path: str = ".") -> None:
        base = (self._here[-1] / base_path).resolve()
        found = sorted((base / name).rglob("*.py") if files is None else [base / name / file for file in files])
        assert found, f"there is no package {name} in {base}"
        for path in found:
            self._add(base, path.relative_to(base))

    def freeze(self, path: str, names: tuple[str, ...]) -> None:
        # all of the port's folder would bring its _boot.py as well
        self.elsewhere += [f"{path}/{name}" for name in names]

    def require(self, name: str) -> None:
        self.required.append(name)

    def _add(self, base: Path, name: Path) -> None:
        path = (base / name).resolve()
        assert path.is_file(), f"{path} is not there"
        assert name.as_posix() not in self.files, f"{name} is in it twice"
        self.files[name.as_posix()] = path


@pytest.fixture(params=NAMES)
def board(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def image(board: str) -> Image:
    return Image().run(BOARDS / board / "manifest.py")


def test_there_are_boards() -> None:
    assert len(NAMES) >= 3


def test_holds_every_module_of_the_app(image: Image) -> None:
    app = {f"{name}.py": path for name, path in build.libraries(ROOT, "xtensawin").items()}
    app["main.py"] = ROOT / "firmware" / "main.py"
    ours = (ROOT / "firmware", ROOT / "lib")
    assert {name: path for name, path in image.files.items() if any(map(path.is_relative_to, ours))} == app


def test_holds_this_board_and_nothing_else(board: str, image: Image) -> None:
    others = {
        name: path
        for name, path in image.files.items()
        if not path.is_relative_to(ROOT / "firmware") and not path.is_relative_to(ROOT / "lib")
    }
    assert others == {"board.py": BOARDS / board / "board.py", "_boot.py": BOARDS / "frozen" / "_boot.py"}


def test_brings_what_the_app_imports_from_others(image: Image) -> None:
    assert image.required == ["aioble-peripheral", "aioble-server"]
    assert "$(MPY_DIR)/extmod/asyncio" in image.elsewhere
    assert not any(name.endswith(("_boot.py", "inisetup.py")) for name in image.elsewhere)


def test_the_board_s_build_uses_it(board: str) -> None:
    cmake = (BOARDS / board / "mpconfigboard.cmake").read_text(encoding="utf-8")
    assert "set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)" in cmake
    header = (BOARDS / board / "mpconfigboard.h").read_text(encoding="utf-8")
    assert "MICROPY_HW_BOARD_NAME" in header
    assert "MICROPY_HW_MCU_NAME" in header


def test_octal_memory_is_asked_for_where_it_is(board: str) -> None:
    cmake = (BOARDS / board / "mpconfigboard.cmake").read_text(encoding="utf-8")
    parts = (BOARDS / board / "parts.toml").read_text(encoding="utf-8")
    assert ("sdkconfig.spiram_oct" in cmake) == ('variant = "SPIRAM_OCT"' in parts)
