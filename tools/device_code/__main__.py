"""python -m device_code [NAME ...]: checks and counts the cases with one of these in their name or a kernel's, or all.

Exit 1: a kernel differs, breaks, is over its budget, is miscompiled or has no case. Exit 2: nothing could be run.
"""

from __future__ import annotations

import sys

from device_code import find, measure, qemu
from device_code.cases import cases, covered
from device_code.device import Broken, NotCompiled
from device_code.instrument import LeavesWord
from device_code.mpy import NotReadable
from device_code.record import Differs

SAMPLES = 300


def main(arguments: list[str]) -> int:
    reason = qemu.missing()
    if reason:
        print(f"lapel: {reason}", file=sys.stderr)
        return 2
    wanted = [
        case
        for case in cases()
        if not arguments or any(part in name for part in arguments for name in {case.name} | covered([case]))
    ]
    problems = [str(mistake) for mistake in find.miscompiled()]
    problems += [
        f"{found.path}:{found.line}: {found.name} has no case: see tools/device_code/cases"
        for found in measure.without_case(find.kernels(), cases())
    ]
    rows: list[measure.Row] = []
    for case in wanted:
        try:
            rows += measure.rows(case, SAMPLES)
        except (Broken, Differs, LeavesWord, NotCompiled, NotReadable) as error:
            problems.append(f"{case.name}: {error}")
        except qemu.NoQemu as error:
            print(f"lapel: {error}", file=sys.stderr)
            return 2
    print(measure.table(rows))
    problems += [row.problem for row in rows if row.problem]
    for problem in problems:
        print(f"lapel: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
