"""The bodies of control messages: which keys they have, and one strict JSON for both Pythons.

MicroPython's parser takes truncated and malformed text, so a text counts only when it is, byte
for byte, what this module would have written for the values that were read from it.
"""

import json

from lapel_wire import utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

U32 = 0xFFFFFFFF
# Integers above 2^53 are not safe in every JSON reader.
U53 = (1 << 53) - 1
TEXT_MAX_BYTES = 240
LIST_MAX = 16
NOTICE_KINDS = ("done", "failed", "question", "reminder", "held", "cancelled", "unheard")

# Field kinds: u32, u53, s16, bool, hexN (N digits), word (<= 40 B), text (<= 240 B), blob (<= 400 B),
# notice (one of NOTICE_KINDS), seqs (a list of u32), settings (a flat object of numbers, flags, words
# and null); a trailing ? admits null.
_LIMITS = {"word": 40, "text": TEXT_MAX_BYTES, "blob": 400}


def check_value(kind: str, value: "Any") -> "str | None":
    """None when `value` is of `kind`, else a few words on what is wrong."""
    if kind[-1] == "?":
        if value is None:
            return None
        kind = kind[:-1]
    if kind == "u32" or kind == "u53":
        limit = U32 if kind == "u32" else U53
        return None if type(value) is int and 0 <= value <= limit else "is no whole number of its range"
    if kind == "s16":
        return None if type(value) is int and -32768 <= value <= 32767 else "is no small whole number"
    if kind == "bool":
        return None if type(value) is bool else "is neither true nor false"
    if kind == "seqs":
        if type(value) is not list or len(value) > LIST_MAX:
            return "is no short list"
        for item in value:
            if check_value("u32", item):
                return "holds something else than numbers"
        return None
    if kind == "settings":
        return _check_settings(value)
    if type(value) is not str:
        return "is no text"
    if kind[:3] == "hex":
        good = len(value) == int(kind[3:]) and all(c in "0123456789abcdef" for c in value)
        return None if good else "is not %s lower-case hex digits" % kind[3:]
    if kind == "notice":
        return None if value in NOTICE_KINDS else "is no kind of notice"
    limit = _LIMITS[kind]
    return None if len(value.encode()) <= limit else "is longer than %d bytes" % limit


def _check_settings(value: "Any") -> "str | None":
    if type(value) is not dict or len(value) > LIST_MAX:
        return "is no short object"
    for key, item in value.items():
        if check_value("word", key):
            return "has a key that is too long"
        if item is None or type(item) is bool:
            continue
        number = "s16" if type(item) is int and item < 0 else "u32"
        if check_value(number, item) and check_value("word", item):
            return "has a value that is no number, flag or short text"
    return None


def write(row: "tuple[str, ...]", body: "dict[str, Any]") -> bytes:
    """The one JSON text of `body`. `row` is a name, then name and kind of each field in their order. ValueError says
    what is wrong."""
    count = len(row) // 2
    if len(body) != count:
        raise ValueError("has %d keys instead of %d" % (len(body), count))
    parts = []
    for at in range(1, len(row), 2):
        name = row[at]
        if name not in body:
            raise ValueError("lacks '%s'" % name)
        wrong = check_value(row[at + 1], body[name])
        if wrong:
            raise ValueError("'%s' %s" % (name, wrong))
        parts.append(_quote(name) + ":" + _value(body[name]))
    return ("{" + ",".join(parts) + "}").encode()


def read(row: "tuple[str, ...]", text: "bytes | bytearray | memoryview") -> "dict[str, Any]":
    """The body in `text`; `row` as in `write`. ValueError says what is wrong."""
    text = bytes(text)
    try:
        body = json.loads(utf8.decode(text))
    except (ValueError, TypeError, RuntimeError, KeyError, IndexError):
        raise ValueError("is no JSON") from None
    if type(body) is not dict:
        raise ValueError("is no JSON object")
    if write(row, body) != text:
        raise ValueError("is not written in the one agreed form")
    return body


def _value(value: "Any") -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is str:
        return _quote(value)
    if type(value) is list:
        return "[" + ",".join([_value(item) for item in value]) + "]"
    if type(value) is dict:
        return "{" + ",".join([_quote(key) + ":" + _value(value[key]) for key in sorted(value)]) + "}"
    return str(value)


def _quote(text: str) -> str:
    for c in text:
        if c == '"' or c == "\\" or ord(c) < 0x20:
            break
    else:
        # The rule: a list of single characters would take the pin ten times the text.
        return '"' + text + '"'
    out = []
    for c in text:
        if c == '"' or c == "\\":
            out.append("\\" + c)
        elif ord(c) < 0x20:
            out.append("\\u%04x" % ord(c))
        else:
            out.append(c)
    return '"' + "".join(out) + '"'
