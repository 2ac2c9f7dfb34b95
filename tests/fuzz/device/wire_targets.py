"""What arrives over the air: packets, records, messages, `info`, the flight recorder's bytes."""

import binascii
import struct

from draw import Draw
from verdicts import crc, shown

from lapel_wire import flight_log, flight_reading, gatt, messages, rescue
from lapel_wire.packets import RECORD_MAX_BYTES, Cutter, Joiner

MTUS = (23, 24, 100, 185, 247, 517)


def packets(data):
    """Packets of any kind into a Joiner; every record that comes out is cut and joined again."""
    draw = Draw(data)
    mtu = draw.pick(MTUS)
    joiner, records, fed = Joiner(), [], 0
    while draw.left:
        fed += 1
        record = joiner.feed(draw.block())
        if record is not None:
            record = bytes(record)
            assert 0 < len(record) <= RECORD_MAX_BYTES
            assert joined(cut(record, mtu)) == [record]
            records.append("%d:%s" % (len(record), crc(record)))
    assert joiner.lost_packets <= 64 * fed and joiner.broken_records <= fed
    return "%s lost %d broken %d" % (records, joiner.lost_packets, joiner.broken_records)


def cut(record, mtu):
    """The packets of a record."""
    cutter, out = Cutter(mtu), []
    cutter.load(record, len(record))
    while cutter.busy:
        out.append(bytes(cutter.packet()))
        assert len(out[-1]) <= mtu - gatt.ATT_HEADER_BYTES
        cutter.advance()
    return out


def joined(given):
    """The records in packets."""
    joiner, out = Joiner(), []
    for packet in given:
        record = joiner.feed(packet)
        if record is not None:
            out.append(bytes(record))
    return out


def message(data):
    """Bytes as a message. What is taken is written again as it was."""
    try:
        kind, body = messages.decode(data)
    except messages.BadMessage:
        return "refused"
    if kind == messages.AUDIO:
        low, offset, sound = body
        again = bytearray(messages.AUDIO_HEADER_BYTES)
        messages.put_audio_header(again, low, offset)
        assert bytes(again) + bytes(sound) == data
        return "audio %d %d %d" % (low, offset, len(sound))
    assert messages.encode(kind, body) == data
    return "%s %s" % (messages.TABLE[kind][0], crc(data))


def message_body(data):
    """A kind and a text, with length and checksum put right: what a companion gone mad could say."""
    return message(framed(data[0], data[1:])) if data else "nothing"


def framed(kind, text):
    """A message of that kind with any text."""
    return struct.pack("<BHI", kind, len(text) & 0xFFFF, binascii.crc32(text) & 0xFFFFFFFF) + text


def safe_cause(data):
    """What a stranger's `info` makes the companion say."""
    cause = rescue.safe_cause(data)
    if cause is None:
        return "no safe mode"
    again = rescue.safe_info(cause)
    assert cause and min(cause) >= " " and cause.strip(" ") == cause and len(again) <= 2 + rescue.CAUSE_MAX_BYTES
    assert rescue.safe_cause(again) == cause or not data[2:]
    return binascii.hexlify(cause.encode()).decode()


def flight(data):
    """Bytes as the flight recorder's memory, as they are and with magic and checksum put right."""
    return "%s; %s" % (_flight(bytes(data)), _flight(sealed_flight(data)))


def sealed_flight(data):
    """A log of the right size, version and checksum that holds `data`."""
    log = bytearray(flight_log.SIZE_BYTES)
    data = data[: len(log) - 12]
    log[12 : 12 + len(data)] = data
    struct.pack_into("<4sHHI", log, 0, b"LpFl", flight_log.VERSION, 0, binascii.crc32(log[12:]) & 0xFFFFFFFF)
    return bytes(log)


def _flight(data):
    try:
        log = flight_reading.decode(data)
    except flight_log.BadFlightLog:
        log = None
    # The pin goes on with what it finds, or begins anew; what it writes is sound again.
    kept = flight_log.FlightLog(data)
    assert log is not None or kept.fresh
    kept.begin_boot("power on")
    kept.event("note", "a note", 7)
    kept.put_text("last_error", kept.text("last_task_before"))
    written = flight_reading.decode(bytes(kept.sealed()))
    assert len(written["events"]) <= 56 and written["events"][-1]["text"] == "a note"
    if log is None:
        return "refused"
    told = [log[name] for name in sorted(log) if name != "events"]
    told += [[event["ms"], event["boot"], event["event"], event["text"]] for event in log["events"]]
    return crc(shown(told).encode())
