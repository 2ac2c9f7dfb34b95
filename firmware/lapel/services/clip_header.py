"""The record that a clip's file begins with: what the clip is, in the words with which it is offered on the wire."""

from lapel.core import clip_layout, records
from lapel_wire import messages


def pack(meta: dict) -> bytes:
    """The header record of `meta`, the body of a CLIP message. ValueError says what is wrong with it."""
    body = messages.write_body(messages.CLIP, meta)
    if len(body) > clip_layout.META_MAX_BYTES:
        raise ValueError("clip has %d bytes, more than %d" % (len(body), clip_layout.META_MAX_BYTES))
    return records.pack(records.HEADER, body)


def unpack(data):
    """(meta, bytes of the header record) at the start of `data`. Raises records.BadRecord."""
    body = records.unpack(records.HEADER, data, exact=False)
    try:
        return messages.read_body(messages.CLIP, body), records.FRAME_BYTES + len(body)
    except messages.BadMessage as bad:
        raise records.BadRecord(str(bad)) from None
