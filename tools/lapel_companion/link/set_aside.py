"""What the pin found damaged on its flash and set aside: in words, and told once.

The pin says it with each status as "clip-00000007 checksum does not match; settings ...": what it was and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lapel_companion.wording import one_line

WAY_ON = "they are kept on it: make backup brings them here"

_NAMES = {
    "counter": "the counter of its recordings",
    "marks": "what it knew of notices seen",
    "cancels": "cancels on their way",
    "settings": "its settings",
    "device": "its id",
}
_FILE = re.compile(r"(clip|notice)-0*(\d+)|([a-z]+)")


def sentence(status: Mapping[str, Any]) -> str | None:
    """What is told of it everywhere, from the body of a STATUS; None for nothing."""
    count = int(status.get("aside") or 0)
    if not count:
        return None
    told = "; ".join(_told(one) for one in one_line(str(status.get("what") or "")).split("; ") if one)
    files = "a damaged file" if count == 1 else f"{count} damaged files"
    return f"your pin has set aside {files}" + (f": {told}" if told else "")


def _told(one: str) -> str:
    name, _, why = one.partition(" ")
    found = _FILE.fullmatch(name)
    if found is None:
        return one
    kind, number, other = found.groups()
    what = {"clip": f"recording {number}", "notice": f"notice {number}"}.get(kind, _NAMES.get(other, other))
    return f"{what} ({why})" if why else str(what)
