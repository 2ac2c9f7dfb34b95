"""Every kernel of the project gives on the device what its source means, bit for bit, and nothing around it changes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random

import pytest

from device_code import measure
from device_code.cases import Case, Whole, cases
from device_code.meaning import Meaning
from device_code.record import BYTECODE_CYCLES, Call, Recorder

pytestmark = pytest.mark.usefixtures("runs")
# `make cycles` compares more of them.
SAMPLES = 40


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_on_the_device_as_meant_and_within_budget(case: Case) -> None:
    rows = measure.rows(case, SAMPLES, seed=7)
    assert rows[0].compared >= (1 if isinstance(case, Whole) else SAMPLES)
    assert 0 < rows[0].instructions < rows[0].cycles
    problems = [row.problem for row in rows if row.problem]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_words_are_the_same_signed_and_unsigned(case: Case) -> None:
    # 32-bit loads differ between the device and the 64-bit port.
    one, other = (_results(case, unsigned_words=unsigned) for unsigned in (False, True))
    assert one
    assert one == other


def _results(case: Case, *, unsigned_words: bool) -> list[Call]:
    recorder = Recorder()
    meaning = Meaning(wrap=recorder.wrap, unsigned_words=unsigned_words)
    if isinstance(case, Whole):
        actions = [action for _, action in case.parts(Random(3), meaning)]
        with recorder.on():
            for action in actions:
                action()
        return recorder.calls
    meaning.module(case.name.rpartition(".")[0])
    for arguments in islice(case.inputs(Random(3), meaning), SAMPLES):
        with recorder.on():
            meaning.kernels[case.name](*arguments)
    return recorder.calls


def test_a_whole_thing_is_the_sum_of_its_kernels_and_of_what_is_between() -> None:
    def parts(random: Random, meaning: Meaning) -> list[tuple[float, Callable[[], object]]]:
        kernels = meaning.module("lapel_audio.kernels")
        converter, encoder, block = kernels.Converter(), kernels.Encoder(), bytearray(4 * 64)
        few, many = (lambda: encoder.encode(block, 8, block, 255)), (lambda: encoder.encode(block, 64, block, 255))
        return [(2, lambda: converter.convert(block, 64)), (3, few), (1, many), (0, many)]

    names = {"lapel_audio.kernels._convert": 10_000, "lapel_audio.kernels._encode": 1, "lapel_audio.kernels._other": 1}
    case = Whole("sound", "block", 1, None, 60_000, parts, bytecodes=True, each=True, kernels=names)
    whole, dearest, convert, encode, other = measure.rows(case, 0)
    assert whole.bytecodes >= 6
    between = BYTECODE_CYCLES * whole.bytecodes
    assert whole.cycles == pytest.approx(convert.cycles + encode.cycles + between)
    assert encode.cycles / 4 < dearest.cycles < encode.cycles + between
    assert (whole.problem, dearest.problem, convert.problem) == ("", "", "")
    assert "cycles, its budget is 1" in encode.problem
    assert other.problem == "lapel_audio.kernels._other: its case never calls it"
    assert (whole.compared, encode.compared) == (4, 3)
    text = measure.table([whole, encode])
    assert "bytecodes" in text and "1 !" in text
