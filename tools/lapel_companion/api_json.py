"""JSON as it is taken from outside: UTF-8, each key once, no numbers that are none, nothing deep. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from lapel_companion.api_request import Refused

MAX_DEPTH = 4
MAX_DIGITS = 16

# Line breaks and tabs are somebody's text; the others are nobody's.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_KINDS: dict[type, str] = {str: "text", list: "list of texts"}


def read(data: bytes) -> Any:
    """The value that `data` is. Raises Refused."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "the JSON is not UTF-8.") from None
    if _depth(text) > MAX_DEPTH:
        raise Refused(400, f"the JSON is nested more than {MAX_DEPTH} deep.")
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_number, parse_int=_whole, parse_float=_fraction
        )
    except ValueError:
        raise Refused(400, "that is no JSON.") from None


def fields(data: bytes, needed: Mapping[str, type], optional: Mapping[str, type]) -> dict[str, Any]:
    """The object that `data` is (none: an empty one), with these fields and no others. Raises Refused.

    A field is a text or a list of texts; an optional one may be null.
    """
    body = read(data) if data else {}
    known = {**needed, **optional}
    if not isinstance(body, dict) or not set(needed) <= set(body) <= set(known):
        raise Refused(400, f"send an object with {' and '.join(known)}." if known else "this takes no fields.")
    for key, value in body.items():
        if value is None and key in optional:
            continue
        texts = value if isinstance(value, list) else [value]
        if not isinstance(value, known[key]) or not all(isinstance(text, str) for text in texts):
            raise Refused(400, f"'{key}' is no {_KINDS[known[key]]}.")
        if any(_CONTROL.search(text) or _halves(text) for text in texts):
            raise Refused(400, f"'{key}' holds characters that are no text.")
    return body


def _depth(text: str) -> int:
    depth = most = 0
    inside = escaped = False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            inside = True
        else:
            depth += (character in "[{") - (character in "]}")
            most = max(most, depth)
    return most


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(400, "a key stands twice in the JSON.")
    return found


def _no_number(_: str) -> NoReturn:
    raise Refused(400, "NaN and Infinity are no JSON.")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Refused(400, f"a number in the JSON has more than {MAX_DIGITS} digits.")
    return int(text)


def _fraction(text: str) -> float:
    found = float(text)
    if found in (float("inf"), float("-inf")):
        raise Refused(400, "a number in the JSON is too large.")
    return found


def _halves(text: str) -> bool:
    # A half of a pair of surrogates is no character, and cannot be written down.
    return any("\ud800" <= character <= "\udfff" for character in text)
