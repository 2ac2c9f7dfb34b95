"""`lapel` with every library telling all that it can tell, and nobody able to hush one."""

from __future__ import annotations

import logging
import sys
from typing import Any

from lapel_companion import daemon
from lapel_companion.cli import main


def _deaf(*_: Any, **__: Any) -> None:
    return None


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    logging.Logger.setLevel = _deaf  # type: ignore[method-assign]
    logging.disable = _deaf
    daemon.quiet_libraries = _deaf
    main()
