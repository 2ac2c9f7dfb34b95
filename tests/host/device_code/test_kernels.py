"""Every kernel of the project gives on the device what its source means, bit for bit, and nothing around it changes."""

from __future__ import annotations

import pytest

from device_code import measure
from device_code.cases import Case, Whole, cases

pytestmark = pytest.mark.usefixtures("runs")
# `make cycles` compares more of them.
SAMPLES = 40


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_on_the_device_as_meant_and_within_budget(case: Case) -> None:
    row = measure.row(case, SAMPLES, seed=7)
    assert row.compared >= (1 if isinstance(case, Whole) else SAMPLES)
    assert 0 < row.instructions < row.cycles
    assert not row.over, f"{row.cycles:,.0f} cycles, its budget is {case.budget:,}"
