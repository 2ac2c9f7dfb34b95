"""The smallest input that still ends in the same way."""

from __future__ import annotations

from collections.abc import Callable

_TRIES_MAX = 3000


def minimised(data: bytes, ends: Callable[[bytes], str | None]) -> bytes:
    """Takes pieces out of `data`, then puts zeros in, as long as `ends` (the name of how it ends) says the same."""
    wanted = ends(data)
    tries = 0

    def same(other: bytes) -> bool:
        nonlocal tries
        tries += 1
        return tries <= _TRIES_MAX and ends(other) == wanted

    size = max(1, len(data) // 2)
    while size:
        at = 0
        while at < len(data):
            shorter = data[:at] + data[at + size :]
            if same(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    for at in range(len(data)):
        plainer = data[:at] + b"\0" + data[at + 1 :]
        if data[at] and same(plainer):
            data = plainer
    return data
