"""`python -m pictures FOLDER [EVENTS.ndjson]`: writes loop.svg, and timeline.svg when events are given."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pictures import loop, timeline


def main(arguments: list[str]) -> int:
    """Exit code 0, or 2 with a sentence."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m pictures FOLDER [EVENTS.ndjson]", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "loop.svg").write_text(loop.draw(), encoding="utf-8")
    if len(arguments) == 2:
        lines = Path(arguments[1]).read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        (folder / "timeline.svg").write_text(timeline.draw(events), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
