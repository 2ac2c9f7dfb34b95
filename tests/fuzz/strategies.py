"""Inputs for hypothesis: any bytes, what the corpus holds with a few bytes changed, and what a grammar makes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from lapel_wire import messages, schema
from tests.fuzz import corpus

Bytes = st.SearchStrategy[bytes]

_HEX = "0123456789abcdef"
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 65), 1 << 65) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def of(target: str) -> Bytes:
    """Inputs of one target."""
    ways = [st.binary(max_size=200), changed(target)]
    if target in GRAMMARS:
        ways.append(GRAMMARS[target]())
    return st.one_of(ways)


@st.composite
def changed(draw: st.DrawFn, target: str) -> bytes:
    """An input of the corpus with up to three pieces changed."""
    data = bytearray(draw(st.sampled_from(sorted(corpus.read(target).values()) or [b""])))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


def field(kind: str) -> st.SearchStrategy[Any]:
    """A value that a field of the wire's schema takes."""
    if kind.endswith("?"):
        return st.none() | field(kind[:-1])
    if kind.startswith("hex"):
        digits = int(kind[3:])
        return st.text(_HEX, min_size=digits, max_size=digits)
    texts = {limit: _text(limit) for limit in (40, schema.TEXT_MAX_BYTES, 400)}
    plain: dict[str, st.SearchStrategy[Any]] = {
        "u32": st.integers(0, schema.U32),
        "u53": st.integers(0, schema.U53),
        "s16": st.integers(-32768, 32767),
        "bool": st.booleans(),
        "seqs": st.lists(st.integers(0, schema.U32), max_size=schema.LIST_MAX),
        "notice": st.sampled_from(schema.NOTICE_KINDS),
        "word": texts[40],
        "text": texts[schema.TEXT_MAX_BYTES],
        "blob": texts[400],
        "settings": st.dictionaries(
            texts[40], st.none() | st.booleans() | st.integers(-32768, schema.U32) | texts[40], max_size=4
        ),
    }
    return plain[kind]


def _text(limit: int) -> st.SearchStrategy[str]:
    return st.text(max_size=limit // 4)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[int, bytes]:
    """A kind of message and the text of a body that it takes."""
    kind = draw(st.sampled_from(sorted(messages.TABLE)))
    fields = messages.TABLE[kind][1:]
    body = {name: draw(field(of_field)) for name, of_field in zip(fields[::2], fields[1::2], strict=True)}
    return kind, messages.write_body(kind, body)


@st.composite
def message_bodies(draw: st.DrawFn) -> bytes:
    """A body as it should be, or with one piece of its text changed."""
    kind, text = draw(bodies())
    at = draw(st.integers(0, len(text)))
    piece = draw(st.sampled_from((b"", b",", b" ", b"1", b'"', b"}", b"e0", b"\\u0041", b"\xc3", b"[]", b"null")))
    end = at + draw(st.integers(0, 2))
    return bytes((kind,)) + text[:at] + piece + text[end:]


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """Packets whose headers nearly count up."""
    number, out = draw(st.integers(0, 63)), bytearray((draw(st.integers(0, 5)),))
    for _ in range(draw(st.integers(0, 12))):
        number = number + draw(st.sampled_from((1, 1, 1, 1, 0, 2, 63))) & 63
        header = number | draw(st.sampled_from((0, 0x40, 0x80, 0xC0)))
        packet = bytes((header,)) + bytes(draw(st.sampled_from((0, 1, 18, 19, 100, 243, 511, 513))))
        out += struct.pack("<H", len(packet)) + packet
    return bytes(out)


@st.composite
def marks(draw: st.DrawFn) -> bytes:
    """Marks with ranges in order, or nearly."""
    out = b""
    for _ in range(draw(st.integers(0, 3))):
        numbers = draw(st.lists(st.integers(0, 300), max_size=12))
        if draw(st.booleans()):
            numbers = sorted(set(numbers))
        pairs, untold = numbers[: len(numbers) // 2 * 2], draw(st.lists(st.integers(0, 300), max_size=5))
        out += draw(st.sampled_from((b"12345678", b"abcdefgh"))) + bytes((len(pairs) // 2, len(untold)))
        out += struct.pack(f"<{len(pairs) + len(untold)}I", *pairs, *untold)
    return out


def pin_settings() -> Bytes:
    """A flat object as the wire carries it."""
    return field("settings").map(lambda values: schema.write(("settings", "v", "settings"), {"v": values})[5:-1])


def json_text() -> Bytes:
    """Any JSON."""
    return _JSON.map(lambda value: json.dumps(value).encode())


_SAID = "in an a half quarter hour minutes ten two and twenty five hundred point of from now time 90 1.5h -".split()


def spoken() -> Bytes:
    """Words of which spans of time are made."""
    return st.lists(st.sampled_from(_SAID), max_size=8).map(lambda words: " ".join(words).encode())


@st.composite
def phrases(draw: st.DrawFn) -> bytes:
    """A phrase with slots, and words that are nearly those."""
    vocabulary = st.sampled_from("a the make note notes {text} {when} to remind me in 25 what's don't 999".split())
    say = draw(st.lists(vocabulary, max_size=6))
    heard = [word for word in say if draw(st.integers(0, 5))] + draw(st.lists(vocabulary, max_size=3))
    return f"{' '.join(say)}\n{' '.join(heard)}".encode()


GRAMMARS: dict[str, Callable[[], Bytes]] = {
    "packets": packets,
    "message_body": message_bodies,
    "marks": marks,
    "pin_settings": pin_settings,
    "api_body": json_text,
    "token_file": json_text,
    "transcripts": json_text,
    "clock_file": json_text,
    "pin_facts": json_text,
    "pin_inventory": json_text,
    "pin_owner": json_text,
    "spans": spoken,
    "phrases": phrases,
}
