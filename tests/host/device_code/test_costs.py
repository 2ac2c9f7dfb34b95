"""Instructions are counted exactly, and cycles by the model: on code whose count is known."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from device_code import costs, image, qemu
from device_code.runtime_table import COSTS_CYCLES, ENTRIES
from tests.host.device_code.conftest import Make

LOOP = """
    @viper
    def loop(x: int, y: int) -> int:
        while x:
            x -= 1
        return y
"""
# As qemu 7.2 writes it: a loop of three instructions, whose second block begins in the middle of the first.
LOG = b"""----------------
IN:
0x00400100:  entry\ta1, 32

Trace 0: 0x7f0000000001 [00000000/00400100/00000010/00000000]
----------------
IN:
0x00400103:  l32i.n\ta10, a1, 0
0x00400105:  add\ta10, a10, a4
0x00400108:  s32i\ta10, a1, 4
0x0040010b:  bnez\ta10, 0x400105

Trace 0: 0x7f0000000002 [00000000/00400103/00000010/00000000]
----------------
IN:
0x00400105:  add\ta10, a10, a4
0x00400108:  s32i\ta10, a1, 4
0x0040010b:  bnez\ta10, 0x400105

Trace 0: 0x7f0000000003 [00000000/00400105/00000010/00000000]
Trace 0: 0x7f0000000003 [00000000/00400105/00000010/00000000]
----------------
IN:
0x0040010e:  retw.n

Trace 0: 0x7f0000000004 [00000000/0040010e/00000010/00000000]
----------------
IN:
0x00400200:  l32i\ta8, a1, 0
0x00400203:  j\t0x400100

Trace 0: 0x7f0000000005 [00000000/00400200/00000010/00000000]
"""


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_a_log_is_counted_in_pieces_of_any_size(size: int) -> None:
    trace = costs.Trace()
    for at in range(0, len(LOG), size):
        trace.feed(LOG[at : at + size])
    count = trace.counts({"f": (0x400100, 0x40010F)}, {0x400200: "native_to_obj"})["f"]
    assert count.calls == 1
    # entry, 4, 3, 3, retw.n; two branches that are taken, and the return; one wait for what was loaded
    assert count.instructions == 1 + 4 + 3 + 3 + 1
    more = 3 * costs.TAKEN_CYCLES + costs.LOAD_USE_CYCLES + COSTS_CYCLES["native_to_obj"]
    assert count.cycles == count.instructions + more
    assert count.runtime == {"native_to_obj": 1}


def test_a_block_that_is_broken_off_counts_as_far_as_it_went() -> None:
    trace = costs.Trace()
    # A window of registers is saved before the store, which is then done again as a block of its own.
    again = LOG.replace(b"0x400105\n\nTrace 0: 0x7f0000000002", b"0x400100\n\nTrace 0: 0x7f0000000002")
    trace.feed(again)
    count = trace.counts({"f": (0x400100, 0x40010F)}, {})["f"]
    assert count.instructions == 1 + 1 + 3 + 3 + 1


@pytest.mark.usefixtures("runs")
def test_a_loop_costs_the_same_each_time_round(made: Make) -> None:
    kernels = made(LOOP)
    counts = [kernels.run("loop", turns, 3, count=True).counts["probe.loop"] for turns in (0, 1, 2, 1000)]
    a_turn = counts[2].instructions - counts[1].instructions
    assert counts[3].instructions == counts[0].instructions + 1000 * a_turn
    assert counts[3].cycles - counts[2].cycles == 998 * (counts[2].cycles - counts[1].cycles)
    assert counts[0].runtime == {"native_from_obj": 2, "native_to_obj": 1}
    assert counts[0].cycles > 2 * COSTS_CYCLES["native_from_obj"]


@pytest.mark.usefixtures("runs")
def test_blocks_give_what_single_steps_give(made: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs: list[image.Image] = []
    real = image.built

    def kept(*arguments: Any) -> image.Image:
        programs.append(real(*arguments))
        return programs[-1]

    monkeypatch.setattr(image, "built", kept)
    count = made(LOOP).run("loop", 300, 3, count=True).counts["probe.loop"]
    path = tmp_path / "program.elf"
    path.write_bytes(programs[0].elf)
    path.chmod(0o700)
    log = ""
    for option in ("-one-insn-per-tb", "-singlestep"):
        command = [str(qemu.QEMU), option, "-d", "exec,nochain", str(path)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0:
            log = done.stderr.decode()
            break
    first, last = programs[0].kernels["probe.loop"]
    steps = [int(pc, 16) for pc in re.findall(r"^Trace.*\[[0-9a-f]+/([0-9a-f]+)/", log, re.MULTILINE)]
    assert sum(first <= pc <= last for pc in steps) == count.instructions


def test_what_is_provided_is_in_the_table() -> None:
    assert COSTS_CYCLES.keys() <= set(ENTRIES)
    assert (ENTRIES[3], ENTRIES[7], ENTRIES[27], ENTRIES[46], len(ENTRIES)) == (
        "native_from_obj", "load_global", "call_function_n_kw", "small_int_floor_divide", 50,
    )  # fmt: skip
