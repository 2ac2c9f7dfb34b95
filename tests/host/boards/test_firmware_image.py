"""`make firmware`: what it says where something is missing, and what it runs where nothing is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from firmware_image import __main__ as command
from firmware_image import needs


@pytest.fixture
def micropython(tmp_path: Path) -> Path:
    """As much of a checkout as is looked at."""
    place = tmp_path / "micropython"
    for name in needs.FILES:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    (place / "lib" / "micropython-lib" / "micropython").mkdir(parents=True)
    (place / "py").mkdir()
    header = "#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR 29\n"
    (place / "py" / "mpconfig.h").write_text(header)
    return place


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """An environment in which every program is there and does nothing but say what it was asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("git", "make", "cmake", "cc", "idf.py"):
        (folder / name).write_text('#!/bin/sh\necho "$0 $@" >> "$SAID"\n')
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "IDF_PATH": str(tmp_path), "SAID": str(tmp_path / "said")}


def run(*arguments: str, env: dict[str, str | None]) -> tuple[int, str]:
    done = CliRunner().invoke(command.main, arguments, env=env)
    return done.exit_code, done.output


def test_without_anything_it_says_what_to_bring() -> None:
    code, said = run("xiao_esp32s3", env={"IDF_PATH": None})
    assert code == 1
    assert f"git clone --branch {needs.MICROPYTHON}" in said
    assert "./esp-idf/install.sh esp32s3" in said
    assert "make firmware BOARD=xiao_esp32s3 MICROPYTHON=/path/to/micropython" in said


@pytest.mark.parametrize("board", ["", "sim", "nothing"])
def test_a_board_without_an_image_names_those_that_have_one(board: str) -> None:
    code, said = run(board, env={})
    assert code == 2
    assert "xiao_esp32s3" in said


def test_nothing_is_missing(micropython: Path, tools: dict[str, str]) -> None:
    assert needs.missing(micropython, tools) == []


def test_no_checkout(tmp_path: Path, tools: dict[str, str]) -> None:
    (lacks,) = needs.missing(tmp_path, tools)
    assert "no checkout" in lacks.why


def test_an_old_checkout(micropython: Path, tools: dict[str, str]) -> None:
    header = micropython / "py" / "mpconfig.h"
    header.write_text(header.read_text().replace("29", "25"))
    (lacks,) = needs.missing(micropython, tools)
    assert "1.25" in lacks.why
    assert needs.MICROPYTHON in lacks.commands[0]


def test_a_checkout_without_its_submodule(micropython: Path, tools: dict[str, str]) -> None:
    (micropython / "lib" / "micropython-lib" / "micropython").rmdir()
    (lacks,) = needs.missing(micropython, tools)
    assert "aioble" in lacks.why


def test_an_idf_that_was_not_exported(micropython: Path, tools: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "export.sh").touch()
    (tmp_path / "bin" / "idf.py").unlink()
    (lacks,) = needs.missing(micropython, tools)
    assert lacks.commands == (f". {tmp_path}/export.sh",)


def test_it_builds(micropython: Path, tools: dict[str, str], tmp_path: Path) -> None:
    code, said = run("xiao_esp32s3", "--micropython", str(micropython), env=dict(tools))
    assert code == 0, said
    asked = (tmp_path / "said").read_text().splitlines()
    assert asked[0].endswith(f"make -C {micropython}/mpy-cross")
    assert f"BOARD_DIR={command.BOARDS / 'xiao_esp32s3'}" in asked[2]
    assert "write-flash 0" in said


def test_a_build_that_fails_is_said(micropython: Path, tools: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bin" / "make").write_text("#!/bin/sh\nexit 3\n")
    code, said = run("xiao_esp32s3", "--micropython", str(micropython), env=dict(tools))
    assert code == 1
    assert "ended with 3" in said
