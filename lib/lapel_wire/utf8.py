"""UTF-8 as RFC 3629 has it. MicroPython's decoder also takes surrogates, overlong forms, and what is no character."""


def decode(data: "bytes | bytearray | memoryview") -> str:
    """The text in `data`. Raises ValueError where a strict decoder does."""
    text = bytes(data).decode()
    if len(text) != len(data):
        for c in text:
            code = ord(c)
            # chr() itself refuses what lies above.
            if 0xD800 <= code < 0xE000 or chr(code) != c:
                raise ValueError("is not UTF-8")
    return text
